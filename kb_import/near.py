"""Questions that mean nearly the same as one that is live, in this bank or another unit's: by sentence vectors."""

from collections.abc import Mapping, Sequence

import numpy as np

from faq.embed import FloatArray
from faq.entry import EntryRecord
from faq.normalise import Abbreviations, canonical, words_of
from kb_import.columns import Role
from kb_import.found import FoundRow
from kb_import.header import SheetLayout
from kb_import.keys import keys_of
from kb_import.problem import Problem, Severity
from kb_import.validate import letter_of

NEAR = 0.945
"""Cosine of multilingual-e5-small from which two short Vietnamese questions are nearly always one question."""
_ROWS_AT_ONCE = 512


def dense_text(question: str, table: Abbreviations) -> str:
    """A question as the embedder reads it: the same text that the answers room stores a vector for."""
    return " ".join(canonical(words_of(question), table))


def find_near(
    rows: Sequence[FoundRow],
    live: Sequence[EntryRecord],
    vectors: Mapping[str, FloatArray],
    layouts: Sequence[SheetLayout],
    own: frozenset[int],
    table: Abbreviations,
) -> list[Problem]:
    """Warnings for rows that repeat one another in other words, or a live entry that they don't stand for.

    `own`: ids of the entries of this bank that the file's rows were matched to; those are no finding.
    """
    where = {one.sheet: one for one in layouts}
    texts = [dense_text(row.question, table) for row in rows]
    usable = [index for index, text in enumerate(texts) if text in vectors]
    if not usable:
        return []
    matrix = np.stack([vectors[texts[index]] for index in usable])
    others = [(one, dense_text(one.draft.question, table)) for one in live if one.id not in own]
    others = [(one, text) for one, text in others if text in vectors]
    problems: list[Problem] = []
    keys = keys_of([row.question for row in rows])
    known = np.stack([vectors[text] for _, text in others]) if others else None
    for start in range(0, len(usable), _ROWS_AT_ONCE):
        block = matrix[start : start + _ROWS_AT_ONCE]
        within = block @ matrix.T
        beyond = block @ known.T if known is not None else None
        for offset in range(len(block)):
            index = usable[start + offset]
            row = rows[index]
            letter = letter_of(where.get(row.sheet), Role.QUESTION)
            earlier = [int(one) for one in np.flatnonzero(within[offset] >= NEAR) if one < start + offset]
            twins = [usable[one] for one in earlier if keys[usable[one]] != keys[index]]
            if twins:
                problems.append(_within(row, rows[twins[0]], letter))
            if beyond is not None and beyond.shape[1]:
                best = int(beyond[offset].argmax())
                if beyond[offset][best] >= NEAR:
                    problems.append(_beyond(row, others[best][0], letter))
    return problems


def _within(row: FoundRow, other: FoundRow, letter: str | None) -> Problem:
    message = (
        f"Câu hỏi gần giống dòng {other.row}: “{other.question[:80]}”. "
        "Nếu là một, hãy gộp lại và ghi cách hỏi này vào cột “Câu hỏi tương tự”."
    )
    return Problem(Severity.WARNING, "near_duplicate", message, row.sheet, row.row, letter)


def _beyond(row: FoundRow, entry: EntryRecord, letter: str | None) -> Problem:
    same = keys_of([row.answer]) == keys_of([entry.draft.answer])
    ending = (
        "Câu trả lời giống nhau, nên chỉ giữ một nơi."
        if same
        else "Hai câu trả lời khác nhau: hãy thống nhất để người dân không nhận hai câu trả lời."
    )
    message = f"Câu hỏi trùng hoặc gần giống câu của {entry.unit_name}: “{entry.draft.question[:80]}”. {ending}"
    return Problem(Severity.WARNING, "near_duplicate", message, row.sheet, row.row, letter)
