"""What lies in a zipped spreadsheet (.xlsx, .xlsm, .ods) beside the values, and what must not be unpacked at all.

Sources: ECMA-376 part 1 (SpreadsheetML) and OASIS OpenDocument 1.3 part 3.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from html import unescape

from kb_import import ods
from kb_import.problem import FileRefused, column_index, damaged, macros_refused, password_refused, too_many
from kb_import.sheet import MAX_ERRORS, Bounds, Details, FileKind, SheetDetails

_MAX_MEMBERS = 5_000
_CHUNK = 1 << 20
_OVERLAP = 4096
_ENCRYPTED = 0x1
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*\bhidden=[\"'](?:1|true)[\"'][^>]*)>")
_HIDDEN_COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*\bhidden=[\"'](?:1|true)[\"'][^>]*)/?>")
_ERROR_CELL = re.compile(rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>')
_CELL = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_FONT = re.compile(rb"<(?:\w+:)?name\b[^>]*\bval=[\"']([^\"']*)[\"']")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b([^>]*)/?>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b([^>]*)/?>")
# What zipfile raises for a damaged archive; NotImplementedError is its word for a way of packing that it does not know.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, NotImplementedError, RuntimeError, ValueError)


def kind_of(content: bytes) -> FileKind:
    """Which kind of document the zip is. Raises FileRefused for what is no spreadsheet, or broken."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except _BROKEN as error:
        raise damaged(f"zip {type(error).__name__}") from None
    if "xl/workbook.xml" in names or any(one.startswith("xl/worksheets/") and one.endswith(".xml") for one in names):
        return FileKind.XLSX
    if "xl/workbook.bin" in names:
        raise FileRefused("Tệp ở dạng nhị phân .xlsb.", "Hãy mở bằng Excel và lưu lại dạng .xlsx.", reason="xlsb")
    if "content.xml" in names:
        return FileKind.ODS
    what = "Word" if any(one.startswith("word/") for one in names) else "nén ZIP"
    raise FileRefused(f"Đây là tệp {what}, không phải bảng tính.", "Hãy gửi chính tệp Excel.", reason="not_a_table")


def look(content: bytes, kind: FileKind, bounds: Bounds) -> Details:
    """The details of a zipped spreadsheet. Raises FileRefused: zip bomb, password, macros, damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_size(archive, bounds)
            names = set(archive.namelist())
            if any(one.casefold().endswith("vbaproject.bin") or one.startswith("xl/macrosheets/") for one in names):
                raise macros_refused()
            if any(one.startswith("Basic/") and one.endswith(".xml") and one.count("/") > 1 for one in names):
                raise macros_refused()
            if kind is FileKind.ODS:
                if b"encryption-data" in _member(archive, "META-INF/manifest.xml", names):
                    raise password_refused()
                return ods.look(archive, bounds)
            fonts = frozenset(_text(one) for one in _FONT.findall(_member(archive, "xl/styles.xml", names)))
            by_name = {name: _sheet_details(archive, member) for name, member in _sheets(archive, names)}
            return Details(by_name=by_name, fonts=fonts)
    except _BROKEN as error:
        raise damaged(f"zip {type(error).__name__}") from None


def _check_size(archive: zipfile.ZipFile, bounds: Bounds) -> None:
    members = archive.infolist()
    if len(members) > _MAX_MEMBERS or sum(one.file_size for one in members) > bounds.unpacked_bytes:
        raise too_many(f"Tệp nén bung ra lớn hơn {bounds.unpacked_bytes // 2**20} MB (có thể là tệp phá hoại).")
    if any(one.flag_bits & _ENCRYPTED for one in members):
        raise password_refused()


def _member(archive: zipfile.ZipFile, name: str, names: set[str]) -> bytes:
    return archive.read(name) if name in names else b""


def _sheets(archive: zipfile.ZipFile, names: set[str]) -> Iterator[tuple[str, str]]:
    """(name, member) of each worksheet."""
    targets = {}
    for found in _RELATION.findall(_member(archive, "xl/_rels/workbook.xml.rels", names)):
        target = _attribute(found, "Target").lstrip("/")
        targets[_attribute(found, "Id")] = target if target.startswith("xl/") else f"xl/{target}"
    for found in _SHEET.findall(_member(archive, "xl/workbook.xml", names)):
        member = targets.get(_attribute(found, r"\w+:id"))
        if member in names:
            yield _attribute(found, "name"), member


def _attribute(attributes: bytes, name: str) -> str:
    found = re.search(rb"(?:^|\s)" + name.encode() + rb"\s*=\s*([\"'])(.*?)\1", attributes, re.DOTALL)
    return _text(found.group(2)) if found else ""


def _text(raw: bytes) -> str:
    return unescape(raw.decode("utf-8", "replace"))


def _sheet_details(archive: zipfile.ZipFile, member: str) -> SheetDetails:
    """Hidden rows and columns, from one pass over the sheet's text in pieces: the sheet is never whole in memory."""
    rows: set[int] = set()
    columns: set[int] = set()
    errors: dict[tuple[int, int], None] = {}
    rest = b""
    with archive.open(member) as stream:
        while piece := stream.read(_CHUNK):
            text = rest + piece
            if b't="e"' in text and len(errors) < MAX_ERRORS:
                for found in _ERROR_CELL.findall(text):
                    if place := _CELL.fullmatch(_attribute(found, "r")):
                        errors[int(place[2]) - 1, column_index(place[1])] = None
            if b"hidden" in text:
                for found in _HIDDEN_ROW.findall(text):
                    if (number := _attribute(found, "r")).isdecimal():
                        rows.add(int(number) - 1)
                for found in _HIDDEN_COLUMN.findall(text):
                    first, last = _attribute(found, "min"), _attribute(found, "max")
                    if first.isdecimal() and last.isdecimal():
                        columns.update(range(int(first) - 1, min(int(last), 16_384)))
            rest = text[-_OVERLAP:]
    return SheetDetails(frozenset(rows), frozenset(columns), errors=tuple(errors)[:MAX_ERRORS])
