"""Which columns hold what: by the header's words, by a person's mapping, or as a proposal that
somebody must confirm."""

import re
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass

from kb_import.columns import HeaderWord, Mapping, Role, find_header_word, fold_header
from kb_import.pieces import QUESTION_AND_ANSWER, is_answer_part, is_question_part
from kb_import.problem import column_letter
from kb_import.sheet import Cell
from kb_import.table import Table

_HEADER_ROWS = 60
"""How far down a header is looked for: some files have a page of preamble."""
_ASKING = re.compile(
    r"\?|(?:\b(?:không|nào|gì|ở đâu|bao nhiêu|bao lâu|như thế nào|thế nào|khi nào|làm sao|vì sao|tại sao|ai)\b)",
    re.IGNORECASE,
)
_MAIN = frozenset({Role.QUESTION, Role.ANSWER, Role.QUESTION_AND_ANSWER})
_COLUMN_NUMBER = re.compile(r"\(?\d{1,2}\)?")


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """Where a sheet's table is and what its columns hold; columns relative to the table's left edge."""

    sheet: str
    columns: AnyMapping[Role, int]
    header: int | None
    """Relative row of the header; None: there is none and the first row is data."""
    first: int
    """Relative row where data starts."""
    certain: bool
    signature: str
    """The header's words, folded: by it a unit's mapping is remembered for its next file."""
    left: int = 0
    top: int = 0

    @property
    def header_row(self) -> int:
        """As the spreadsheet numbers it; 0: no header."""
        return 0 if self.header is None else self.top + self.header + 1

    def letter(self, role: Role) -> str | None:
        """The letter of the column that holds `role`."""
        return column_letter(self.left + self.columns[role]) if role in self.columns else None

    def as_mapping(self) -> Mapping:
        """The same as a mapping that could be typed."""
        columns = tuple(sorted((self.left + index, role) for role, index in self.columns.items()))
        return Mapping(columns, self.header_row, self.sheet)


def find_layout(table: Table, mapping: Mapping | None = None) -> SheetLayout | None:
    """The sheet's layout, certain or proposed; None when the sheet holds no table of questions and answers."""
    if mapping is not None:
        return _mapped(table, mapping)
    found = _find_header(table)
    if found is not None:
        index, words = found
        words, under = _with_row_below(table, index, words)
        roles = _roles(words)
        certain = all(_is_certain(words[column]) for column in roles.values())
        certain &= sum(one is not None and one.role in {Role.QUESTION, Role.ANSWER} for one in words) <= 2
        if _has_lone_answer(roles):
            roles, certain = _with_question(roles), False
        if Role.QUESTION_AND_ANSWER in roles or {Role.QUESTION, Role.ANSWER} <= roles.keys():
            return _layout(table, roles, index, certain, under)
        first = _first_data(table, index + under)
        if proposed := _propose(table, first, roles):
            return _layout(table, proposed, index, False, under)
    column = _question_and_answer_column(table)
    if column is not None:
        return _layout(table, {Role.QUESTION_AND_ANSWER: column}, None, certain=True)
    proposed = _propose(table, 0, {})
    return _layout(table, proposed, _unknown_header(table, proposed), certain=False) if proposed else None


def _unknown_header(table: Table, roles: AnyMapping[Role, int]) -> int | None:
    """The first row of several cells, when it does not ask and nearly all below it do: a header in
    words we don't know."""
    column = table.columns[roles[Role.QUESTION]]
    for index in range(min(table.height, _HEADER_ROWS)):
        if sum(one != "" for one in table.row(index)) < 2:
            continue
        below = _texts(column, index + 1)
        asking = sum(bool(_ASKING.search(one)) for one in below)
        first = column[index]
        plain = isinstance(first, str) and len(first) <= 60 and not _ASKING.search(first)
        return index if plain and below and asking >= len(below) * 0.6 else None
    return None


def _layout(
    table: Table, roles: AnyMapping[Role, int], header: int | None, certain: bool, under: int = 0
) -> SheetLayout:
    """`under`: rows below the header that belong to it."""
    first = 0 if header is None else _first_data(table, header + under)
    return SheetLayout(
        table.name, dict(roles), header, first, certain, _signature(table, header), table.left, table.top
    )


def _signature(table: Table, header: int | None) -> str:
    if header is None:
        return f"no header, {len(table.columns)} columns from {column_letter(table.left)}"
    return " | ".join(fold_header(str(cell)) for cell in table.row(header))


def _mapped(table: Table, mapping: Mapping) -> SheetLayout | None:
    roles = {
        role: column - table.left for column, role in mapping.columns if 0 <= column - table.left < len(table.columns)
    }
    roles.pop(Role.IGNORED, None)
    if _has_lone_answer(roles):
        roles = _with_question(roles)
    if Role.QUESTION_AND_ANSWER not in roles and not {Role.QUESTION, Role.ANSWER} <= roles.keys():
        return None
    header: int | None
    if mapping.header_row is None:
        found = _find_header(table, least=1)
        header = found[0] if found else None
    else:
        header = mapping.header_row - 1 - table.top
        header = header if 0 <= header < table.height else None
    return _layout(table, roles, header, certain=True)


def _find_header(table: Table, least: int = 2) -> tuple[int, list[HeaderWord | None]] | None:
    """The row that looks most like a header, if one has at least `least` cells of known words."""
    best: tuple[float, int, list[HeaderWord | None]] | None = None
    for index in range(min(table.height, _HEADER_ROWS)):
        if index in table.skipped:
            continue
        cells = table.row(index)
        words = [find_header_word(cell) if isinstance(cell, str) else None for cell in cells]
        roles = {one.role for one in words if one}
        if sum(one != "" for one in cells) < least and Role.QUESTION_AND_ANSWER not in roles:
            continue
        known = [one for one in words if one]
        if not roles & {Role.QUESTION, Role.ANSWER, Role.QUESTION_AND_ANSWER} and sum(map(_is_certain, words)) < 2:
            continue
        if len(known) < least and Role.QUESTION_AND_ANSWER not in roles:
            continue
        weight = sum(1.0 if one.certain else 0.6 for one in known) + 2.0 * len({Role.QUESTION, Role.ANSWER} & roles)
        if best is None or weight > best[0]:
            best = (weight, index, words)
        if {Role.QUESTION, Role.ANSWER} <= {one.role for one in known if one.certain}:
            break  # nothing further down can be more of a header
    return best[1:] if best else None


_UNDER_VALIDITY = {
    **dict.fromkeys(("tu", "bat dau", "tu ngay"), HeaderWord(Role.VALID_FROM, True)),
    **dict.fromkeys(("den", "ket thuc", "den ngay", "het"), HeaderWord(Role.VALID_UNTIL, True)),
}


def _with_row_below(table: Table, index: int, words: list[HeaderWord | None]) -> tuple[list[HeaderWord | None], int]:
    """A header of two rows: "Thời gian hiệu lực" over "Từ ngày" and "Đến ngày". The words as they are meant, and how
    many rows more the header takes."""
    below = index + 1
    if below >= table.height or below in table.skipped:
        return words, 0
    main = [column for column, one in enumerate(words) if one and one.role in _MAIN]
    cells = table.row(below)
    if not main or any(cells[column] != "" for column in main):
        return words, 0
    joined, found = list(words), False
    spans_validity = False
    for column, cell in enumerate(cells):
        above = words[column]
        if above is not None or table.columns[column][index] != "":
            spans_validity = above is not None and above.role is Role.VALIDITY
        text = fold_header(cell) if isinstance(cell, str) else ""
        word = (_UNDER_VALIDITY.get(text) if spans_validity else None) or (find_header_word(text) if text else None)
        if word is not None and word.certain and word.role not in _MAIN:
            joined[column], found = word, True
    return (joined, 1) if found else (words, 0)


def _roles(words: Sequence[HeaderWord | None]) -> dict[Role, int]:
    """The first column of each role; a certain word before an uncertain one."""
    roles: dict[Role, int] = {}
    for column, one in enumerate(words):
        if one is None or one.role is Role.IGNORED:
            continue
        known = roles.get(one.role)
        if known is None or (one.certain and not _is_certain(words[known])):
            roles[one.role] = column
    return roles


def _has_lone_answer(roles: AnyMapping[Role, int]) -> bool:
    """ "Hỏi đáp" beside "Trả lời": the answers have a column of their own, so the other one holds questions only."""
    return {Role.QUESTION_AND_ANSWER, Role.ANSWER} <= roles.keys() and Role.QUESTION not in roles


def _with_question(roles: AnyMapping[Role, int]) -> dict[Role, int]:
    """The same with the column of both as the column of questions."""
    return {Role.QUESTION if role is Role.QUESTION_AND_ANSWER else role: column for role, column in roles.items()}


def _is_certain(word: HeaderWord | None) -> bool:
    return word is not None and word.certain


def _first_data(table: Table, header: int) -> int:
    """The row after the header, beyond cells merged with it and a row of column numbers ("(1) (2) (3)")."""
    first = header + 1
    for area in table.areas:
        if area.top <= header <= area.bottom and area.left <= area.right:
            first = max(first, area.bottom + 1)
    while first < table.height:
        texts = [str(one).strip() for one in table.row(first) if one != ""]
        if len(texts) >= 2 and all(_COLUMN_NUMBER.fullmatch(one) for one in texts):
            first += 1
            continue
        break
    return first


def _texts(column: Sequence[Cell], first: int) -> list[str]:
    return [one for one in column[first : first + 400] if isinstance(one, str) and len(one.strip()) > 1]


def _propose(table: Table, first: int, known: AnyMapping[Role, int]) -> dict[Role, int] | None:
    """Question and answer by what the columns look like: the asking one, and the longest of the others."""
    texts = {index: _texts(column, first) for index, column in enumerate(table.columns)}
    rows = max((len(one) for one in texts.values()), default=0)
    wordy = {index: one for index, one in texts.items() if len(one) >= max(1, rows * 0.3) and _mean(one) >= 8}
    taken = set(known.values())
    roles = dict(known)
    if Role.QUESTION not in roles:
        asking = {
            index: sum(bool(_ASKING.search(text)) for text in one) / len(one)
            for index, one in wordy.items()
            if index not in taken
        }
        best = max(asking, key=lambda index: (asking[index], -index), default=None)
        if best is None or asking[best] < 0.3:
            return None
        roles[Role.QUESTION] = best
        taken.add(best)
    if Role.ANSWER not in roles:
        others = [index for index in wordy if index not in taken]
        if not others:
            return None
        roles[Role.ANSWER] = max(others, key=lambda index: _mean(wordy[index]))
    return roles


def _mean(texts: Sequence[str]) -> float:
    return sum(map(len, texts)) / len(texts) if texts else 0.0


def _question_and_answer_column(table: Table) -> int | None:
    """The column whose cells read "Hỏi: … Đáp: …"."""
    for index, column in enumerate(table.columns):
        texts = [one for one in _texts(column, 0) if len(one) > 12]
        hits = sum(bool(QUESTION_AND_ANSWER.match(one)) for one in texts)
        asked, told = sum(map(is_question_part, texts)), sum(map(is_answer_part, texts))
        if min(asked, told) >= 2 and asked + told >= len(texts) * 0.6:
            return index
        if hits >= 1 and hits >= len(texts) * 0.5:
            return index
    return None
