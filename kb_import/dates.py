"""Days as departments write them."""

import re
from datetime import date, datetime, timedelta
from functools import lru_cache

from kb_import.sheet import Cell
from nlu_data.vi_nlu.text import strip_diacritics

_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4}|\d{2})(?!\d)")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_WORDS = re.compile(r"ngay\s+(\d{1,2})\s+thang\s+(\d{1,2})\s+nam\s+(\d{4})")
_MONTH = re.compile(r"(?:thang\s+)?(?<!\d)(\d{1,2})\s*[/.\-]\s*(\d{4})(?!\d)")
_EXCEL_EPOCH = date(1899, 12, 30)
_FIRST, _LAST = date(1945, 9, 2), date(2100, 1, 1)
_UNTIL = re.compile(r"\b(?:den|het|toi)\b")


def find_day(cell: Cell) -> date | None:
    """The day in a cell: a date, an Excel serial number, "22/10/2021", "ngày 22 tháng 10 năm 2021"; "
    "None if there is none."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    if isinstance(cell, int | float):
        return _plausible(_EXCEL_EPOCH + timedelta(days=int(cell))) if 16_000 < cell < 73_100 else None
    days = _days(cell)
    return days[0] if days else None


def find_validity(cell: Cell) -> tuple[date | None, date | None]:
    """(from, until) in one cell: "từ 01/10/2021 đến 31/12/2021", "đến hết 31/12/2021", "01/10/2021 - 31/12/2021"."""
    if not isinstance(cell, str):
        return find_day(cell), None
    days = _days(cell)
    if len(days) >= 2:
        return days[0], days[1]
    if len(days) == 1:
        return (None, days[0]) if _UNTIL.search(strip_diacritics(cell).casefold()) else (days[0], None)
    return None, None


@lru_cache(maxsize=4096)
def _days(text: str) -> tuple[date, ...]:
    plain = strip_diacritics(text).casefold()
    if plain.strip().isdecimal():
        serial = find_day(int(plain)) if len(plain.strip()) == 5 else None
        return (serial,) if serial else ()
    found: list[tuple[int, date | None]] = []
    for match in _WORDS.finditer(plain):
        found.append((match.start(), _day(match.group(3), match.group(2), match.group(1))))
    for match in _DAY_FIRST.finditer(plain):
        found.append((match.start(), _day(match.group(3), match.group(2), match.group(1))))
    for match in _YEAR_FIRST.finditer(plain):
        found.append((match.start(), _day(match.group(1), match.group(2), match.group(3))))
    if not found:
        for match in _MONTH.finditer(plain):
            found.append((match.start(), _day(match.group(2), match.group(1), "1")))
    return tuple(day for _, day in sorted(found, key=lambda one: one[0]) if day)


def _day(year: str, month: str, day: str) -> date | None:
    number = int(year)
    try:
        return _plausible(date(number + 2000 if number < 100 else number, int(month), int(day)))
    except ValueError:
        return None


def _plausible(day: date) -> date | None:
    return day if _FIRST <= day <= _LAST else None
