"""VIQR (RFC 1456): Vietnamese typed in ASCII, "Tie^'ng Vie^.t" for "Tiếng Việt"."""

import re
import unicodedata

from viparse.normalize.frequency import vietnamese_score

_SHAPES = {"^": "\u0302", "(": "\u0306", "+": "\u031b", "*": "\u031b"}
_TONES = {"'": "\u0301", "`": "\u0300", "?": "\u0309", "~": "\u0303", ".": "\u0323"}
_VOWEL = re.compile(r"\\([\\^(+*'`?~.dD])|([dD])([dD])|([aeoAEO]\^|[aA]\(|[ouOU][+*]|[aeiouyAEIOUY])(['`?~.]?)")
_SHAPED = re.compile(r"[aeoAEO]\^|[aA]\(|[ouOU][+*]|\b[dD][dD](?=[aeiouy])|[aeiouy]['`~](?=[a-z]|\s)")
_LETTER = re.compile(r"[A-Za-z]")
_LEAST_SHARE = 0.03
"""Vietnamese has a shaped vowel or đ in about one letter of eight; other ASCII text hardly ever shows these pairs."""


def looks_like(sample: str) -> bool:
    """Is this ASCII text Vietnamese in VIQR?"""
    letters = len(_LETTER.findall(sample))
    if letters < 8 or len(_SHAPED.findall(sample)) < max(2, letters * _LEAST_SHARE):
        return False
    return bool(vietnamese_score(convert(sample)) > vietnamese_score(sample) + 0.1)


def convert(text: str) -> str:
    """Unicode, NFC. A "?" or "." that ends the text, a line or a sentence stays punctuation."""
    return unicodedata.normalize("NFC", _VOWEL.sub(lambda found: _letter(found, text), text))


def _letter(found: re.Match[str], text: str) -> str:
    escaped, d, _, vowel, tone = found.groups()
    if escaped:
        return str(escaped)
    if d:
        return "đ" if d == "d" else "Đ"
    letter = str(vowel[0]) + (_SHAPES[vowel[1]] if len(vowel) > 1 else "")
    if tone in {"?", "."} and _ends_sentence(text, found.end()):
        return letter + str(tone)
    return letter + (_TONES[tone] if tone else "")


def _ends_sentence(text: str, at: int) -> bool:
    rest = text[at : at + 3]
    return not rest.strip() or rest[0] == "\n" or (rest[0] == " " and rest[1:2].isupper())
