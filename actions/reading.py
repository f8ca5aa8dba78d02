"""What a citizen's words say while a report is being taken. Pure; the form (form.py) acts on it.

A report form asks what, where, when, a photo and a phone number. People answer, but they also ask something in between,
correct what they said before, leave a step out, or give two things at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, assert_never

from actions.refusal import is_refusal, is_skip
from nlu_data.vi_nlu.text import clean, fold

Slot = Literal["report_what", "report_where", "report_when", "report_photo", "report_phone"]
SLOTS: tuple[Slot, ...] = ("report_what", "report_where", "report_when", "report_photo", "report_phone")

SKIPPED = "-"
"""Value of a slot that the citizen chose to leave out. Rasa asks again for a slot that is None."""

QUESTION_INTENTS = frozenset({"ask_question", "ticket_status", "unit_contact", "help"})
NOT_UNDERSTOOD = "nlu_fallback"
SURE = 0.5
"""Confidence from which an intent may interrupt a form."""

MAX_CHARS = 2000
"""Longest text kept in a slot; the whole message is a row of its own anyway."""


@dataclass(frozen=True, slots=True)
class Words:
    """One message as the form sees it."""

    text: str
    intent: str
    confidence: float
    entities: Mapping[str, str] = field(default_factory=dict)
    """First value of each entity: place, date, phone."""
    photo: str | None = None
    """Id of this message when it carries a picture."""
    phone: str | None = None
    """The number that the person shared with a button of the platform, not by typing it."""
    place: str | None = None
    """A point on the map that was shared, in words: "vị trí 19.806700, 105.776400"."""


@dataclass(frozen=True, slots=True)
class Fills:
    """An answer to what was asked, and perhaps more."""

    values: Mapping[Slot, str]


@dataclass(frozen=True, slots=True)
class Corrects:
    """Another value for something said before."""

    slot: Slot
    value: str


@dataclass(frozen=True, slots=True)
class Interrupts:
    """A question in between; the form waits."""

    intent: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """Nothing that can fill what was asked."""

    response: str
    """Name of the response that says what is needed."""


@dataclass(frozen=True, slots=True)
class Adds:
    """More about what happened, said while something else was asked."""

    text: str


Turn = Fills | Corrects | Interrupts | Adds | Unusable

_QUESTION_WORDS = re.compile(
    r"\b(?:the nao|nhu nao|ntn|bao gio|khi nao|bao lau|bao nhieu|o dau|lam sao|la gi|lam gi|gi vay|gi a|tai sao|vi sao"
    r"|co phai|ai la|may gio|cho hoi|hoi chut|hoi ti|hoi them|thu tuc|(?:duoc|dc|co|phai|mat phi"
    r"|chua) (?:khong|ko|k|hong)"
    r"|(?:khong|ko|chua) (?:a|vay|the|nhi|ban|em|ad|shop)$)\b"
)
_CORRECTION = re.compile(
    r"^(?:(?:a|ah|oi|xin loi|sorry|chet|khoan|da|minh|toi|em|chau|cho|may)\s)*"
    r"(?:sua|nham|noi nham|ghi nham|ghi sai|viet nham|viet sai|dinh chinh|doi lai|thay"
    r"|khong phai .{1,60}? ma(?: la)?|y (?:toi|minh|em) la)\b"
)
_CORRECTION_HEAD = re.compile(
    r"^\W*(?:(?:à|ah|a|ối|oi|xin lỗi|xin loi|sorry|chết|chet|khoan|dạ|da|mình|minh|tôi|toi|em|cháu|chau|cho|mấy)\W+)*"
    r"(?:sửa(?: lại)?|sua(?: lai)?|(?:nói |ghi |viết |noi |viet )?nhầm(?: rồi)?|(?:noi |ghi "
    r"|viet )?nham(?: roi)?|ghi sai|viết sai"
    r"|viet sai|đính chính|dinh chinh|đổi lại|doi lai|thay(?: đổi| doi)?|ý (?:tôi|mình|em) là|y (?:toi|minh|em) la)\W*"
    r"(?:(?:địa điểm|dia diem|địa chỉ|dia chi|nơi|noi|chỗ|cho|thời gian|thoi gian|giờ|gio|ngày|ngay|lúc"
    r"|nội dung|noi dung"
    r"|sự việc|su viec|số điện thoại|so dien thoai|sđt|sdt|số|so)\b\W*)?"
    r"(?:(?:đúng|dung|lại|lai)\b\W*)?(?:(?:thành|thanh|là|la|phải là|phai la)\b\W*)?",
    re.IGNORECASE,
)
_NAMES_SLOT: tuple[tuple[Slot, re.Pattern[str]], ...] = (
    ("report_phone", re.compile(r"\b(?:so dien thoai|dien thoai|sdt|so lien he)\b")),
    ("report_where", re.compile(r"\b(?:dia diem|dia chi|noi xay ra|cho xay ra)\b")),
    ("report_when", re.compile(r"\b(?:thoi gian|thoi diem|ngay gio)\b")),
    ("report_what", re.compile(r"\b(?:noi dung|su viec|phan anh)\b")),
)
_PHONE = re.compile(r"(?<![\d+])(?:\+?84|0)(?:[\s.\-]?\d){9,10}(?!\d)")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_WANTS_CONTACT = re.compile(r"\b(?:so dien thoai|sdt|so may|lien he|hotline|duong day nong|dia chi)\b")
_HAS_PHOTO = re.compile(
    r"^(?:(?:da|vang)\s)*(?:co|uh|u|ok|oke|vang|da|roi|co a|co anh|co hinh|de (?:em|minh|toi) gui|doi (?:chut|ti))\b"
)


def find_phone(text: str) -> str | None:
    """The first Vietnamese telephone number, as 10 or 11 digits from 0: "+84 912.345.678" → "0912345678"."""
    found = _PHONE.search(text)
    if not found:
        return None
    digits = re.sub(r"\D", "", found.group())
    number = "0" + digits[2:] if digits.startswith("84") and not found.group().startswith("0") else digits
    mobile = len(number) == 10 and number[1] in "35789"
    landline = len(number) == 11 and number.startswith("02")
    return number if mobile or landline else None


def find_ticket_code(text: str) -> str | None:
    """The first ticket code in the text, as it is printed: "mã th 7k3p9 ạ" → "TH-7K3P9".

    The alphabet has no 0, 1, I and O. Without a hyphen, five letters might be a word ("th hanhha"): then one must be a
    digit.
    """
    found = _TICKET_CODE.search(clean(text))
    return f"TH-{found.group('code').upper()}" if found else None


_TICKET_CODE = re.compile(
    r"(?<![^\W_])TH(?:\s?[-\u2010-\u2015]\s?"
    r"|[\s.:_]{0,2}(?=[A-HJ-NP-Z]{0,4}[2-9]))(?P<code>[2-9A-HJ-NP-Z]{5})(?![^\W_])",
    re.IGNORECASE,
)


def is_question(text: str) -> bool:
    """Does the sentence ask something, by its punctuation or its words?"""
    plain = fold(text)
    return text.rstrip().endswith("?") or bool(_QUESTION_WORDS.search(plain)) or plain.endswith((" khong", " ko"))


def read_turn(words: Words, asked: Slot) -> Turn:
    """What this message does to a form that has just asked for `asked`."""
    text = clean(words.text)[:MAX_CHARS]
    if words.photo is not None:
        return Fills(_with_photo(words.photo, text, asked))
    if shared := _shared(words, text, asked):
        return Fills(shared)
    if asked != "report_what" and (correction := _find_correction(text, words, asked)):
        return correction
    if _is_interruption(words, asked):
        return Interrupts(words.intent)
    match asked:
        case "report_what":
            return _read_what(text, words)
        case "report_where" | "report_when":
            return (
                Fills({asked: SKIPPED if is_skip(text) else text, **_extras(words, asked)})
                if text
                else _unusable(asked)
            )
        case "report_photo":
            return _read_photo(text)
        case "report_phone":
            return _read_phone(text)
        case _:
            assert_never(asked)


def first_values(words: Words) -> dict[Slot, str]:
    """What the sentence that starts a report already tells: "tôi muốn phản ánh rác ở chợ Điện Biên từ hôm qua"."""
    text = clean(words.text)[:MAX_CHARS]
    rest = _OPENING.sub("", text).strip(" .,:;!-")
    if len(fold(rest).split()) < MIN_WORDS:
        return {}
    values: dict[Slot, str] = {"report_what": text}
    values.update(_extras(words, "report_what"))
    if phone := find_phone(text):
        values["report_phone"] = phone
    return values


MIN_WORDS = 3
"""Words beyond "tôi muốn phản ánh" from which the opening sentence itself is the content."""

_OPENING = re.compile(
    r"^\W*(?:(?:dạ|da|vâng|alo|ad|admin|shop|em|anh|chị|chi|cho|chào|chao|xin|tôi|toi|mình|minh|tui|cháu|chau"
    r"|bà con|người dân"
    r"|muốn|muon|cần|can|xin|được|duoc|đc|dc|gửi|gui|báo|bao|có|co|một|mot|1|về|ve|việc|viec|là|la|bác|bac"
    r"|chúng|chung)\W+)*"
    r"(?:phản ánh|phan anh|phản ảnh|kiến nghị|kien nghi|tố cáo|to cao|tố giác|to giac|khiếu nại|khieu nai"
    r"|góp ý|gop y|đề nghị|de nghi"
    r"|báo cáo|bao cao|yêu cầu hỗ trợ|yeu cau ho tro|xin hỗ trợ|xin ho tro|cần hỗ trợ|can ho tro|trình báo"
    r"|trinh bao)\b\W*"
    r"(?:(?:một|mot|1|về|ve|việc|viec|vụ|vu|sự việc|su viec|vấn đề|van de|là|la|rằng|rang|với|voi|tổng đài"
    r"|tong dai|cho tổng đài"
    r"|cái|cai|này|nay|như sau|nhu sau|ạ|a|nhé|nhe)\b\W*)*",
    re.IGNORECASE,
)


def _with_photo(photo: str, text: str, asked: Slot) -> dict[Slot, str]:
    """A picture counts whenever it comes; a caption answers what was asked, if that was not the picture itself."""
    values: dict[Slot, str] = {"report_photo": photo}
    if text and asked in ("report_what", "report_where", "report_when"):
        values[asked] = text
    return values


def _shared(words: Words, text: str, asked: Slot) -> dict[Slot, str]:
    """A shared place or number counts whenever it comes; words beside it answer what was asked.

    The address on a person's profile comes as words beside the number: it is where they live, so it is taken for the
    place of what happened only when that was asked.
    """
    beside = "" if text == words.place or find_phone(text) or asked != "report_where" else text
    values: dict[Slot, str] = {}
    if words.place is not None:
        values["report_where"] = f"{beside}; {words.place}" if beside else words.place
    if words.phone is not None and (phone := find_phone(words.phone)):
        values["report_phone"] = phone
        if beside:
            values.setdefault("report_where", beside)
    return values


def _extras(words: Words, asked: Slot) -> dict[Slot, str]:
    """Place and time that came along unasked."""
    found: dict[Slot, str] = {}
    if asked == "report_what" and (place := words.entities.get("place")):
        found["report_where"] = place
    if asked in ("report_what", "report_where") and (date := words.entities.get("date")):
        found["report_when"] = date
    return found


def _find_correction(text: str, words: Words, asked: Slot) -> Corrects | None:
    plain = fold(text)
    if not _CORRECTION.match(plain):
        return None
    value = _CORRECTION_HEAD.sub("", text).strip(" .,:;!-") or text
    for slot, pattern in _NAMES_SLOT:
        if pattern.search(plain):
            return Corrects(slot, find_phone(text) or value) if slot != "report_phone" or find_phone(text) else None
    if phone := find_phone(text):
        return Corrects("report_phone", phone)
    if words.entities.get("place") or re.search(r"\b(?:o|tai|duong|pho|ngo|thon|xom|xa|phuong|cho)\b", fold(value)):
        return Corrects("report_where", value)
    if words.entities.get("date") or re.search(
        r"\b(?:luc|hom|ngay|sang|trua|chieu|toi|dem|gio|\d{1,2}h)\b", fold(value)
    ):
        return Corrects("report_when", value)
    before = SLOTS[SLOTS.index(asked) - 1]
    return Corrects(before if before != "report_photo" else "report_what", value)


def _is_interruption(words: Words, asked: Slot) -> bool:
    """A question in between, and not an answer that happens to look like one."""
    if is_skip(words.text) or is_refusal(words.text, asked):
        return False
    if asked == "report_phone" and (find_phone(words.text) or _wrong_number(words.text)):
        return False
    if words.intent == NOT_UNDERSTOOD:
        # Questions can be about anything, so Rasa often knows no name for one. What happened may be told as a question.
        return asked != "report_what" and is_question(words.text)
    if words.intent not in QUESTION_INTENTS or words.confidence < SURE:
        return False
    if words.intent == "ticket_status" and words.entities.get("ticket_code"):
        return True
    if words.intent == "unit_contact" and _WANTS_CONTACT.search(fold(words.text)):
        return True
    return is_question(words.text)


def _read_what(text: str, words: Words) -> Turn:
    if len(fold(text).replace(" ", "")) < 4 or is_skip(text) or words.intent in ("affirm", "deny", "greet", "thanks"):
        return _unusable("report_what")
    values: dict[Slot, str] = {"report_what": text, **_extras(words, "report_what")}
    if phone := find_phone(text):
        values["report_phone"] = phone
    return Fills(values)


def _read_photo(text: str) -> Turn:
    if is_skip(text) or is_refusal(text, "report_photo"):
        return Fills({"report_photo": SKIPPED})
    if found := _URL.search(text):
        return Fills({"report_photo": found.group()})
    if phone := find_phone(text):
        return Fills({"report_photo": SKIPPED, "report_phone": phone})
    return Adds(text) if _tells_more(text) and not _HAS_PHOTO.match(fold(text)) else _unusable("report_photo")


def _read_phone(text: str) -> Turn:
    if phone := find_phone(text):
        return Fills({"report_phone": phone})
    if is_skip(text) or is_refusal(text, "report_phone"):
        return Fills({"report_phone": SKIPPED})
    if _wrong_number(text):
        return Unusable("utter_report_phone_wrong")
    return Adds(text) if _tells_more(text) else _unusable("report_phone")


def _wrong_number(text: str) -> bool:
    """Digits that look like a telephone number and are none: too few, too many, a wrong beginning."""
    return re.search(r"(?<!\d)\d(?:[\s.\-]?\d){4,}", text) is not None


def _tells_more(text: str) -> bool:
    return len(fold(text).split()) >= 4


def _unusable(asked: Slot) -> Unusable:
    return Unusable(f"utter_{asked}_unusable")
