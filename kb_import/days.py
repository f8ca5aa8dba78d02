"""The date columns of a table, each read once from top to bottom."""

from dataclasses import dataclass, field
from datetime import date

from kb_import.columns import Role
from kb_import.dates import find_day, find_validity
from kb_import.header import SheetLayout
from kb_import.problem import Problem, Severity
from kb_import.sheet import Cell, say_cell
from kb_import.table import Table

_DATE_WORD = {
    Role.CONFIRMED_ON: "Ngày cập nhật",
    Role.VALID_FROM: "Ngày bắt đầu hiệu lực",
    Role.VALID_UNTIL: "Ngày hết hiệu lực",
    Role.VALIDITY: "Thời gian hiệu lực",
}
_NO_DAYS: tuple[date | None, date | None] = (None, None)


@dataclass(slots=True)
class Days:
    """The days of every row, by column; empty where the table has no such column."""

    confirmed: list[date | None] = field(default_factory=list)
    valid_from: list[date | None] = field(default_factory=list)
    valid_until: list[date | None] = field(default_factory=list)
    bad: dict[int, list[Problem]] = field(default_factory=dict)
    """By relative row: cells that should hold a day and can't be read as one."""


def read_days(table: Table, layout: SheetLayout) -> Days:
    """Each distinct text is parsed once."""
    days = Days()
    for role in _DATE_WORD:
        if role not in layout.columns:
            continue
        known: dict[Cell, tuple[date | None, date | None]] = {"": _NO_DAYS}
        column = []
        for index, cell in enumerate(table.columns[layout.columns[role]]):
            pair = known.get(cell)
            if pair is None:
                pair = known[cell] = find_validity(cell) if role is Role.VALIDITY else (find_day(cell), None)
            if pair == _NO_DAYS and cell != "" and index >= layout.first and not _means_no_date(cell):
                days.bad.setdefault(index, []).append(_bad_date(table, layout, role, index, cell))
            column.append(pair)
        if role is Role.CONFIRMED_ON:
            days.confirmed = [one for one, _ in column]
        elif role is Role.VALID_FROM:
            days.valid_from = [one for one, _ in column]
        elif role is Role.VALID_UNTIL:
            days.valid_until = [one for one, _ in column]
        else:
            days.valid_from = days.valid_from or [one for one, _ in column]
            days.valid_until = days.valid_until or [one for _, one in column]
    return days


def _bad_date(table: Table, layout: SheetLayout, role: Role, index: int, cell: Cell) -> Problem:
    return Problem(
        Severity.WARNING if role is Role.CONFIRMED_ON else Severity.ERROR,
        "bad_date",
        f"{_DATE_WORD[role]} “{say_cell(cell)[:40]}” không đọc được. Hãy ghi dạng ngày/tháng/năm, ví dụ 22/10/2021.",
        layout.sheet,
        table.row_number(index),
        layout.letter(role),
    )


def _means_no_date(cell: Cell) -> bool:
    """ "Không thời hạn", "-", "đến khi có văn bản mới": no day on purpose."""
    text = say_cell(cell).strip().casefold()
    return not any(one.isdigit() for one in text)
