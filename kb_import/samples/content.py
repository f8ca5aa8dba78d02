"""What the sample question banks say: `content/*.yml` as frozen types.

The .xls files beside this module are made from it by `build.py`. The citizens' own wordings (`asked`) and the questions
that no bank answers (`unanswerable`) are not in the .xls files: they are labelled questions to set thresholds from.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

SAMPLES_DIR: Final = Path(__file__).parent
CONTENT_DIR: Final = SAMPLES_DIR / "content"

# Subject field of the plan → the end of its file's name, so that a folder listing tells what is inside.
FIELD_SLUGS: Final = {
    1: "tinh_hinh_chung",
    2: "dich_te_cach_ly",
    3: "dich_te_dia_phuong",
    4: "y_te_xet_nghiem_tiem_chung",
    5: "an_sinh_xa_hoi",
    6: "cuu_tro_nhan_dao",
    7: "giao_thong_van_tai",
    8: "luu_thong_hang_hoa",
    9: "an_ninh_trat_tu",
    10: "thong_tin_cong_nghe",
}


class SampleRefused(ValueError):
    """A content file is not what the schema asks for; the message names the file and the place in it."""


def _clean(value: object) -> object:
    """Text without blanks at its ends, in NFC, as every other text of the system."""
    return unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else value


def _day(value: object) -> object:
    """A day written as the departments write it, dd/mm/yyyy; anything else is left for the validator to refuse."""
    if not isinstance(value, str):
        return value
    return datetime.strptime(value.strip(), "%d/%m/%Y").date()  # noqa: DTZ007 - a calendar day has no zone


Text = Annotated[str, BeforeValidator(_clean)]
Day = Annotated[date, BeforeValidator(_day)]


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """One row of a sample bank."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    question: Text
    answer: Text
    legal_basis: Text
    updated: Day
    asked: tuple[Text, ...]  # how citizens would ask it; labelled questions, never in the .xls
    phrasings: tuple[Text, ...] = ()  # "Cách hỏi khác"; in the .xls only where the layout has the column
    section: Text | None = None  # a heading row that stands above this entry


@dataclass(frozen=True, slots=True)
class SampleBank:
    """One sample question bank: a unit's questions and answers in one subject field."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    unit: Text
    field: int
    entries: tuple[SampleEntry, ...]
    unanswerable: tuple[Text, ...]  # near this field, answered by none of the banks
    title: Text = ""
    title_rows: tuple[Text, ...] = ()

    @property
    def rows_above_header(self) -> tuple[str, ...]:
        """The title as it stands above the table, one string a row."""
        return self.title_rows or (self.title,)

    @property
    def file_name(self) -> str:
        """Name of the .xls file, stable from build to build."""
        return f"{self.field:02d}_{self.unit}_{FIELD_SLUGS[self.field]}.xls"

    @property
    def path(self) -> Path:
        """Where the committed .xls file lies."""
        return SAMPLES_DIR / self.file_name


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A citizen's wording and the bank question that answers it, or None when no bank does."""

    text: str
    answered_by: str | None
    field: int


_BANK: Final = TypeAdapter(SampleBank)


def load_samples(folder: Path = CONTENT_DIR) -> tuple[SampleBank, ...]:
    """All sample banks, in the order of their subject fields. Raises SampleRefused."""
    banks = [_load_bank(path) for path in sorted(folder.glob("*.yml"))]
    return tuple(sorted(banks, key=lambda bank: bank.field))


def labelled_questions(banks: tuple[SampleBank, ...]) -> Iterator[LabelledQuestion]:
    """Every citizen's wording of `banks` with its right answer, then the questions without one."""
    for bank in banks:
        for entry in bank.entries:
            for text in entry.asked:
                yield LabelledQuestion(text, entry.question, bank.field)
        for text in bank.unanswerable:
            yield LabelledQuestion(text, None, bank.field)


def _load_bank(path: Path) -> SampleBank:
    try:
        bank = _BANK.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as wrong:
        raise SampleRefused(f"{path.name}: {wrong}") from wrong
    if bank.field not in FIELD_SLUGS:
        raise SampleRefused(f"{path.name}: field {bank.field} is not a subject field of the plan")
    return bank
