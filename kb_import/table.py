"""A sheet as columns: repaired text, hidden parts taken out, merged cells filled. What layout.py looks at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from kb_import.problem import Problem, Severity, column_letter
from kb_import.repair import Conversion, repair_columns
from kb_import.sheet import Area, Cell, Sheet

_SHOWN = 12
"""How many hidden rows or columns a note names one by one."""


@dataclass(slots=True)
class Table:
    """The visible cells of a sheet, column by column; all columns are equally long."""

    name: str
    top: int
    left: int
    columns: list[Sequence[Cell]]
    areas: tuple[Area, ...] = ()
    """Merged areas, relative to (`top`, `left`)."""
    skipped: frozenset[int] = frozenset()
    """Hidden rows, relative."""
    only_texts: Sequence[bool] = ()
    """By column: does it hold texts and nothing else?"""
    conversions: list[Conversion] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.columns[0]) if self.columns else 0

    def row(self, index: int) -> list[Cell]:
        """The cells of one relative row."""
        return [column[index] for column in self.columns]

    def row_number(self, index: int) -> int:
        """A relative row as the spreadsheet numbers it."""
        return self.top + index + 1

    def letter(self, index: int) -> str:
        """A relative column's letter."""
        return column_letter(self.left + index)


def as_table(sheet: Sheet, fonts: Iterable[str] = ()) -> Table:
    """The sheet's visible cells, repaired. What is hidden is left out, and a note says so."""
    problems: list[Problem] = []
    columns: list[Sequence[Cell]] = list(zip_longest(*sheet.rows, fillvalue=""))
    hidden_columns = [one - sheet.left for one in sheet.hidden_columns if 0 <= one - sheet.left < len(columns)]
    gone = [one for one in sorted(hidden_columns) if any(cell != "" for cell in columns[one])]
    for one in gone:
        columns[one] = ("",) * len(columns[one])
    if gone:
        names = _some([column_letter(sheet.left + one) for one in gone])
        problems.append(
            _note("hidden_column", sheet.name, f"Cột ẩn {names} không được nạp. Hãy bỏ ẩn (Unhide) nếu cần nạp.")
        )
    height = len(columns[0]) if columns else 0
    skipped = {one - sheet.top for one in sheet.hidden_rows if 0 <= one - sheet.top < height}
    full = [one for one in sorted(skipped) if any(column[one] != "" for column in columns)]
    if full:
        names = _some([str(sheet.top + one + 1) for one in full])
        problems.append(
            _note(
                "hidden_row",
                sheet.name,
                f"{len(full)} dòng ẩn hoặc đang lọc (dòng {names}) không được nạp. Hãy bỏ ẩn, bỏ lọc nếu cần nạp.",
                row=sheet.top + full[0] + 1,
            )
        )
    wrong = [one for one in sheet.errors if one[0] not in sheet.hidden_rows and one[1] not in sheet.hidden_columns]
    if wrong:
        names = _some([f"{column_letter(column)}{row + 1}" for row, column in wrong])
        problems.append(
            Problem(
                Severity.WARNING,
                "error_cell",
                f"{len(wrong)} ô có lỗi công thức như #REF!, #N/A (ô {names}) được coi là trống. "
                "Hãy sửa công thức, hoặc gõ thẳng giá trị vào ô.",
                sheet.name,
                wrong[0][0] + 1,
                column_letter(wrong[0][1]),
            )
        )
    repaired, conversions, only_texts = repair_columns(columns, fonts)
    table = Table(
        sheet.name, sheet.top, sheet.left, repaired, (), frozenset(skipped), only_texts, conversions, problems
    )
    table.areas = tuple(_relative(sheet.merged, sheet, table))
    return table


def _relative(areas: Sequence[Area], sheet: Sheet, table: Table) -> Iterable[Area]:
    for one in areas:
        top, left = one.top - sheet.top, one.left - sheet.left
        bottom = min(one.bottom - sheet.top, table.height - 1)
        right = min(one.right - sheet.left, len(table.columns) - 1)
        if 0 <= top <= bottom and 0 <= left <= right:
            yield Area(top, left, bottom, right)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" … và {len(names) - _SHOWN} nữa" if len(names) > _SHOWN else "")


def _note(code: str, sheet: str, message: str, row: int | None = None) -> Problem:
    return Problem(Severity.NOTE, code, message, sheet, row)
