"""A spreadsheet as it was read, before anything is understood: the same shape for every format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

Cell = str | int | float | bool | date | datetime | time | timedelta
"""A cell's value; a cell without one is ""."""


class FileKind(StrEnum):
    """What the bytes are, whatever the name says."""

    XLS = "xls"
    XLSX = "xlsx"
    ODS = "ods"
    CSV = "csv"
    HTML = "html"
    XML = "xml"
    """ "XML Spreadsheet 2003", which many accounting programs write as .xls."""


@dataclass(frozen=True, slots=True)
class Area:
    """A merged area; rows and columns from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. `rows[0][0]` stands at (`top`, `left`), counted from 0; rows may differ in length."""

    name: str
    rows: Sequence[Sequence[Cell]]
    top: int = 0
    left: int = 0
    merged: tuple[Area, ...] = ()
    hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    """Counted from 0 at the sheet's first row, like `hidden_columns`."""
    hidden_columns: frozenset[int] = frozenset()
    errors: tuple[tuple[int, int], ...] = ()
    """(row, column) of cells that hold an error, counted from 0 at the sheet's corner; they read as empty."""


@dataclass(frozen=True, slots=True)
class Workbook:
    """A file's sheets."""

    kind: FileKind
    sheets: tuple[Sheet, ...]
    fonts: frozenset[str] = field(default=frozenset())
    """Names of the fonts it uses where the format tells: ".VnTime" and "VNI-Times" speak of old encodings."""


@dataclass(frozen=True, slots=True)
class SheetDetails:
    """What calamine does not tell of a sheet; rows and columns counted from 0."""

    rows: frozenset[int] = frozenset()
    """Hidden rows."""
    columns: frozenset[int] = frozenset()
    """Hidden columns."""
    merged: tuple[Area, ...] = ()
    errors: tuple[tuple[int, int], ...] = ()
    """(row, column) of cells that hold an error ("#REF!", "#N/A"), the first `MAX_ERRORS` of them."""


@dataclass(frozen=True, slots=True)
class Details:
    """What calamine does not tell of a file."""

    by_index: Mapping[int, SheetDetails] = field(default_factory=dict)
    """Of the n-th worksheet (charts not counted)."""
    by_name: Mapping[str, SheetDetails] = field(default_factory=dict)
    fonts: frozenset[str] = frozenset()

    def of(self, index: int, name: str) -> SheetDetails:
        """The details of one worksheet."""
        return self.by_name.get(name) or self.by_index.get(index) or SheetDetails()


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one file may cost. Beyond: a refusal. docs/import.md says the same numbers."""

    file_bytes: int = 20 * 2**20
    unpacked_bytes: int = 200 * 2**20
    """Sum of a zip's members, as they unpack."""
    rows: int = 60_000
    """Used rows over all sheets."""
    columns: int = 200
    sheets: int = 100
    cell_chars: int = 32_767
    """Excel's own limit for one cell."""
    seconds: float = 60.0
    memory_bytes: int = 768 * 2**20
    """Address space of the process that reads. 60,000 rows with answers of 600 characters take 420 MiB; a damaged file
    that claims a cell in the last row and column would take any amount."""


BOUNDS = Bounds()
MAX_ERRORS = 200


def say_cell(cell: Cell) -> str:
    """A cell as a person reads it: 5.0 is "5", a date is "22/10/2021"."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "Có" if cell else "Không"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell).replace(".", ",")
    if isinstance(cell, datetime):
        return cell.strftime("%d/%m/%Y %H:%M") if cell.time() != time() else cell.strftime("%d/%m/%Y")
    if isinstance(cell, date):
        return cell.strftime("%d/%m/%Y")
    if isinstance(cell, time):
        return cell.strftime("%H:%M")
    if isinstance(cell, timedelta):
        minutes = int(cell.total_seconds()) // 60
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    return str(cell)
