"""What an entry of a question bank is, as other rooms see it."""

from dataclasses import dataclass, field
from datetime import date

from bot.contracts.ids import BankId, EntryId, SubjectId, UnitCode


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """The content of an entry, as an import or an editor gives it."""

    question: str
    answer: str
    phrasings: tuple[str, ...] = ()
    subject: SubjectId | None = None
    legal_basis: str = ""
    confirmed_on: date | None = None
    """The day the unit last confirmed the answer ("Cập nhật ngày")."""
    valid_from: date | None = None
    valid_until: date | None = None
    """The last day on which the answer may be sent."""
    place: str | None = None
    """Administrative code of the place it holds for; None: the whole province."""


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """A live entry as stored."""

    id: EntryId
    bank: BankId
    unit: UnitCode
    unit_name: str
    version: int
    draft: EntryDraft = field(repr=False)
