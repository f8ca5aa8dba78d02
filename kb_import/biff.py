"""What lies in a binary .xls beside the values: passwords, macros, hidden rows and columns, fonts.

Sources: [MS-CFB] (the OLE container) and [MS-XLS] (records). Only reads; every offset is checked, a damaged file
is refused.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from kb_import.problem import FileRefused, damaged, macros_refused, password_refused
from kb_import.sheet import MAX_ERRORS, Details, SheetDetails

_END_OF_CHAIN = 0xFFFFFFFA
"""This and above are marks (end, free, FAT), not sectors."""
_BOF, _EOF, _BOUNDSHEET, _FILEPASS, _FONT, _COLINFO, _ROW = 0x0809, 0x0A, 0x85, 0x2F, 0x31, 0x7D, 0x0208
_BOOLERR, _FORMULAS = 0x0205, frozenset({0x06, 0x0206, 0x0406})
_BOOLERR_START = struct.pack("<HH", _BOOLERR, 8)
_ERROR_VALUE = re.compile(rb"\x02.[\x00\x07\x0f\x17\x1d\x24\x2a].{3}\xff\xff", re.DOTALL)
"""A formula's cached error; may also match inside other data."""
_HIDDEN_ROW = re.compile(rb"\x08\x02\x10\x00.{12}[\x20-\x3f\x60-\x7f\xa0-\xbf\xe0-\xff]", re.DOTALL)
"""A ROW record with its "hidden" bit; may also match inside other data, so a hit only says: look record by record."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    start: int
    size: int


class _Container:
    """The streams of an OLE file."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        sector_shift, mini_shift = struct.unpack_from("<HH", content, 0x1E)
        if sector_shift not in {9, 12} or mini_shift > sector_shift:
            raise damaged("sector size")
        self._sector, self._mini_sector = 1 << sector_shift, 1 << mini_shift
        _, directory, _, self._cutoff, mini_fat, _, difat, _ = struct.unpack_from("<IIIIIIII", content, 0x2C)
        self._fat = self._load_fat(difat)
        entries = list(self._entries(self._chain(directory)))
        if not entries:
            raise damaged("no directory")
        self.entries = {one.name: one for one in entries[1:]}
        self._mini_fat = _integers(self._chain(mini_fat))
        self._mini_stream = self._chain(entries[0].start)

    def stream(self, name: str) -> bytes:
        """The bytes of one stream."""
        entry = self.entries[name]
        if entry.size >= self._cutoff:
            return self._chain(entry.start)[: entry.size]
        parts, at, left = [], entry.start, len(self._mini_fat) + 1
        while at < _END_OF_CHAIN and left:
            parts.append(self._mini_stream[at * self._mini_sector : (at + 1) * self._mini_sector])
            at = self._mini_fat[at] if at < len(self._mini_fat) else _END_OF_CHAIN
            left -= 1
        return b"".join(parts)[: entry.size]

    def _load_fat(self, difat: int) -> tuple[int, ...]:
        sectors = [one for one in struct.unpack_from("<109I", self._content, 0x4C) if one < _END_OF_CHAIN]
        seen: set[int] = set()
        while difat < _END_OF_CHAIN and difat not in seen:
            seen.add(difat)
            more = _integers(self._sector_bytes(difat))
            if not more:
                break
            sectors += [one for one in more[:-1] if one < _END_OF_CHAIN]
            difat = more[-1]
        return _integers(b"".join(self._sector_bytes(one) for one in sectors))

    def _sector_bytes(self, number: int) -> bytes:
        start = (number + 1) * self._sector
        return self._content[start : start + self._sector]

    def _chain(self, at: int) -> bytes:
        """The sectors from `at` on, joined; sectors that follow one another are taken in one slice."""
        parts, left, fat = [], len(self._fat) + 1, self._fat
        while at < _END_OF_CHAIN and left > 0:
            last = at
            while last < len(fat) and fat[last] == last + 1:
                last += 1
            parts.append(self._content[(at + 1) * self._sector : (last + 2) * self._sector])
            left -= last - at + 1
            at = fat[last] if last < len(fat) else _END_OF_CHAIN
        return b"".join(parts)

    @staticmethod
    def _entries(directory: bytes) -> Iterator[_Entry]:
        for at in range(0, len(directory) - 127, 128):
            length = min(struct.unpack_from("<H", directory, at + 64)[0], 64)
            kind = directory[at + 66]
            start, size = struct.unpack_from("<II", directory, at + 116)
            if kind:
                yield _Entry(directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace"), start, size)


def look(content: bytes) -> Details:
    """The details of a binary .xls. Raises FileRefused: password, macros, damaged, or another program's file."""
    try:
        return _look(content)
    except (struct.error, IndexError, KeyError) as error:
        raise damaged(f"ole {type(error).__name__}") from None


def _look(content: bytes) -> Details:
    container = _Container(content)
    names = set(container.entries)
    if "EncryptedPackage" in names:
        raise password_refused()
    stream_name = "Workbook" if "Workbook" in names else "Book" if "Book" in names else None
    if stream_name is None:
        if "WordDocument" in names:
            raise FileRefused(
                "Đây là tệp Word, không phải bảng tính.", "Hãy chép bảng vào Excel rồi gửi lại.", reason="not_a_table"
            )
        raise damaged("no workbook stream")
    stream = container.stream(stream_name)
    if len(stream) < container.entries[stream_name].size:
        raise damaged("cut off")
    sheets, fonts, has_macro_sheets = _globals(stream)
    if has_macro_sheets or names & {"_VBA_PROJECT_CUR", "_VBA_PROJECT", "VBA"}:
        raise macros_refused()
    details = {index: _sheet_details(stream, start, end) for index, (start, end) in enumerate(sheets)}
    return Details(by_index=details, fonts=fonts)


def _globals(stream: bytes) -> tuple[list[tuple[int, int]], frozenset[str], bool]:
    """Where each worksheet's records lie, the fonts, and whether there are macro sheets."""
    worksheets: list[int] = []
    every: list[int] = []
    fonts: set[str] = set()
    macros = False
    for kind, start, length in _records(stream, 0, len(stream)):
        if kind == _FILEPASS:
            raise password_refused()
        if kind == _BOUNDSHEET and length >= 6:
            position, _state, sheet_type = struct.unpack_from("<IBB", stream, start)
            every.append(position)
            macros |= sheet_type == 1
            if sheet_type == 0:
                worksheets.append(position)
        elif kind == _FONT and length > 16:
            fonts.add(_font_name(stream[start : start + length]))
        elif kind == _EOF:
            break
    ends = [*sorted(every), len(stream)]
    return (
        [(one, next(end for end in ends if end > one or end == len(stream))) for one in worksheets],
        frozenset(fonts),
        macros,
    )


def _font_name(record: bytes) -> str:
    count, flags = record[14], record[15]
    if flags == 1 and len(record) >= 16 + 2 * count:  # BIFF8: one length byte, one flags byte, UTF-16
        return record[16 : 16 + 2 * count].decode("utf-16-le", "replace")
    start = 16 if flags == 0 else 15  # BIFF8 compressed, or BIFF5 with no flags byte
    return record[start : start + count].decode("cp1252", "replace")


def _sheet_details(stream: bytes, start: int, end: int) -> SheetDetails:
    columns: set[int] = set()
    for kind, at, length in _records(stream, start, end):
        if kind == _COLINFO and length >= 10:
            first, last, _width, _format, flags = struct.unpack_from("<HHHHH", stream, at)
            if flags & 1:
                columns.update(range(first, min(last, 255) + 1))
        elif kind in {_ROW, _EOF}:
            break
    rows: set[int] = set()
    if _HIDDEN_ROW.search(stream, start, end):
        for kind, at, length in _records(stream, start, end):
            if kind == _ROW and length >= 16 and stream[at + 12] & 0x20:
                rows.add(struct.unpack_from("<H", stream, at)[0])
            elif kind == _EOF:
                break
    return SheetDetails(frozenset(rows), frozenset(columns), errors=_error_cells(stream, start, end))


def _error_cells(stream: bytes, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """Cells with an error: BOOLERR records, and formulas whose cached value is one."""
    suspected = stream.find(_BOOLERR_START, start, end) >= 0
    if not suspected and not (stream.find(b"\xff\xff", start, end) >= 0 and _ERROR_VALUE.search(stream, start, end)):
        return ()
    found: list[tuple[int, int]] = []
    for kind, at, length in _records(stream, start, end):
        if (kind == _BOOLERR and length >= 8 and stream[at + 7] == 1) or (
            kind in _FORMULAS and length >= 14 and stream[at + 6] == 2 and stream[at + 12 : at + 14] == b"\xff\xff"
        ):
            found.append(struct.unpack_from("<HH", stream, at))
            if len(found) == MAX_ERRORS:
                break
    return tuple(found)


def _integers(raw: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(raw) // 4}I", raw[: len(raw) // 4 * 4])


def _records(stream: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(kind, where its data starts, length) of each record in a part of the stream."""
    unpack = struct.Struct("<HH").unpack_from
    at, last = start, min(end, len(stream)) - 4
    while at <= last:
        kind, length = unpack(stream, at)
        yield kind, at + 4, length
        at += 4 + length
