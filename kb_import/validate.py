"""What is wrong with the rows of one file. Every finding names the cell and says what to do.

Checks look at whole columns joined, in C; a row is looked at alone only where something was found.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import compress
from operator import not_

from kb_import.columns import Role
from kb_import.found import FoundRow
from kb_import.header import SheetLayout
from kb_import.keys import keys_of
from kb_import.problem import Problem, Severity
from kb_import.scan import distinct, find_long_numbers
from kb_import.split import split_answer
from nlu_data.vi_nlu.text import fold

MAX_MESSAGE_CHARS = 2_000
"""Zalo's and Messenger's limit for one message; a longer answer goes out in parts."""
MAX_QUESTION_CHARS = 500
MAX_ANSWER_CHARS = 10_000

_VIETNAMESE_LETTER = "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ"
_HAS_VIETNAMESE = re.compile(f"[{_VIETNAMESE_LETTER}{_VIETNAMESE_LETTER.upper()}]")
_PLAIN_WORDS = frozenset(
    [
        "ai",
        "anh",
        "ban",
        "bao",
        "bi",
        "bo",
        "cach",
        "cai",
        "can",
        "cap",
        "cha",
        "chi",
        "cho",
        "co",
        "con",
        "cua",
        "cung",
        "da",
        "dang",
        "dau",
        "de",
        "den",
        "di",
        "dich",
        "do",
        "don",
        "duoc",
        "em",
        "gi",
        "gia",
        "giay",
        "ha",
        "hay",
        "hoi",
        "khai",
        "khau",
        "khi",
        "khong",
        "la",
        "lai",
        "lam",
        "len",
        "luat",
        "me",
        "minh",
        "mot",
        "mua",
        "nao",
        "nay",
        "neu",
        "nghi",
        "ngay",
        "nguoi",
        "nhan",
        "nhu",
        "noi",
        "o",
        "phai",
        "qua",
        "quy",
        "ra",
        "sao",
        "so",
        "ta",
        "tai",
        "tam",
        "thanh",
        "the",
        "thi",
        "tiem",
        "tien",
        "tin",
        "tinh",
        "toi",
        "tra",
        "tren",
        "trong",
        "tu",
        "va",
        "vao",
        "ve",
        "vi",
        "viec",
        "voi",
        "xa",
        "xin",
    ]
)
_ID_NUMBER = re.compile(r"(?<![\d.,/-])(?:\d{12}|\d{3}[ .]\d{3}[ .]\d{3}[ .]\d{3}|\d{9})(?![\d/]|[.,-]\d)")
_ID_WORDS = re.compile(r"\b(?:cccd|cmnd|cmt|căn cước|chứng minh|định danh|số thẻ|hộ chiếu)\b", re.IGNORECASE)
_PLACEHOLDERS = frozenset(
    (
        "dang cap nhat", "cap nhat sau", "se cap nhat", "bo sung sau", "se bo sung", "dang bo sung", "cho bo sung",
        "tra loi sau", "chua co", "chua co cau tra loi", "chua co thong tin", "dang xay dung", "dang soan", "n a", "na",
        "xem sau", "cho y kien", "dang xin y kien", "todo",
    )
)  # fmt: skip
_LONGEST_PLACEHOLDER = 30
_LEAST_DIGITS, _MOST_CHARS = 9, 17
"""Nine digits with at most one sign between each two."""
_MOBILE = re.compile(r"(?<![\d+])(?:\+?84|0)[ .-]?(?:3|5|7|8|9)(?:[ .-]?\d){8}(?!\d)")
_SERVICE_WORDS = re.compile(
    r"đường dây nóng|đường dây|hotline|tổng đài|trực ban|số trực|trực|liên hệ|zalo|tư vấn|hỗ trợ|điện thoại|sđt|đt|fax",
    re.IGNORECASE,
)
_PERSON_WORDS = re.compile(
    r"\b(?:ông|bà|anh|chị|đồng chí|đ/c|bác sĩ|bs\.?|cô|chú|thầy|em)(?:\s+[A-ZĐÀ-Ỹ][a-zà-ỹđ]+){1,5}"
)


def validate(
    rows: Sequence[FoundRow],
    questions: Sequence[str],
    keys: Sequence[str],
    layouts: Sequence[SheetLayout],
    today: date,
) -> list[Problem]:
    """Everything wrong with the rows by themselves, in the order of the file; what needs the live banks is in near.py.

    `questions`: those of the rows; `keys`: theirs.
    """
    where = {layout.sheet: layout for layout in layouts}
    answers = [row.answer for row in rows]
    lengths = list(map(len, answers))
    problems = [
        *_same_questions(rows, keys, where),
        *_question_words(rows, questions, where),
        *_placeholders(rows, lengths, where),
        *_validity(rows, where, today),
        *_personal_data(rows, answers, where),
    ]
    if max(lengths, default=0) > MAX_MESSAGE_CHARS or max(map(len, questions), default=0) > MAX_QUESTION_CHARS:
        problems += _lengths(rows, where)
    order = {layout.sheet: number for number, layout in enumerate(layouts)}
    return sorted(problems, key=lambda one: (order.get(one.sheet, 0), one.row or 0))


def _at(
    severity: Severity, code: str, row: FoundRow, where: Mapping[str, SheetLayout], role: Role, message: str
) -> Problem:
    return Problem(severity, code, message, row.sheet, row.row, letter_of(where.get(row.sheet), role))


def letter_of(layout: SheetLayout | None, role: Role) -> str | None:
    """The column a finding about `role` points to; a cell that holds both question and answer stands for either."""
    return (layout.letter(role) or layout.letter(Role.QUESTION_AND_ANSWER)) if layout else None


def _same_questions(
    rows: Sequence[FoundRow], keys: Sequence[str], where: Mapping[str, SheetLayout]
) -> Iterator[Problem]:
    """The same question twice: with one answer a repetition, with two a contradiction."""
    if len(set(keys)) == len(keys):
        return
    first: dict[str, int] = {}
    for index, key in enumerate(keys):
        earlier = first.setdefault(key, index)
        if earlier == index:
            continue
        row, before = rows[index], rows[earlier]
        place = f"dòng {before.row}" + (f" trang “{before.sheet}”" if before.sheet != row.sheet else "")
        if keys_of([row.answer]) == keys_of([before.answer]):
            message = f"Câu hỏi và câu trả lời trùng với {place}; chỉ nạp một lần. Hãy xoá bớt một dòng."
            yield _at(Severity.WARNING, "duplicate", row, where, Role.QUESTION, message)
        else:
            message = (
                f"Câu hỏi trùng với {place} nhưng câu trả lời khác. Hãy giữ một câu trả lời đúng và xoá dòng còn lại."
            )
            yield _at(Severity.ERROR, "contradiction", row, where, Role.ANSWER, message)


def _question_words(
    rows: Sequence[FoundRow], questions: Sequence[str], where: Mapping[str, SheetLayout]
) -> Iterator[Problem]:
    for row in compress(rows, map(not_, map(_HAS_VIETNAMESE.search, questions))):
        words = re.findall(r"[^\W\d_]+", row.question.casefold())
        if sum(word in _PLAIN_WORDS for word in words) * 3 >= len(words) > 0:
            continue  # Vietnamese typed without marks
        message = "Câu hỏi không có từ tiếng Việt nào. Hãy viết lại câu hỏi bằng tiếng Việt có dấu."
        yield _at(Severity.WARNING, "not_vietnamese", row, where, Role.QUESTION, message)


def _placeholders(
    rows: Sequence[FoundRow], lengths: Sequence[int], where: Mapping[str, SheetLayout]
) -> Iterator[Problem]:
    """Cells that only keep the place of an answer. `lengths`: of the answers."""
    for row in compress(rows, map(_LONGEST_PLACEHOLDER.__ge__, lengths)):
        words = " ".join(re.findall(r"\w+", fold(row.answer)))
        if not words or words in {"0", "x", "o"}:
            message = f"Ô trả lời chỉ ghi “{row.answer}”, chưa có câu trả lời. Hãy điền câu trả lời hoặc bỏ dòng này."
            yield _at(Severity.ERROR, "empty_answer", row, where, Role.ANSWER, message)
        elif words in _PLACEHOLDERS:
            message = (
                f"“{row.answer}” chưa phải là câu trả lời nhưng vẫn sẽ được gửi cho người dân. "
                "Hãy điền câu trả lời, hoặc bỏ dòng này cho đến khi có."
            )
            yield _at(Severity.WARNING, "placeholder", row, where, Role.ANSWER, message)


def _lengths(rows: Sequence[FoundRow], where: Mapping[str, SheetLayout]) -> Iterator[Problem]:
    for row in rows:
        if len(row.question) > MAX_QUESTION_CHARS:
            message = (
                f"Câu hỏi dài {len(row.question)} ký tự, quá {MAX_QUESTION_CHARS}. "
                "Hãy rút gọn, phần giải thích để ở câu trả lời."
            )
            yield _at(Severity.ERROR, "question_too_long", row, where, Role.QUESTION, message)
        if len(row.answer) <= MAX_MESSAGE_CHARS:
            continue
        if len(row.answer) > MAX_ANSWER_CHARS:
            message = (
                f"Câu trả lời dài {len(row.answer)} ký tự, quá {MAX_ANSWER_CHARS}. "
                "Hãy rút gọn hoặc tách thành nhiều câu hỏi."
            )
            yield _at(Severity.ERROR, "answer_too_long", row, where, Role.ANSWER, message)
            continue
        parts = split_answer(row.answer, MAX_MESSAGE_CHARS)
        shown = "; ".join(
            f"tin {number}: {len(one)} ký tự, đến “…{one[-30:].strip()}”" for number, one in enumerate(parts, 1)
        )
        message = (
            f"Câu trả lời dài {len(row.answer)} ký tự, quá {MAX_MESSAGE_CHARS} ký tự của một tin Zalo hoặc Messenger, "
            f"nên sẽ gửi thành {len(parts)} tin ({shown}). Nên rút gọn."
        )
        yield _at(Severity.WARNING, "long_answer", row, where, Role.ANSWER, message)


def _validity(rows: Sequence[FoundRow], where: Mapping[str, SheetLayout], today: date) -> Iterator[Problem]:
    for row in rows:
        if row.valid_until is not None:
            if row.valid_from is not None and row.valid_from > row.valid_until:
                message = (
                    f"Hiệu lực từ {_say(row.valid_from)} lại sau ngày hết hiệu lực {_say(row.valid_until)}. "
                    "Hãy sửa lại ngày."
                )
                yield _at(
                    Severity.ERROR, "dates_reversed", row, where, _date_role(where, row, Role.VALID_FROM), message
                )
            elif row.valid_until < today:
                message = (
                    f"Đã hết hiệu lực từ {_say(row.valid_until)} nên sẽ không được trả lời. "
                    "Hãy cập nhật ngày hoặc bỏ dòng này."
                )
                yield _at(Severity.WARNING, "expired", row, where, _date_role(where, row, Role.VALID_UNTIL), message)
        if row.confirmed_on is not None and row.confirmed_on > today:
            message = f"Ngày cập nhật {_say(row.confirmed_on)} ở trong tương lai. Hãy kiểm tra lại ngày."
            yield _at(Severity.WARNING, "future_date", row, where, Role.CONFIRMED_ON, message)


def _date_role(where: Mapping[str, SheetLayout], row: FoundRow, role: Role) -> Role:
    layout = where.get(row.sheet)
    return role if layout and role in layout.columns else Role.VALIDITY


def _personal_data(
    rows: Sequence[FoundRow], answers: Sequence[str], where: Mapping[str, SheetLayout]
) -> Iterator[Problem]:
    """Only answers with nine digits or more close together are looked at: no other can hold a phone or an ID number."""
    different = distinct(answers)
    suspects = {different[index] for index in find_long_numbers(different, _LEAST_DIGITS, _MOST_CHARS)}
    for row in compress(rows, map(suspects.__contains__, answers)) if suspects else ():
        if problem := _id_number(row, where) or _private_phone(row, where):
            yield problem


def _id_number(row: FoundRow, where: Mapping[str, SheetLayout]) -> Problem | None:
    for found in _ID_NUMBER.finditer(row.answer):
        digits = len(re.sub(r"\D", "", found.group()))
        before = row.answer[max(0, found.start() - 60) : found.start()]
        if digits == 9 and not _ID_WORDS.search(before):
            continue
        if digits == 12 and re.search(r"(?:tài khoản|stk|mã số|số tk)[^.]{0,30}$", before, re.IGNORECASE):
            continue
        message = "Câu trả lời có dãy số giống số CCCD/CMND của cá nhân. Hãy xoá dãy số này trước khi nạp."
        return _at(Severity.ERROR, "id_number", row, where, Role.ANSWER, message)
    return None


def _private_phone(row: FoundRow, where: Mapping[str, SheetLayout]) -> Problem | None:
    for found in _MOBILE.finditer(row.answer):
        before = row.answer[max(0, found.start() - 80) : found.start()]
        if not _PERSON_WORDS.search(before) and _SERVICE_WORDS.search(before):
            continue
        message = (
            f"Câu trả lời có số điện thoại di động {_masked(found.group())}, có thể là số riêng của cá nhân. "
            "Hãy thay bằng số đường dây nóng của đơn vị, hoặc giữ nếu đây là số công khai."
        )
        return _at(Severity.WARNING, "private_phone", row, where, Role.ANSWER, message)
    return None


def _masked(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    return f"{digits[:3]}****{digits[-3:]}"


def _say(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def without_repetitions(rows: Sequence[FoundRow], keys: Sequence[str]) -> list[FoundRow]:
    """Each question once, its first row, with the phrasings of all."""
    groups: dict[str, list[int]] = defaultdict(list)
    if len(set(keys)) == len(keys):
        return list(rows)
    for index, key in enumerate(keys):
        groups[key].append(index)
    kept = []
    for indexes in groups.values():
        first = rows[indexes[0]]
        more = tuple(dict.fromkeys(one for index in indexes for one in rows[index].phrasings))
        kept.append(first if more == first.phrasings else first._replace(phrasings=more))
    return kept
