"""A message's parts: where a long, polite message says what it is about, and where it asks two things. Pure."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from faq.normalise import words_of

MAX_CLAUSES: Final = 12
COURTESY: Final = frozenset(
    re.findall(
        r"\w+",
        """ạ à ad admin alo anh bác bạn biết bà cháu chào chân chị chú chút chúc con cho cô cảm của cơ dạ em
        giúp gửi hỏi hướng kính là lời mong mình một mọi nhiều nhé nha nhờ ơi ơn phản hồi quan quý rất sớm
        tí tôi tổng đài thưa thành trả trọng trân với và vâng xin xíu được dẫn tư vấn giải đáp các ngày vui
        tốt lành hello hi này sau như thế nay về đi nào nữa""",
    )
)
"""Words that alone make no question."""

_STOPS: Final = re.compile(r"[.?!;:,\n()\[\]|]+(?=\s|$)|\n+|[?!;]+")
_SELF: Final = (
    r"(?:tôi|mình|em|cháu|con|tớ|chúng tôi|chúng em|bọn em|nhà em|nhà tôi|gia đình tôi|tụi em|bạn|anh chị|anh|chị|bác"
    r"|cô|chú|ông|bà|ad|admin|các bạn|mọi người|người dân)"
)
_LITTLE: Final = (
    r"(?:chút|một chút|tí|tý|một tí|xíu|một xíu|tẹo|với|ạ|à|nhé|nha|giúp|thêm|ngay|là|rằng|về|việc này|điều này"
    r"|câu này|cái này|như sau|một điều|một việc|một câu|cái|vấn đề này|trường hợp này|luôn|thăm|nhanh|dùm|giùm|xem|thử"
    r"|này)"
)
LEAD: Final = re.compile(
    rf"(?:(?:cho|xin|để|nhờ|phép) (?:{_SELF} )?(?:xin )?(?:được )?hỏi"
    rf"|{_SELF} (?:xin |muốn |cần |định |đang muốn |có việc muốn |xin phép |xin được )+hỏi"
    rf"|{_SELF} (?:có )?(?:thắc mắc|câu hỏi|băn khoăn)"
    rf"|(?:xin|cho) (?:{_SELF} )?(?:biết|tư vấn|hướng dẫn|giải đáp)|tư vấn (?:giúp|cho) {_SELF}|muốn biết(?: là)?"
    rf"|vấn đề (?:là|như sau)|câu hỏi (?:là|của {_SELF} là)|hỏi {_SELF}?)(?: {_LITTLE})*(?= |$)"
)
"""What comes before a question: "cho em hỏi tí ạ", "tôi muốn hỏi là"."""
TAIL: Final = re.compile(
    rf"(?:^| )(?:(?:{_SELF} )?(?:xin )?(?:chân thành |rất )?(?:cảm ơn|biết ơn|cám ơn)"
    rf"|(?:{_SELF} )?(?:rất |xin |kính )*mong (?:{_SELF}|được|nhận|sớm|tổng đài|trả lời|phản hồi|giải đáp|giúp)"
    rf"|(?:nhờ|xin) (?:{_SELF}|tổng đài|trả lời|tư vấn|giải đáp|giúp|phản hồi)"
    rf"|ai biết|giúp {_SELF} (?:với|nhé|ạ)|chúc {_SELF}|trân trọng)"
)
"""What comes after a question: "em cảm ơn ạ", "mong ad trả lời sớm"."""


_QUESTION_WORDS: Final = re.compile(
    r"(?<!\w)(gì|nào|đâu|sao|bao|mấy|không|ko|chưa|ai|gi|nao|dau|khong|chua|may|k|hk|j)(?!\w)", re.IGNORECASE
)
_BETWEEN: Final = re.compile(
    rf"\?+|(?<!\w)(?:với lại|voi lai|với cả|ngoài ra|ngoai ra|còn nữa|(?:và|va) cho (?:{_SELF} )?(?:hỏi|hoi))(?!\w)",
    re.IGNORECASE,
)
"""What stands between two questions of one message."""
_ENDS: Final = (
    r"(?:không|khong|ko|k|hông|chưa|chua|ch|gì|gi|j|đâu|dau|sao|nào|nao|bao nhiêu|bao nhieu|bao lâu|bao lau|mấy ngày"
    r"|may ngay|thế nào|the nao|ntn)"
)
_LOOSELY: Final = re.compile(
    rf"(?<!\w){_ENDS}(?: (?:ạ|a|vậy|vay|nhỉ|nhi|hả|ha|em|ad|bạn|ban|cháu|chau))*"
    r"(?P<cut>\s*[,;.]\s*(?:(?:và|va|còn|con|rồi|roi|với|voi|thế|the)(?!\w))?"
    r"|\s+(?:và|va|còn|con|rồi|roi|với|voi|đồng thời|dong thoi|cũng như|cung nhu)(?= ))",
    re.IGNORECASE,
)
"""Where a question may end and another begin, if both can be answered: "… mở không, xe buýt chạy chưa"."""
FOLLOW: Final = re.compile(
    r"^(?:(?:dạ|vâng|à|ờ|ừ|ừm|ok|rồi|thế à|vậy à|vậy hả) )*"
    r"(?:thế còn|vậy còn|còn như|còn|thế thì|vậy thì|thế|vậy|nếu|thì)(?: |$)"
    r"|(?: |^)(?:thì sao|thì thế nào|thì như thế nào|thì phải làm sao|thì làm sao|có khác không)(?: ạ| vậy)*$"
)
"""How a question sounds that leans on the one before it: "thế còn trẻ em?", "ở Sầm Sơn thì sao?"."""
FOLLOW_WORDS: Final = 12
"""A longer message says by itself what it is about."""


def questions_of(text: str) -> list[str]:
    """The questions in a message: what ends in "?" or before "với lại", with what stands before it; else its lines.

    One question, or none that can be told apart, gives the message itself.
    """
    parts = [part.strip() for part in _BETWEEN.split(text)]
    if len([part for part in parts if part]) < 2:
        parts = [line.strip() for line in text.splitlines()]
    parts = [part for part in parts if len(words_of(part)) >= 2 and _QUESTION_WORDS.search(part)]
    return parts if len(parts) > 1 else [text]


def loose_questions_of(text: str) -> list[str]:
    """What may be several questions in one breath: cut where one may end; empty if it can't be cut.

    Only a guess ("chưa tiêm mũi nào và không có giấy" is one question): worth it if each part is answered by itself.
    """
    parts, at = [], 0
    for found in _LOOSELY.finditer(text):
        parts.append(text[at : found.start("cut")])
        at = found.end("cut")
    parts = [part.strip() for part in (*parts, text[at:]) if len(words_of(part)) >= 2]
    return parts if len(parts) > 1 and all(_QUESTION_WORDS.search(part) for part in parts) else []


def follow_up(words: Sequence[str]) -> tuple[str, ...] | None:
    """What a follow-up adds to the question before it; None if the message stands by itself."""
    line = " ".join(words)
    if len(words) > FOLLOW_WORDS or not FOLLOW.search(line):
        return None
    return tuple(FOLLOW.sub(" ", FOLLOW.sub(" ", line).strip()).split())


def sentences_of(text: str) -> list[list[str]]:
    """The message's words, parted where it is punctuated."""
    return [words for part in _STOPS.split(text) if (words := words_of(part))]


def cut(words: Sequence[str]) -> list[tuple[str, ...]]:
    """A punctuated stretch of read words, cut after each lead ("cho em hỏi") and before each tail ("em cảm ơn")."""
    line = " ".join(words)
    cuts = {0, len(line)}
    for found in LEAD.finditer(line):
        if found.start() == 0 or line[found.start() - 1] == " ":
            cuts.add(found.end())
    for found in TAIL.finditer(line):
        cuts.add(found.start())
    edges = sorted(cuts)
    parts = [tuple(line[start:stop].split()) for start, stop in pairwise(edges)]
    return [part for part in parts if part]


def clauses_of(read_sentences: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The clauses of a message that say something, in order; all of it as one if nothing but courtesies is left."""
    clauses = [clause for words in read_sentences for clause in cut(words)]
    telling = [clause for clause in clauses if any(word not in COURTESY for word in clause)]
    return telling[:MAX_CLAUSES]


def views_of(clauses: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """What may have been meant as the question: each clause, each two neighbours together, all of it."""
    views = list(clauses)
    views.extend(first + second for first, second in pairwise(clauses))
    if len(clauses) > 2:
        views.append(tuple(word for clause in clauses for word in clause))
    return list(dict.fromkeys(views))
