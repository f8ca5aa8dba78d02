"""The unit of work of an import: one question with its answer."""

from datetime import date
from typing import NamedTuple


class FoundRow(NamedTuple):
    """One question with its answer, as the file has it, repaired."""

    sheet: str
    row: int
    """Row of the question, as the spreadsheet numbers it."""
    question: str
    answer: str
    phrasings: tuple[str, ...] = ()
    field: str = ""
    """Subject field in the file's own words: its column, else the section it stands under, else the sheet's name."""
    legal_basis: str = ""
    confirmed_on: date | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    place: str = ""
    unit: str = ""
