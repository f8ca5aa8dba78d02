"""What a message leans on: corrections ("à không, ý em là…"), short questions about what was asked before. Pure.

Words are compared without diacritics, as people type them. What begins with a connecting word ("thế còn…") is
`clauses.follow_up`'s.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from faq.clauses import COURTESY
from faq.normalise import FUNCTION_WORDS, key_of, words_of

_I: Final = r"(?:tôi|toi|mình|minh|em|e|cháu|chau|con|tớ|to|bác|bac|cô|co|chú|chu|anh|chị|chi|ông|ong|bà|ba|tui|tao)"
_NO: Final = (
    r"(?:không phải|khong phai|ko phải|ko phai|k phải|k phai|không đúng|khong dung|chưa đúng|chua dung|không|khong|ko|k"
    r"|hông|sai rồi|sai roi|sai|nhầm rồi|nham roi"
    r"|(?:hỏi |hoi |nói |noi |gõ |go |ghi |viết |viet )?(?:nhầm|nham|lộn|lon)"
    r"(?: rồi| roi)?|xin lỗi|xin loi|sorry)"
)
_MEANT: Final = (
    rf"(?:(?:ý|y)(?: của| cua)? {_I}(?: muốn| muon)?(?: hỏi| hoi)?(?: là| la)?|(?:ý|y) (?:là|la)"
    rf"|{_I} (?:đang |dang |muốn |muon |định |dinh |chỉ |chi )*(?:hỏi|hoi)(?: là| la| về| ve)?)"
)
_OPENER: Final = re.compile(
    r"^\W*(?:(?:à|ah|a|ơ|ủa|ấy|ay|ý|dạ|da|ờ|ừ|thôi|thoi|khoan)[\s,.!…]+)*"
    rf"(?:{_NO}(?: (?:vậy|vay|thế|the|ý đó|y do|cái đó|cai do|câu đó|cau do|ạ|a|đâu|dau|rồi|roi))*[\s,.;:!…-]+"
    rf"(?:(?:mà|ma|thì|thi|là|la)\s+)?{_MEANT}|(?:ý|y)(?: của| cua)? {_I}(?: muốn| muon)?(?: hỏi| hoi)?(?: là| la)"
    rf"|(?:nói|noi|hỏi|hoi|gõ|go|ghi|viết|viet)? ?(?:nhầm|nham|lộn|lon)(?: rồi| roi)?[\s,.;:!…-]+(?:là |la )?)"
    r"[\s,:]*(?=\w)",
    re.IGNORECASE,
)
_REST: Final = re.compile(
    r"[\s,.]*(?:(?:chứ|chu) (?:không|khong|ko|k) (?:phải|phai|hỏi|hoi)\b.*"
    r"|(?:(?:cơ mà|co ma|cơ|ấy|ay|ý|mà|ma|cơ chứ|chứ|chu)(?: ạ| a| nhé| nhe)?))[\s.!?]*$",
    re.IGNORECASE,
)
_INSTEAD: Final = re.compile(
    rf"^\W*{_I} (?:hỏi|hoi) (?P<meant>.+?) (?:chứ|chu) (?:không|khong|ko|k) (?:phải|phai|hỏi|hoi)\b", re.IGNORECASE
)

_ABOUT: Final = frozenset(
    re.findall(
        r"\w+",
        """giấy tờ hồ sơ thủ tục cần mang theo đem gì chi nào những chuẩn bị lệ phí tiền hết tốn mất bao nhiêu lâu mấy
        ngày tuần tháng giờ buổi khi nộp làm lấy nhận trả đăng ký đăng kí ở đâu chỗ nơi tại phải có được không ko k chưa
        điều kiện thế sao bao giờ thời hạn thời gian qua mạng online trực tiếp luôn vậy hay là thì cái đó đấy này ấy
        miễn phí free xong liền trước sau nữa cả ai rồi hả hở nhỉ bn hết đi xin gửi gọi số máy bước gồm mẫu đơn tờ
        khai""",
    )
)
"""Words that ask about a thing and name none."""
_LITTLE: Final = COURTESY | FUNCTION_WORDS | {"bn", "v", "z"}
_ASKS: Final = frozenset(("đâu", "bao", "mấy", "gì"))
"""Of the little words those that ask."""
_ASKED: Final = re.compile(
    r"(?<!\w)(?:(?:có |phải |đã |cần )*(?:mất|tốn|hết|đóng|nộp) (?:bao nhiêu|mấy|tiền|phí|lệ phí)(?: tiền| phí)*"
    r"|(?:lệ phí|phí|giá) (?:là )?bao nhiêu"
    r"|(?:cần |phải |mang |gồm |những |theo )*(?:giấy tờ|hồ sơ|giấy) (?:gì|nào|những gì)"
    r"|(?:ở|tại|đến|ra) (?:đâu|chỗ nào|nơi nào)|(?:trong |mất )?(?:bao lâu|mấy ngày|bao nhiêu ngày)|(?:khi nào|bao giờ)"
    r"|(?:như )?thế nào|làm sao|ra sao|là gì|cần gì|(?:có )?(?:được |phải )?(?:không|chưa)$)(?!\w)"
)
ABOUT_WORDS: Final = 8
"""A longer message names what it is about."""
LEANS_WORDS: Final = 12
"""A longer question is not looked at together with the one before it."""

_OURS: Final = (
    r"(?:quán|nhà|cửa hàng|cơ sở|công ty|doanh nghiệp|xưởng|trường|chợ|khu|xóm|thôn|phố|đơn vị|gia đình|bố mẹ|con|vợ"
    r"|chồng)"
)
_PLACE: Final = re.compile(
    rf"^(?:(?:dạ|vâng|à|ờ|ừ|ok|thế|vậy|còn|nếu|thì|{_I}) )*(?:{_OURS} (?:{_I} )?)?(?:ở|o|tại|bên|dưới|trên|về|khu vực) "
    r"(?P<where>(?:\w+ ){0,5}?\w+?)(?: (?:thì (?:sao|thế nào|như thế nào|làm sao)|thế nào|sao|có khác không|thì))?"
    r"(?: (?:ạ|vậy|nhỉ|hả|em|ad|cháu|bạn|anh|chị))*$"
)
PLACE_WORDS: Final = 5
_NAMES_OFFICE: Final = re.compile(
    r"(?<!\w)(?:tại|đến|ra|lên|ở) (?:nơi|ubnd|ủy ban|công an|trung tâm|trụ sở|bệnh viện|trạm|cơ quan|bộ phận|sở|phường"
    r"|xã|chi nhánh|điểm|cơ sở|bưu điện|ngân hàng)(?!\w)",
    re.IGNORECASE,
)


def meant_instead(text: str) -> str | None:
    """What a citizen who corrects himself asks after all; None if nothing is corrected.

    "à không, ý em là đăng ký kết hôn" → "đăng ký kết hôn"; "em hỏi khai tử chứ không phải khai sinh" → "khai tử".
    """
    if found := _INSTEAD.match(text):
        return found.group("meant").strip()
    rest, count = _OPENER.subn("", text, count=1)
    if not count:
        return None
    meant = _REST.sub("", rest).strip(" ,.;:!")
    return meant if any(word not in COURTESY for word in words_of(meant)) else None


def asks_about_it(words: Sequence[str]) -> bool:
    """Does a message ask something of a thing without naming it: "cần mang giấy tờ gì", "phí bao nhiêu"?"""
    telling = [word for word in words if not _is_one_of(word, _LITTLE)]
    asks = telling or any(_is_one_of(word, _ASKS) for word in words)
    return 1 < len(words) <= ABOUT_WORDS and bool(asks) and all(_is_one_of(word, _ABOUT) for word in telling)


def named_in(words: Sequence[str]) -> frozenset[str]:
    """The words that name what a message is about, as keys: "làm căn cước cần gì" → can, cuoc."""
    return frozenset(key_of(word) for word in words if not _is_one_of(word, _LITTLE) and not _is_one_of(word, _ABOUT))


def _is_one_of(word: str, words: frozenset[str]) -> bool:
    """As written; a word without any mark may stand for one with marks, but "thẻ" is no "thế"."""
    return word in words or (word.isascii() and word in _without_marks(words))


@cache
def _without_marks(words: frozenset[str]) -> frozenset[str]:
    return frozenset(key_of(word) for word in words)


def place_in(words: Sequence[str]) -> tuple[str, ...] | None:
    """The place, if a message adds nothing but a place: "ở Sầm Sơn thì sao?" → ("sầm", "sơn")."""
    found = _PLACE.match(" ".join(words))
    where = tuple(found.group("where").split()) if found else ()
    named = [word for word in where if not _is_one_of(word, _ABOUT)]
    return where if named and len(where) <= PLACE_WORDS else None


def subject_of(words: Sequence[str]) -> tuple[str, ...]:
    """A question without what it asks about its subject: "tiêm vắc xin có mất tiền không" → "tiêm vắc xin"."""
    left = tuple(_ASKED.sub(" ", _ASKED.sub(" ", " ".join(words)).strip()).split())
    return left or tuple(words)


def names_office(answer: str) -> bool:
    """Does an answer say where to go: "đăng ký tại UBND cấp xã"?"""
    return _NAMES_OFFICE.search(answer) is not None
