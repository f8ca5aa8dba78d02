"""What one file says: the result of read → layout → validate, everything an import needs to know of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from kb_import.columns import Mapping
from kb_import.found import FoundRow
from kb_import.header import SheetLayout
from kb_import.keys import keys_of
from kb_import.layout import Proposal, Shown, SkippedSheet, find_rows
from kb_import.problem import Problem, Severity
from kb_import.read import read
from kb_import.sheet import BOUNDS, Bounds, FileKind
from kb_import.validate import validate, without_repetitions


@dataclass(frozen=True, slots=True)
class ReadingOrder:
    """What to read by: a person's mappings, the unit's earlier ones, and today's date."""

    today: date
    mappings: tuple[Mapping, ...] = ()
    remembered: tuple[tuple[str, Mapping], ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A file, understood."""

    kind: FileKind
    rows: tuple[FoundRow, ...]
    """Each question once."""
    layouts: tuple[SheetLayout, ...]
    proposals: tuple[Proposal, ...]
    conversions: tuple[Shown, ...]
    problems: tuple[Problem, ...]
    skipped: tuple[SkippedSheet, ...] = ()
    """Sheets that a person left out."""

    @property
    def is_broken(self) -> bool:
        """Is there anything that must be mended first?"""
        return any(one.severity is Severity.ERROR for one in self.problems)


def read_file(content: bytes, order: ReadingOrder, bounds: Bounds = BOUNDS) -> Reading:
    """The whole way from bytes to rows. Raises FileRefused."""
    workbook = read(content, bounds)
    found = find_rows(workbook, order.mappings, order.remembered)
    questions = [row.question for row in found.rows]
    keys = keys_of(questions)
    problems = [*found.problems, *validate(found.rows, questions, keys, found.layouts, order.today)]
    if found.layouts and not found.rows and not found.proposals and not _has_error(problems):
        problems.append(
            Problem(Severity.ERROR, "no_rows", "Bảng chưa có câu hỏi nào. Hãy điền dữ liệu dưới dòng tiêu đề.")
        )
    return Reading(
        workbook.kind,
        tuple(without_repetitions(found.rows, keys)),
        found.layouts,
        found.proposals,
        found.conversions,
        tuple(problems),
        found.skipped,
    )


def _has_error(problems: Sequence[Problem]) -> bool:
    return any(one.severity is Severity.ERROR for one in problems)
