"""Text tables: UTF-8, UTF-16, Windows-1258 and the old fonts' code pages; the separator found by trying."""

import csv
import io
import re

from kb_import.problem import FileRefused, damaged, too_many
from kb_import.repair import vietnamese_score
from kb_import.sheet import Bounds, FileKind, Sheet, Workbook

_SEPARATORS = ",;\t|"
_SAMPLE_CHARS = 20_000
_NOT_TEXT = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def read(content: bytes, bounds: Bounds) -> Workbook:
    """The one table of the file. Raises FileRefused when the bytes are not text."""
    text = decode(content)
    if len(_NOT_TEXT.findall(text[:_SAMPLE_CHARS])) > 0:
        raise damaged("not text")
    separator = _separator(text)
    rows: list[list[str]] = []
    csv.field_size_limit(bounds.cell_chars * 4)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if len(rows) >= bounds.rows:
                raise too_many(f"Tệp có nhiều hơn {bounds.rows:,} dòng.".replace(",", "."))
            if len(row) > bounds.columns:
                raise too_many(f"Tệp có hơn {bounds.columns} cột.")
            rows.append(row)
    except csv.Error as error:
        raise damaged(f"csv {error}") from None
    if rows and rows[0] and rows[0][0].casefold().startswith("sep="):
        rows[0] = [""]
    if not any(len(row) > 1 for row in rows):
        raise FileRefused(
            "Không nhận ra bảng nào trong tệp.",
            "Hãy gửi tệp Excel, hoặc tệp .csv có các cột cách nhau bằng dấu phẩy.",
            reason="not_a_table",
        )
    return Workbook(FileKind.CSV, (Sheet("CSV", rows),))


def decode(content: bytes) -> str:
    """The text, by byte order mark, by UTF-8's own check, or by which old code page reads most like Vietnamese."""
    for mark, known in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            try:
                return content.decode(known)
            except UnicodeDecodeError:
                raise damaged("encoding") from None
    if name := _utf16_without_mark(content):
        return content.decode(name, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    readings = [content.decode("cp1258", "replace"), content.decode("cp1252", "replace")]
    return max(readings, key=lambda one: vietnamese_score(one[:_SAMPLE_CHARS]))


def decode_start(content: bytes) -> str:
    """The first lines as text, good enough to tell HTML from a text table."""
    start = content[:2048]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return start.decode("utf-16", "replace")
    if name := _utf16_without_mark(content):
        return start.decode(name, "replace")
    return start.decode("utf-8-sig", "replace")


def _utf16_without_mark(content: bytes) -> str | None:
    start = content[:2000]
    if len(start) < 4 or len(content) % 2:
        return None
    zeros_odd, zeros_even = start[1::2].count(0), start[::2].count(0)
    if zeros_odd > len(start) * 0.2 and zeros_even < len(start) * 0.02:
        return "utf-16-le"
    if zeros_even > len(start) * 0.2 and zeros_odd < len(start) * 0.02:
        return "utf-16-be"
    return None


def _separator(text: str) -> str:
    """The separator that cuts most lines into the same number, greater than one, of cells."""
    first = text.split("\n", 1)[0].strip()
    if first.casefold().startswith("sep=") and len(first) == 5:
        return first[4]
    best, most = ",", 0.0
    for one in _SEPARATORS:
        try:
            widths = [
                len(row) for row in csv.reader(io.StringIO(text[:_SAMPLE_CHARS], newline=""), delimiter=one) if row
            ]
        except csv.Error:
            continue
        wide = [width for width in widths if width > 1]
        if not wide:
            continue
        usual = max(set(wide), key=wide.count)
        if (agreement := wide.count(usual) / len(widths) + min(usual, 8) / 100) > most:
            best, most = one, agreement
    return best
