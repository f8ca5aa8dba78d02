"""Long texts become several messages: cut at sentence ends, never inside a word or a link."""

import re
import unicodedata

SENTENCE_END = re.compile(r"""[.!?…]+["”’'»)\]]*(?=\s)""")
PARAGRAPH_END = re.compile(r"\n[ \t]*\n")
LINE_END = re.compile(r"\n")
BLANK = re.compile(r"\s")
ABBREVIATION = re.compile(
    r"(?:^|\s)[(“\"]?(?:tp|tx|tt|ts|ths|bs|gs|pgs|ks|ds|ub|ubnd|đt|st|tr|v\.v|[a-zđ]|\d{1,3})$", re.I
)
"""What stands before a full stop that ends no sentence: "TP. Thanh Hóa", "ThS. Lan", "1. Hồ sơ"."""


def chars(text: str) -> int:
    """Length as the strictest platform may count it: UTF-16 units, so that an emoji outside the BMP is two."""
    return len(text) + sum(one > "\uffff" for one in text)


def split_for(text: str, max_chars: int) -> list[str]:
    """The text, NFC, in parts of at most `max_chars`, in order; nothing but white space at the cuts is lost.

    A cut is made at the last paragraph end of the second half, else the last line or sentence end, else the last
    blank. Only a single word longer than `max_chars` (no such link is known) is cut inside. Blank text: no parts.
    """
    if max_chars < 2:
        raise ValueError("max_chars must be at least 2")
    rest = unicodedata.normalize("NFC", text).strip()
    parts: list[str] = []
    while chars(rest) > max_chars:
        cut = _cut(rest, _fitting(rest, max_chars))
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    if rest:
        parts.append(rest)
    return parts


def _fitting(text: str, max_chars: int) -> int:
    """How many code points of `text`, which is too long, fit."""
    room = max_chars
    for index, one in enumerate(text):
        room -= 2 if one > "\uffff" else 1
        if room < 0:
            return index
    return len(text)


def _cut(text: str, room: int) -> int:
    """Where to cut a text of which `room` code points fit; 1 ≤ cut ≤ room."""
    ahead = text[: room + 1]  # one more: a cut before the blank that follows a full part is fine
    paragraphs = [one.start() for one in PARAGRAPH_END.finditer(ahead) if room // 2 <= one.start() <= room]
    if paragraphs:
        return paragraphs[-1]
    ends = [one.start() for one in LINE_END.finditer(ahead)]
    ends += [one.end() for one in SENTENCE_END.finditer(ahead) if not _abbreviates(ahead, one)]
    ends = [one for one in ends if 0 < one <= room]
    if ends:
        return max(ends)
    blanks = [one.start() for one in BLANK.finditer(ahead) if 0 < one.start() <= room]
    return blanks[-1] if blanks else max(1, _whole_character(text, room))


def _abbreviates(text: str, end: re.Match[str]) -> bool:
    return end.group()[0] == "." and ABBREVIATION.search(text[max(0, end.start() - 12) : end.start()]) is not None


def _whole_character(text: str, cut: int) -> int:
    """Step back over marks that belong to the letter before them."""
    while cut > 1 and (unicodedata.combining(text[cut]) or text[cut] in "\u200d\ufe0f"):
        cut -= 1
    return cut
