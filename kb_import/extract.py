"""A table with a known layout → its rows of questions and answers.

Most rows have a question and an answer and are taken in one step; only the others are looked at one by one.
"""

from collections.abc import Iterable, Sequence
from itertools import islice, repeat
from typing import Any

from kb_import.columns import Role, find_header_word
from kb_import.days import read_days
from kb_import.found import FoundRow
from kb_import.header import SheetLayout
from kb_import.pieces import (
    SECTION_NUMBER,
    clean_answer,
    clean_question,
    find_section,
    is_answer_part,
    is_footer,
    is_question_part,
    split_phrasings,
    split_question_and_answer,
    split_question_lines,
)
from kb_import.problem import Problem, Severity
from kb_import.sheet import Cell, say_cell
from kb_import.table import Table

_MAX_SECTION_CHARS = 200


def extract(table: Table, layout: SheetLayout) -> tuple[list[FoundRow], list[Problem]]:
    """The rows under the header, in order, and what is wrong with some of them."""
    return _Extraction(table, layout).run()


def _filled(cells: Sequence[Cell], first: int) -> int:
    """How many cells from `first` on are not empty."""
    return max(0, len(cells) - first) - (cells.count("") - cells[:first].count(""))


def _holds(cells: Sequence[str], text: str, start: int, end: int) -> bool:
    """Is there such a cell? Without a copy of the cells."""
    try:
        return cells.index(text, start, end) >= 0
    except ValueError:
        return False


def _part(cells: Sequence[Any], start: int, end: int) -> Iterable[Any]:
    """Cells `start` to `end`, without a copy if they are most of all."""
    return islice(cells, start, end) if (end - start) * 2 > len(cells) else cells[start:end]


_NUMBERED_START = frozenset("CcHhQq0123456789")
"""First letters of a question that may carry a number or a word to take off ("Câu 12:", "Hỏi:", "12.")."""
_ANSWER_START = frozenset("TtĐđCc")
"""First letters of "Trả lời:", "TL:", "Đáp:", "Câu trả lời:"."""


class _Extraction:
    def __init__(self, table: Table, layout: SheetLayout) -> None:
        self._table, self._layout = table, layout
        self._rows: list[FoundRow] = []
        self._problems: list[Problem] = []
        self._section = ""
        self._section_row = 0
        self._pending: tuple[int, str] | None = None
        """A question whose answer must come in a later row of the same column."""
        self._continued: set[int] = set()
        self._fill_merged()
        self._both = Role.QUESTION_AND_ANSWER in layout.columns and Role.ANSWER not in layout.columns
        main = Role.QUESTION_AND_ANSWER if self._both else Role.QUESTION
        self._questions = self._texts(main)
        self._answers = [""] * table.height if self._both else self._texts(Role.ANSWER)
        self._numbers = self._cells(Role.NUMBER)
        self._has_numbers = _filled(self._numbers, layout.first) * 2 > _filled(self._questions, layout.first)
        self._main_letter = layout.letter(main)
        self._answer_letter = layout.letter(Role.ANSWER) or self._main_letter
        self._fields = self._texts(Role.FIELD)
        self._units = self._texts(Role.UNIT)
        self._places = self._texts(Role.PLACE)
        self._bases = self._texts(Role.LEGAL_BASIS)
        self._phrasings = self._texts(Role.PHRASINGS)
        self._days = read_days(table, layout)
        self._header_text = self._find_header_text()

    def run(self) -> tuple[list[FoundRow], list[Problem]]:
        """Whole stretches of rows with both question and answer at once, the rows between them one by one."""
        first, height = self._layout.first, self._table.height
        skipped, continued = self._table.skipped, self._continued
        odd: set[int] = set()
        if _holds(self._questions, "", first, height) or _holds(self._answers, "", first, height):
            both = zip(self._questions[first:], self._answers[first:], strict=True)
            odd = {index for index, (question, answer) in enumerate(both, first) if not (question and answer)}
        at = first
        for index in sorted(odd | {one for one in (*skipped, *continued) if first <= one < height}):
            self._take_many(at, index)
            at = index + 1
            if index in skipped:
                continue
            if index in continued:
                self._continue(index)
            elif self._both:
                self._take_both(index)
            else:
                self._take_odd(index)
        self._take_many(at, height)
        self._finish_pending()
        if self._section_row and (not self._rows or self._rows[-1].row < self._section_row):
            text = f"Dòng “{self._section[:60]}” ở cuối bảng không phải câu hỏi nên bỏ qua."
            self._note("left_out", self._section_row, text)
        return self._rows, self._problems

    def _take_many(self, start: int, end: int) -> None:
        """Rows `start` to `end`, all with question and answer. Columns with more than look-ups go row by row."""
        plain = not (self._fields or self._units or self._places or self._phrasings or self._days.bad)
        joined = "\x1f".join(_part(self._questions, start, end)) if plain else "\n"
        again = self._header_text and _holds(self._questions, self._header_text, start, end)
        if "\n" in joined or "  " in joined or again:
            for index in range(start, end):
                if not self._is_header_again(index):
                    self._take(index, self._questions[index], self._answers[index], plain)
            return
        count, days = end - start, self._days
        fields = (
            repeat(self._layout.sheet, count),
            range(self._table.row_number(start), self._table.row_number(end)),
            [clean_question(one) if one[0] in _NUMBERED_START else one for one in _part(self._questions, start, end)],
            [clean_answer(one) if one[0] in _ANSWER_START else one for one in _part(self._answers, start, end)],
            repeat((), count),
            repeat(self._section, count),
            _part(self._bases, start, end) if self._bases else repeat("", count),
            _part(days.confirmed, start, end) if days.confirmed else repeat(None, count),
            _part(days.valid_from, start, end) if days.valid_from else repeat(None, count),
            _part(days.valid_until, start, end) if days.valid_until else repeat(None, count),
            repeat("", count),
            repeat("", count),
        )
        self._rows.extend(map(tuple.__new__, repeat(FoundRow), zip(*fields, strict=True)))

    def _cells(self, role: Role) -> Sequence[Cell]:
        column = self._layout.columns.get(role)
        return self._table.columns[column] if column is not None else ()

    def _texts(self, role: Role) -> Sequence[str]:
        column = self._layout.columns.get(role)
        cells = self._cells(role)
        if column is not None and self._table.only_texts[column]:
            return cells  # type: ignore[return-value]
        return [one if type(one) is str else say_cell(one) for one in cells]

    def _fill_merged(self) -> None:
        """One answer merged over several rows stands in each of them; a question merged over
        several rows is one question."""
        column_of = {column: role for role, column in self._layout.columns.items()}
        for area in self._table.areas:
            if area.bottom == area.top or area.bottom < self._layout.first:
                continue
            role = column_of.get(area.left)
            value = self._table.columns[area.left][area.top]
            if role in {Role.QUESTION, Role.QUESTION_AND_ANSWER}:
                self._continued.update(range(area.top + 1, area.bottom + 1))
            elif role is not None and role is not Role.NUMBER:
                cells = self._table.columns[area.left]
                if not isinstance(cells, list):
                    cells = self._table.columns[area.left] = list(cells)
                for index in range(area.top + 1, area.bottom + 1):
                    if cells[index] == "":
                        cells[index] = value

    def _take(self, index: int, question: str, answer: str, plain: bool = False) -> None:
        """A row that has both. `plain`: the table has no columns that need more than a look-up."""
        phrasings: list[str] = []
        if "\n" in question:
            question, *phrasings = split_question_lines(question)
        elif question[0] in _NUMBERED_START or "  " in question:
            question = clean_question(question)
        if answer[0] in _ANSWER_START:
            answer = clean_answer(answer)
        subject, unit, place = self._section, "", ""
        if not plain:
            subject = (self._fields[index] if self._fields else "") or subject
            unit = self._units[index] if self._units else ""
            place = self._places[index] if self._places else ""
            if self._phrasings and self._phrasings[index]:
                phrasings += split_phrasings(self._phrasings[index])
        days = self._days
        if self._days.bad and index in self._days.bad:
            self._problems.extend(self._days.bad[index])
        self._rows.append(
            FoundRow(
                self._layout.sheet,
                self._table.top + index + 1,
                question,
                answer,
                tuple(one for one in dict.fromkeys(phrasings) if one != question) if phrasings else (),
                subject,
                self._bases[index] if self._bases else "",
                days.confirmed[index] if days.confirmed else None,
                days.valid_from[index] if days.valid_from else None,
                days.valid_until[index] if days.valid_until else None,
                place,
                unit,
            )
        )

    def _take_both(self, index: int) -> None:
        """A cell that holds question and answer, or one of them with the other in the next row."""
        text = self._questions[index]
        if not text:
            return
        if pair := split_question_and_answer(text):
            self._finish_pending()
            self._take(index, *pair)
        elif is_answer_part(text) and self._pending:
            asked, question = self._pending
            self._pending = None
            self._take(asked, question, clean_answer(text))
        elif is_question_part(text) or (text.rstrip().endswith("?") and not self._pending):
            self._finish_pending()
            self._pending = (index, clean_question(text))
        elif self._pending is None and self._rows and not self._maybe_section(index, text):
            if is_footer(text):
                self._note(
                    "left_out",
                    self._table.row_number(index),
                    f"Dòng “{text[:60]}” dưới bảng không phải câu hỏi nên bỏ qua.",
                )
            else:
                self._append_answer(text, index)
        elif self._pending is not None:
            asked, question = self._pending
            self._pending = None
            self._take(asked, question, text)
        elif not self._rows:
            self._maybe_section(index, text)

    def _finish_pending(self) -> None:
        if self._pending is not None:
            index, question = self._pending
            self._pending = None
            self._error(
                "empty_answer",
                index,
                f"Câu hỏi “{question[:60]}” chưa có câu trả lời. Hãy điền câu trả lời.",
                self._main_letter,
            )

    def _continue(self, index: int) -> None:
        """A row under a question that is merged over several rows: its answer goes on."""
        answer = self._answers[index] if not self._both else ""
        if answer and self._rows:
            self._append_answer(answer, index, silently=True)

    def _append_answer(self, text: str, index: int, *, silently: bool = False) -> None:
        last = self._rows[-1]
        if text in last.answer.split("\n") or text == last.answer:
            return
        basis = self._bases[index] if self._bases else ""
        joined = (
            last.legal_basis if not basis or basis in last.legal_basis else f"{last.legal_basis}; {basis}".strip("; ")
        )
        self._rows[-1] = last._replace(answer=f"{last.answer}\n{text}", legal_basis=joined)
        if not silently:
            self._note(
                "joined",
                self._table.row_number(index),
                f"Dòng này không có câu hỏi nên được nối vào câu trả lời của dòng {last.row}.",
                self._answer_letter,
            )

    def _take_odd(self, index: int) -> None:
        """A row without a question, without an answer, or with neither."""
        question, answer = self._questions[index], self._answers[index]
        number = say_cell(self._numbers[index]) if self._numbers else ""
        row = self._table.row_number(index)
        if answer:  # no question
            if is_footer(answer):
                self._note("left_out", row, f"Dòng “{answer[:60]}” dưới bảng không phải câu hỏi nên bỏ qua.")
            elif not number and self._rows and self._rows[-1].row == self._row_above(index):
                self._append_answer(answer, index)
            else:
                letter = self._layout.letter(Role.QUESTION)
                self._error(
                    "empty_question",
                    index,
                    "Có câu trả lời nhưng thiếu câu hỏi. Hãy điền câu hỏi hoặc xoá dòng.",
                    letter,
                )
            return
        others = [say_cell(one) for one in self._table.row(index) if one != ""]
        if not others:
            return
        if question:
            if self._is_section(index, question, number):
                self._open_section(index, find_section(question) or question)
            elif pair := split_question_and_answer(question):
                self._take(index, *pair)
            elif is_footer(question) and not number:
                self._note("left_out", row, f"Dòng “{question[:60]}” dưới bảng không phải câu hỏi nên bỏ qua.")
            else:
                self._error(
                    "empty_answer",
                    index,
                    "Câu hỏi chưa có câu trả lời. Hãy điền câu trả lời, hoặc gộp ô (Merge) nếu dùng "
                    "chung với dòng trên.",
                    self._answer_letter,
                )
            return
        wordy = [one for one in others if any(char.isalpha() for char in one) and len(one) > 1]
        if len(wordy) == 1 and not is_footer(wordy[0]) and len(wordy[0]) <= _MAX_SECTION_CHARS:
            self._open_section(index, find_section(wordy[0]) or wordy[0])
        elif wordy:
            self._note("left_out", row, f"Dòng “{wordy[0][:60]}” không có câu hỏi và câu trả lời nên bỏ qua.")

    def _row_above(self, index: int) -> int:
        """The nearest row above that is not joined to another, as the spreadsheet numbers it."""
        above = index - 1
        while above > self._layout.first and not self._questions[above] and self._answers[above]:
            above -= 1
        return self._table.row_number(above)

    def _is_section(self, index: int, text: str, number: str) -> bool:
        if "?" in text or len(text) > _MAX_SECTION_CHARS:
            return False
        if SECTION_NUMBER.match(number) and number:
            return True
        if number:
            follower = next((say_cell(one) for one in self._numbers[index + 1 : index + 4] if one != ""), "")
            return follower.startswith(number.rstrip(".") + ".")
        if find_section(text) is not None or self._is_wide(index):
            return True
        return self._has_numbers or text.isupper()

    def _is_wide(self, index: int) -> bool:
        """Is the row's question cell merged across columns, as headings are?"""
        return any(area.top <= index <= area.bottom and area.right > area.left for area in self._table.areas)

    def _maybe_section(self, index: int, text: str) -> bool:
        title = find_section(text)
        if title is None:
            return False
        self._open_section(index, title)
        return True

    def _open_section(self, index: int, title: str) -> None:
        self._section, self._section_row = title.strip(), self._table.row_number(index)

    def _is_header_again(self, index: int) -> bool:
        """Is this the header repeated, as on each printed page?"""
        return bool(self._header_text) and self._questions[index] == self._header_text

    def _find_header_text(self) -> str:
        """What the header says above the questions, if it is a header's word; else ""."""
        column = self._layout.columns.get(Role.QUESTION)
        if column is None or self._layout.header is None:
            return ""
        text = say_cell(self._table.columns[column][self._layout.header])
        return text if find_header_word(text) else ""

    def _error(self, code: str, index: int, message: str, column: str | None) -> None:
        self._problems.append(
            Problem(Severity.ERROR, code, message, self._layout.sheet, self._table.row_number(index), column)
        )

    def _note(self, code: str, row: int, message: str, column: str | None = None) -> None:
        self._problems.append(Problem(Severity.NOTE, code, message, self._layout.sheet, row, column))
