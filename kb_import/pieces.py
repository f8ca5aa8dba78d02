"""The small patterns inside cells: "Câu 12:", "Hỏi: … Đáp: …", several phrasings in one cell, section headings."""

import re

from nlu_data.vi_nlu.text import fold

QUESTION_AND_ANSWER = re.compile(
    r"""^\s*(?:câu(?:\s+hỏi)?\s*(?:số\s*)?\d*\s*[:.)\-]?\s*)?(?:(?:câu\s+)?hỏi|h|q)?\s*\d*\s*[:.)]?\s*
        (?P<question>\S.*?)
        (?:\s*\n\s*|\s+)(?:\*\s*|-\s*)?(?:câu\s+)?(?:đáp(?:\s+án)?|trả\s+lời|tl)\s*[:.]\s*
        (?P<answer>\S.*)$""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_QUESTION_ONLY = re.compile(
    r"^\s*(?:câu(?:\s+hỏi)?\s*(?:số\s*)?\d*\s*[:.)]\s*)?(?:câu\s+)?(?:hỏi|câu\s+hỏi|câu)\s*\d*\s*[:.]", re.IGNORECASE
)
_ANSWER_ONLY = re.compile(r"^\s*(?:đáp(?:\s+án)?|(?:câu\s+)?trả\s+lời|tl)\s*[:.]\s*", re.IGNORECASE)
_NUMBERED = re.compile(
    r"^\s*(?:câu(?:\s+hỏi)?\s*(?:số\s*)?\d+\s*[:.)/\-–]*\s*|\d{1,4}\s*[.)]\s+|\d{1,4}\s*[.)/]\s*(?=[^\W\d])"
    r"|\d{1,3}\s*[-–]\s+(?=[^\W\d])|hỏi\s*\d*\s*:\s*|câu\s+hỏi\s*:\s*)+",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-–•*+·▪◦]\s*|\d{1,3}\s*[.)]\s*|[a-zđ][.)]\s+)")
_ROMAN = r"(?=[IVXLC])(?:X{0,3})(?:IX|IV|V?I{0,3})"
_SECTION = re.compile(
    rf"^\s*(?:(?:phần|mục|chương|lĩnh\s+vực|nhóm|chủ\s+đề)\s*(?:thứ\s*)?(?:{_ROMAN}|\d+|[A-Z])?\s*[:.)\-–/]*\s*|{_ROMAN}\s*[.)/:\-–]\s*|[A-ZĐ]\s*[.)/:]\s*)(?P<title>\S.*)$",
    re.DOTALL,
)
_SECTION_WORD = re.compile(r"^\s*(?:phần|mục|chương|lĩnh\s+vực|nhóm|chủ\s+đề)\b", re.IGNORECASE)
SECTION_NUMBER = re.compile(rf"^\s*(?:{_ROMAN}|[A-ZĐ])\s*[.)/]?\s*$")
_FOOTER = re.compile(
    r"^\s*(?:người\s+(?:lập|tổng\s+hợp|soạn|ký|duyệt)|nơi\s+nhận|thủ\s+trưởng|(?:phó\s+)?giám\s+đốc|t/?m\.|tm\.|kt\.|(?:phó\s+)?chủ\s+tịch|"
    r"xác\s+nhận|ký\s+tên|\(?ký|trưởng\s+phòng|ghi\s+chú\s*:|tổng\s+(?:số|cộng)|lưu\s*:|đại\s+diện|hết\.?$|thanh\s+hóa,\s+ngày|.{0,30},\s+ngày\s+\d)",
    re.IGNORECASE,
)
_SPACES = re.compile(r"\s+")


def clean_question(text: str) -> str:
    """The question on one line, without its number: "Câu 12: Ai được tiêm?" → "Ai được tiêm?"."""
    without = _NUMBERED.sub("", text)
    return _SPACES.sub(" ", without or text).strip()


def clean_answer(text: str) -> str:
    """The answer without a leading "Trả lời:"."""
    return _ANSWER_ONLY.sub("", text).strip() or text.strip()


def split_question_and_answer(text: str) -> tuple[str, str] | None:
    """("question", "answer") of one cell, or None if it does not read "Hỏi: … Đáp: …"."""
    found = QUESTION_AND_ANSWER.match(text)
    return (clean_question(found["question"]), found["answer"].strip()) if found else None


def is_question_part(text: str) -> bool:
    """Does the cell start a question ("Hỏi: …", "Câu 3: …")?"""
    return bool(_QUESTION_ONLY.match(text) or re.match(r"^\s*câu\s*\d+\s*[:.)]", text, re.IGNORECASE))


def is_answer_part(text: str) -> bool:
    """Does the cell start an answer ("Đáp: …", "Trả lời: …")?"""
    return bool(_ANSWER_ONLY.match(text))


def split_phrasings(text: str) -> list[str]:
    """Several phrasings in one cell, one a line or parted by ";", bullets and numbers taken off."""
    parts = text.split("\n") if "\n" in text else text.split(";")
    cleaned = (_SPACES.sub(" ", _BULLET.sub("", part)).strip(" ;") for part in parts)
    return [one for one in cleaned if one]


_ASKS = re.compile(r"\b(?:khong|ko|k|chua|sao|gi|dau|nao|ai|may|bao nhieu|bao lau)(?: (?:a|vay|the|nhi))?$")
"""How a question ends that has no mark; folded."""


def split_question_lines(text: str) -> list[str]:
    """A question cell with several whole questions, one a line; otherwise the one question.

    The first must end with a mark, so that no long question is cut in two; the others may end like speech.
    """
    lines = [line for line in (one.strip() for one in text.split("\n")) if line]
    if (
        len(lines) > 1
        and lines[0].endswith("?")
        and all(line.endswith("?") or _ASKS.search(fold(line)) for line in lines)
    ):
        return [clean_question(_BULLET.sub("", line)) for line in lines]
    return [clean_question(text)]


def find_section(text: str) -> str | None:
    """The title of a section heading: "I. Tiêm chủng" → "Tiêm chủng"; None if it does not look like one."""
    found = _SECTION.match(text)
    if found:
        return _SPACES.sub(" ", found["title"]).strip(" .:")
    if _SECTION_WORD.match(text) and "?" not in text:
        return _SPACES.sub(" ", text).strip(" .:")
    return None


def is_footer(text: str) -> bool:
    """Signatures and notes under a table: "NGƯỜI LẬP BIỂU", "Nơi nhận:", "Ghi chú: …"."""
    return len(text) < 300 and bool(_FOOTER.match(text))
