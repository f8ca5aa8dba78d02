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
    """Each distinct cell is parsed once."""
    days = Days()
    for role in _DATE_WORD:
        if role not in layout.columns:
            continue
        cells = table.columns[layout.columns[role]]
        pairs = {cell: find_validity(cell) if role is Role.VALIDITY else (find_day(cell), None) for cell in set(cells)}
        wrong = {cell for cell, pair in pairs.items() if pair == _NO_DAYS and not _means_no_date(cell)}
        if wrong:
            for index in range(layout.first, len(cells)):
                if (cell := cells[index]) in wrong:
                    days.bad.setdefault(index, []).append(_bad_date(table, layout, role, index, cell))
        starts = {cell: start for cell, (start, _) in pairs.items()}
        column = list(map(starts.__getitem__, cells))
        if role is Role.CONFIRMED_ON:
            days.confirmed = column
        elif role is Role.VALID_FROM:
            days.valid_from = column
        elif role is Role.VALID_UNTIL:
            days.valid_until = column
        else:
            ends = {cell: end for cell, (_, end) in pairs.items()}
            days.valid_from = days.valid_from or column
            days.valid_until = days.valid_until or list(map(ends.__getitem__, cells))
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
