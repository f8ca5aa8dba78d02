"""HTML that calls itself .xls: every `<table>` is a sheet."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from kb_import import csv_table
from kb_import.problem import FileRefused, too_many
from kb_import.sheet import Area, Bounds, FileKind, Sheet, Workbook

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all", re.IGNORECASE)
_BLOCKS = frozenset({"p", "div", "li", "tr", "h1", "h2", "h3", "h4", "ul", "ol"})
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_MAX_SPAN = 10_000


def read(content: bytes, bounds: Bounds) -> Workbook:
    """The tables of the page, in order. Raises FileRefused when there are none."""
    tree = LexborHTMLParser(_decode(content))
    tables = [one for one in tree.css("table") if not _inside_table(one)]
    if not tables:
        remedy = "Hãy mở bằng Excel và lưu lại dạng .xlsx."
        if tree.css_first("frameset, frame, iframe") is not None:
            raise FileRefused("Tệp chỉ là trang khung, dữ liệu nằm ở tệp khác.", remedy, reason="html_frames")
        raise FileRefused("Tệp là trang web không có bảng nào.", remedy, reason="not_a_table")
    sheets = [_sheet(table, f"Bảng {number}", bounds) for number, table in enumerate(tables, 1)]
    if sum(len(one.rows) for one in sheets) > bounds.rows or len(sheets) > bounds.sheets:
        raise too_many(f"Tệp có nhiều hơn {bounds.rows:,} dòng.".replace(",", "."))
    return Workbook(FileKind.HTML, tuple(sheets))


def _decode(content: bytes) -> str:
    found = _CHARSET.search(content[:4096])
    if found and not content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return content.decode(found.group(1).decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass
    return csv_table.decode(content)


def _inside_table(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag == "table":
            return True
        parent = parent.parent
    return False


def _rows(table: LexborNode) -> Iterator[LexborNode]:
    for child in table.iter():
        if child.tag == "tr":
            yield child
        elif child.tag in {"thead", "tbody", "tfoot"}:
            yield from (one for one in child.iter() if one.tag == "tr")


def _sheet(table: LexborNode, name: str, bounds: Bounds) -> Sheet:
    rows: list[list[str]] = []
    merged: list[Area] = []
    hidden: set[int] = set()
    taken: dict[tuple[int, int], bool] = {}
    for row_number, row in enumerate(_rows(table)):
        if row_number >= bounds.rows:
            raise too_many(f"Tệp có nhiều hơn {bounds.rows:,} dòng.".replace(",", "."))
        if _is_hidden(row):
            hidden.add(row_number)
        cells: list[str] = []
        for cell in row.iter():
            if cell.tag not in {"td", "th"}:
                continue
            while (row_number, len(cells)) in taken:
                cells.append("")
            across, down = _span(cell, "colspan"), _span(cell, "rowspan")
            if len(cells) + across > bounds.columns:
                raise too_many(f"Bảng có hơn {bounds.columns} cột.")
            if across > 1 or down > 1:
                down = min(down, bounds.rows)
                merged.append(Area(row_number, len(cells), row_number + down - 1, len(cells) + across - 1))
                for below in range(1, down):
                    taken.update(((row_number + below, len(cells) + one), True) for one in range(across))
            cells.append(_text(cell))
            cells.extend([""] * (across - 1))
        rows.append(cells)
    caption = table.css_first("caption")
    title = _text(caption)[:31] if caption is not None else ""
    return Sheet(title or name, rows, merged=tuple(merged), hidden_rows=frozenset(hidden))


def _is_hidden(row: LexborNode) -> bool:
    attributes = row.attributes
    return "hidden" in attributes or bool(_HIDDEN.search(attributes.get("style") or ""))


def _span(cell: LexborNode, name: str) -> int:
    text = (cell.attributes.get(name) or "1").strip()
    return max(1, min(int(text), _MAX_SPAN)) if text.isdecimal() else 1


def _text(cell: LexborNode) -> str:
    """The cell's words with its line breaks; a link's address is kept when its words don't show it."""
    parts: list[str] = []
    _gather(cell, parts, 0)
    lines = [_BLANKS.sub(" ", line).strip() for line in "".join(parts).split("\v")]
    return "\n".join(line for line in lines if line)


def _gather(node: LexborNode, parts: list[str], depth: int) -> None:
    if depth > 200:
        return
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            parts.append(child.text(deep=False) or "")
        elif child.tag == "br":
            parts.append("\v")
        elif child.tag not in {"script", "style"}:
            if child.tag in _BLOCKS:
                parts.append("\v• " if child.tag == "li" else "\v")
            _gather(child, parts, depth + 1)
            address = (child.attributes.get("href") or "") if child.tag == "a" else ""
            if address.startswith(("http://", "https://")) and address.rstrip("/") not in "".join(parts[-3:]):
                parts.append(f" ({address})")
            if child.tag in _BLOCKS:
                parts.append("\v")
