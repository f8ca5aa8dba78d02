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
from nlu_data.vi_nlu.text import is_syllable

NEAR = 0.85
"""Cosine of the shipped sentence model from which two questions may be one. On the sample banks ten pairs of questions
that merely share their subject reach it, so the words must agree as well (`is_one_matter`)."""
_ASKING = (
    ("bao nhiêu", "mấy", "mức"),
    ("bao lâu", "khi nào", "lúc nào", "thời hạn", "bao giờ"),
    ("ở đâu", "đến đâu", "nơi nào", "chỗ nào", "đâu"),
    ("thế nào", "cách nào", "ra sao", "làm sao", "thủ tục"),
    ("vì sao", "tại sao"),
    ("là gì", "làm gì", "những gì", "gì"),
    (" ai ", "đối tượng nào", "người nào"),
    ("chưa",),
)
"""What is asked for, by the words that ask it; "chưa" turns a question round."""
_TURNED = len(_ASKING) - 1
_SMALL_WORDS = frozenset(
    (
        "ạ", "à", "ơi", "cho", "của", "là", "có", "được", "bị", "thì", "và", "với", "những", "các", "một", "tôi",
        "em", "mình", "muốn", "xin", "hỏi", "về", "khi", "phải", "cần", "ở", "tại", "trong", "để", "từ", "đến",
        "này", "đó", "nào", "gì", "đâu", "không", "như", "ra", "thế", "sao", "bao", "nhiêu", "lâu", "mấy", "covid",
        "19", "hay", "hoặc", "rồi", "mà", "do", "theo", "việc",
    )
)  # fmt: skip
_ROWS_AT_ONCE = 512


def dense_text(question: str, table: Abbreviations) -> str:
    """A question as the embedder reads it: the same text that the answers room stores a vector for."""
    return " ".join(canonical(words_of(question), table))


def is_one_matter(one: str, other: str) -> bool:
    """Do two questions with near vectors ask the same? Both as `dense_text` gives them. Pure.

    Names and numbers agree, what is asked for agrees, and one of them has at most one telling word that the
    other lacks.
    """
    first, second = set(one.split()) - _SMALL_WORDS, set(other.split()) - _SMALL_WORDS
    if {word for word in first ^ second if not is_syllable(word) or not word.isalpha()}:
        return False
    if min(len(first - second), len(second - first)) > 1:
        return False
    asked, wanted = _asked(one), _asked(other)
    differing = asked ^ wanted
    return not differing or (bool(asked & wanted) and len(differing) == 1 and _TURNED not in differing)


def _asked(text: str) -> set[int]:
    return {number for number, words in enumerate(_ASKING) if any(word in f" {text} " for word in words)}


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
            twins = [
                usable[one]
                for one in earlier
                if keys[usable[one]] != keys[index] and is_one_matter(texts[index], texts[usable[one]])
            ]
            if twins:
                problems.append(_within(row, rows[twins[0]], letter))
            if beyond is not None and beyond.shape[1]:
                for best in (int(one) for one in beyond[offset].argsort()[::-1][:5]):
                    if beyond[offset][best] < NEAR:
                        break
                    if is_one_matter(texts[index], others[best][1]):
                        problems.append(_beyond(row, others[best][0], letter))
                        break
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
