"""What a citizen picked: a button, its number, its place in the list, or its words. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bot.contracts.ids import EntryId
from bot.contracts.messages import Choice
from nlu_data.vi_nlu.text import clean, fold

PERSON = "#person"
HELPED, NOT_HELPED = "#helped", "#not-helped"
_ENTRY = "#q:"
LAST: Final = -1
_PLACES: Final[Mapping[str, int]] = {
    "dau tien": 1,
    "tren cung": 1,
    "cuoi cung": LAST,
    "duoi cung": LAST,
    "sau cung": LAST,
    "mot": 1,
    "nhat": 1,
    "dau": 1,
    "hai": 2,
    "ba": 3,
    "bon": 4,
    "tu": 4,
    "cuoi": LAST,
}
"""Words for a place in the list, longer ones first; folded, like all words here."""
_PLACE: Final = re.compile(rf"(?<!\w)(\d{{1,2}}|{'|'.join(_PLACES)})(?!\w)")
_SPELLED: Final = frozenset(("đầu", "dau", "ba", "tư", "tu", "nhất", "nhat"))
"""How the places' words are written that other words look like without diacritics: đâu, bà, từ, nhật."""
_AROUND: Final = frozenset(
    re.findall(
        r"\w+",
        """da vang ok a ah u um uh uhm thoi the thi la cai cau muc y phuong an lua chon so thu em toi minh chau con bac
        co chu anh chi ban ad admin shop muon can hoi xem biet lay doc tra loi cho giup dum ho voi luon di do day nay ay
        kia nhe nha nhi ha oi vay cam on nua them dong tren duoi""",
    )
)
"""Words that may stand around a number or the words of a choice: "dạ cho em xem câu 2 nhé"."""
_ASKING: Final = frozenset(
    re.findall(
        r"\w+",
        "gi nao dau sao bao nhieu may khong ko chua ai khi lam the co duoc phai can o va cua la thi",
    )
)
"""Words of every question: they tell no choice from another."""
_YES: Final = re.compile(
    r"^(?:(?:da|vang|a|ok|u) )*(?:vang|da|u|uh|um|uk|ukm|ok|oke|okie|yes|dung|phai|chuan|chinh xac|dung vay|dung the"
    r"|dung y|chuan luon)(?: (?:roi|r|a|vay|day|the|do|em|ban|ad|nhe|la no|cau do|cau nay|cai do|cai nay|y toi|y em"
    r"|chinh no|luon|no))*$"
)
_NO: Final = re.compile(
    r"^(?:(?:da|a|o|thoi|the thi) )*(?:(?:khong|ko|k|hong|hok|khum|deo|chang)(?: (?:phai|dung|co|thay|hoi))?"
    r"|chua (?:dung|phai)|sai|deu (?:khong|sai))"
    r"(?: (?:cau|cai|may|nhung|nao|nay|do|day|tren|ca|het|dung|phai|o|y|toi|em|minh|chau|can|muon|hoi|a|roi|r|dau|vay"
    r"|the|nhe|em|ban|ad|trong|so|dieu|luon|la|ban|oi))*$"
)


def entry_payload(entry: EntryId) -> str:
    """The payload of a button that stands for an entry."""
    return f"{_ENTRY}{entry}"


def entry_in(payload: str) -> EntryId | None:
    """The entry a payload stands for. Anyone may type a payload, so the entry must still be live to be sent."""
    number = payload.removeprefix(_ENTRY)
    if payload.startswith(_ENTRY) and number.isascii() and number.isdigit() and len(number) < 19:
        return EntryId(int(number))
    return None


def is_payload(text: str) -> bool:
    """True for words that only a button sends (Zalo gives a button's payload as text)."""
    return text in {PERSON, HELPED, NOT_HELPED} or entry_in(text) is not None


def find_choice(text: str, payload: str | None, offered: Sequence[Choice]) -> str | None:
    """The payload that `text` or a tapped button picks, or None when it picks nothing.

    A number counts only while choices are on offer; so do the words of a choice, whatever their spelling. While the
    bot waits for a choice between entries, "không phải câu nào" picks a person, and "đúng rồi" the only entry.
    """
    for one in (payload, text.strip()):
        if one and (is_payload(one) or any(choice.payload == one for choice in offered)):
            return one
    if not offered:
        return None
    folded = _bare(fold(text))
    place = _place_in(folded, _bare(clean(text).lower()).split())
    if place is not None:
        position = _last(offered) if place == LAST else place
        return offered[position - 1].payload if 1 <= position <= len(offered) else None
    for choice in offered:
        if folded and folded == _bare(fold(choice.title)):
            return choice.payload
    entries = [one for one in offered if entry_in(one.payload) is not None]
    if entries and offered[-1].payload == PERSON:
        if _NO.match(folded):
            return PERSON
        if len(entries) == 1 and _YES.match(folded):
            return entries[0].payload
    return _by_part(folded, entries)


def still_open(offered: Sequence[Choice]) -> tuple[Choice, ...]:
    """What of `offered` can still be picked by number or words after one was picked: the entries, if several."""
    entries = tuple(one for one in offered if entry_in(one.payload) is not None)
    return entries if len(entries) > 1 else ()


def _place_in(folded: str, written: Sequence[str]) -> int | None:
    """The one place that the words name, if they say nothing else: "cho em xem câu 2 nhé" → 2."""
    found = _PLACE.search(folded)
    if found is None or any(word not in _AROUND for word in _PLACE.sub(" ", folded, count=1).split()):
        return None
    looks = [word for word in written if fold(word) in _SPELLED]
    if looks and (set(looks) - _SPELLED or "hoi" in folded.split()):  # "cho bà hỏi", "đâu ạ"
        return None
    return _PLACES.get(found.group(1)) or (int(found.group(1)) if found.group(1).isdecimal() else None)


def _by_part(folded: str, entries: Sequence[Choice]) -> str | None:
    """The entry whose title has all of the words, if it is the only one of several and they say what it is about.

    Where only one was offered the same words may well be the question once more; "đúng" picks it.
    """
    if len(entries) < 2:
        return None
    words = {word for word in folded.split() if word not in _AROUND}
    if len(words - _ASKING) < 2:
        return None
    fits = [one.payload for one in entries if words <= set(_bare(fold(one.title)).split())]
    return fits[0] if len(fits) == 1 else None


def _last(offered: Sequence[Choice]) -> int:
    """Number of the last choice that is an answer: "Gặp cán bộ" stands below them all."""
    return max((at for at, one in enumerate(offered, start=1) if one.payload != PERSON), default=0)


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text))
