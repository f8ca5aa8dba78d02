"""What a citizen picked: a button, its number, or its words. Pure."""

import re
from collections.abc import Sequence

from bot.contracts.ids import EntryId
from bot.contracts.messages import Choice
from nlu_data.vi_nlu.text import fold

PERSON = "#person"
HELPED, NOT_HELPED = "#helped", "#not-helped"
_ENTRY = "#q:"
_NUMBER = re.compile(
    r"^(?:(?:da|vang|so|chon|cau|muc|y|phuong an|cai|lua chon|em|toi|minh) )*(?:thu )?"
    r"(\d{1,2}|mot|nhat|dau|dau tien|hai|ba|bon|tu|cuoi|cuoi cung)"
    r"(?: (?:a|nhe|nha|di|do|nay|em|ban|ad|oi|vay|cam on))*$"
)
_WORDS = {
    "mot": 1,
    "nhat": 1,
    "dau": 1,
    "dau tien": 1,
    "hai": 2,
    "ba": 3,
    "bon": 4,
    "tu": 4,
    "cuoi": -1,
    "cuoi cung": -1,
}


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

    A number counts only while choices are on offer; so do the words of a choice, whatever their spelling.
    """
    for one in (payload, text.strip()):
        if one and (is_payload(one) or any(choice.payload == one for choice in offered)):
            return one
    if not offered:
        return None
    folded = " ".join(fold(text).split())
    number = _NUMBER.match(folded)
    if number:
        position = _WORDS.get(number.group(1)) or int(number.group(1))
        if position == -1:
            position = _last(offered)
        return offered[position - 1].payload if 1 <= position <= len(offered) else None
    wanted = _bare(folded)
    for choice in offered:
        if wanted and wanted == _bare(fold(choice.title)):
            return choice.payload
    return None


def _last(offered: Sequence[Choice]) -> int:
    """Number of the last choice that is an answer: "Gặp cán bộ" stands below them all."""
    return max((at for at, one in enumerate(offered, start=1) if one.payload != PERSON), default=0)


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text))
