"""How each department lays out its table: the small differences that real files have.

An importer that reads these ten reads what the units really send: titles above the header, other words for the same
column, heading rows inside the table, dates as text or as Excel dates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from kb_import.samples.content import SampleBank


class Column(Enum):
    """What a column holds."""

    NUMBER = "number"
    QUESTION = "question"
    PHRASINGS = "phrasings"
    ANSWER = "answer"
    LEGAL_BASIS = "legal_basis"
    UPDATED = "updated"


@dataclass(frozen=True, slots=True)
class Layout:
    """One department's way to lay out its table."""

    sheet: str
    headers: Mapping[Column, str]  # in the order of the columns
    widths: tuple[int, ...]  # characters, one for each column
    merged_titles: bool = True
    blank_rows_above_header: int = 1
    first_column: int = 0  # 1: the table starts in column B
    dates_as_cells: bool = False  # True: Excel date cells, otherwise dd/mm/yyyy text
    header_fill: bool = False
    font: str = "Times New Roman"
    font_points: int = 12


def _headers(
    *,
    number: str = "STT",
    question: str = "Câu hỏi",
    answer: str = "Nội dung trả lời",
    legal_basis: str = "Căn cứ",
    updated: str = "Cập nhật ngày",
) -> dict[Column, str]:
    return {
        Column.NUMBER: number,
        Column.QUESTION: question,
        Column.ANSWER: answer,
        Column.LEGAL_BASIS: legal_basis,
        Column.UPDATED: updated,
    }


_USUAL_WIDTHS: Final = (6, 45, 90, 40, 15)
_USUAL: Final = Layout("Bộ câu hỏi", _headers(), _USUAL_WIDTHS)

# The bank of CDC keeps similar wordings beside each question, one a line.
_WITH_PHRASINGS: Final = {
    Column.NUMBER: "STT",
    Column.QUESTION: "Câu hỏi",
    Column.PHRASINGS: "Câu hỏi tương tự",
    Column.ANSWER: "Nội dung trả lời",
    Column.LEGAL_BASIS: "Căn cứ",
    Column.UPDATED: "Cập nhật ngày",
}

_BY_FIELD: Final[Mapping[int, Layout]] = {
    1: Layout("Bộ câu hỏi", _headers(), _USUAL_WIDTHS, header_fill=True),
    2: Layout("SYT", _headers(), _USUAL_WIDTHS, dates_as_cells=True),
    3: Layout("TP Thanh Hóa", _headers(), (5, 40, 80, 35, 14), merged_titles=False, blank_rows_above_header=0),
    4: Layout("CDC", _WITH_PHRASINGS, (5, 40, 35, 80, 35, 14), header_fill=True),
    5: Layout(
        "Chính sách hỗ trợ",
        _headers(question="Nội dung câu hỏi", answer="Trả lời", legal_basis="Căn cứ pháp lý"),
        (6, 50, 95, 45, 15),
        blank_rows_above_header=2,
    ),
    6: Layout("Sheet1", _headers(), _USUAL_WIDTHS, merged_titles=False, font="Arial", font_points=11),
    7: Layout("GTVT", _headers(number="TT"), _USUAL_WIDTHS),
    8: Layout("SCT", _headers(updated="Ngày cập nhật"), (6, 45, 85, 40, 16), header_fill=True, font_points=13),
    9: Layout("Công an tỉnh", _headers(), _USUAL_WIDTHS, first_column=1),
    10: Layout("Hỏi đáp", _headers(), _USUAL_WIDTHS, font="Calibri", font_points=11),
}


def layout_of(bank: SampleBank) -> Layout:
    """The layout that the unit of `bank` uses."""
    return _BY_FIELD.get(bank.field, _USUAL)
