"""When two questions or answers are the same: case, punctuation, blanks and the place of a tone mark don't count."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb_import.scan import LATIN_END, MARK, PUNCTUATION, VIETNAMESE, Codes, codes_of, in_batches, text_of

_BETWEEN_WORDS = "?.,:;!()[]{}\"'“”‘’-–—/\\…•*+_\n\t\r\xa0"
_PLACED = {
    **dict(zip(("oà", "oá", "oả", "oã", "oạ"), ("òa", "óa", "ỏa", "õa", "ọa"), strict=True)),
    **dict(zip(("oè", "oé", "oẻ", "oẽ", "oẹ"), ("òe", "óe", "ỏe", "õe", "ọe"), strict=True)),
    **dict(zip(("uỳ", "uý", "uỷ", "uỹ", "uỵ"), ("ùy", "úy", "ủy", "ũy", "ụy"), strict=True)),
}
_NEW_STYLE = re.compile(r"(?:o[àáảãạèéẻẽẹ]|u[ỳýỷỹỵ](?<!qu.))(?!\w)")
"""An open syllable with its tone on the second vowel ("hoà"); after "q" the u is no vowel ("quý")."""
_FEW = 32
"""Texts for which one array is no gain."""


def keys_of(texts: Sequence[str]) -> list[str]:
    """One key for each text: equal keys, same question. Texts must be NFC."""
    keys: list[str] = []
    for batch in in_batches(texts):
        keys += (_keys_at_once(batch) if len(batch) > _FEW else None) or [key_of(one) for one in batch]
    return keys


def key_of(text: str) -> str:
    """The key of one text."""
    plain = text.casefold()
    for one in _BETWEEN_WORDS:
        plain = plain.replace(one, " ")
    while "  " in plain:
        plain = plain.replace("  ", " ")
    return _NEW_STYLE.sub(lambda found: _PLACED[found.group()], plain).strip()


class _Tables(NamedTuple):
    """By code unit; all zero for characters that only `key_of` can treat."""

    fold: NDArray[np.uint16]
    is_word: NDArray[np.bool_]
    before: NDArray[np.uint16]
    """The vowel that must stand before this one for the tone to move there, else 0."""
    toned: NDArray[np.uint16]
    """That vowel with the tone."""
    bare: NDArray[np.uint16]
    """This one without."""


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    size = 1 << 16
    tables = _Tables(*(np.zeros(size, dtype=np.uint16 if name != "is_word" else np.bool_) for name in _Tables._fields))
    known = (range(0x20, LATIN_END), range(*VIETNAMESE), *(range(*one) for one in PUNCTUATION))
    for code in (0x09, 0x0A, 0x0D, ord(MARK), *(one for part in known for one in part)):
        folded = " " if chr(code) in _BETWEEN_WORDS else chr(code).casefold()
        if len(folded) == 1 and ord(folded) < size:
            tables.fold[code] = ord(folded)
            tables.is_word[code] = chr(code).isalnum()
    for new, old in _PLACED.items():
        code = ord(new[1])
        tables.before[code], tables.toned[code], tables.bare[code] = ord(new[0]), ord(old[0]), ord(old[1])
    return tables


def _keys_at_once(texts: Sequence[str]) -> list[str] | None:
    """The same as `key_of` of each, in one pass over all of them joined; None if a character needs a closer look."""
    tables = _tables()
    codes = tables.fold[codes_of(MARK.join(texts))]
    if not codes.all():
        return None
    _place_tones(codes, tables)
    blank = codes == 0x20
    double = blank[1:] & blank[:-1]
    if double.any():
        codes = codes[np.concatenate(([True], ~double))]
    keys = list(map(str.strip, text_of(codes).split(MARK)))
    return keys if len(keys) == len(texts) else None


def _place_tones(codes: Codes, tables: _Tables) -> None:
    for vowel in ("o", "u"):
        places = np.flatnonzero(codes[:-1] == ord(vowel))
        places = places[tables.before[codes[places + 1]] == ord(vowel)]
        if vowel == "u" and len(places):
            places = places[(places == 0) | (codes[places - 1] != ord("q"))]
        last = places + 2 >= len(codes)
        places = places[last | ~tables.is_word[codes[np.minimum(places + 2, len(codes) - 1)]]]
        following = codes[places + 1]
        codes[places], codes[places + 1] = tables.toned[following], tables.bare[following]
