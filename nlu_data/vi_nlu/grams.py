"""What an intent is recognised by: words, pairs, letters and classes of words. Pure, standard library only.

Each message gives one list of terms per block of BLOCKS. "Bố em ngã", "mẹ cháu ngã" and "ông nhà tôi ngã" share the
class pair "<người> nga", so a scene that was learned with one person is known with another. What each block brings is
measured in docs/nlu.md.
"""

import re
from collections.abc import Sequence
from typing import Final

BLOCKS: Final = ("words", "written", "letters", "ends", "classes")
WEIGHTS: Final = (1.0, 1.0, 1.0, 0.5, 1.0)
"""Of each block; every block is brought to length 1 first, so that a long message shouts no louder."""
PERSON: Final = "<người>"
NUMBER: Final = "<số>"
LETTERS: Final = (2, 3, 4, 5)
FAR: Final = (2, 3)
"""How far apart the words of a loose pair stand."""

_PERSONS = frozenset(
    re.findall(
        r"\w+",
        "bo me ba ma ong vo chong con chau em anh chi co chu bac cau di mo cu be ban nguoi hang xom minh toi tui tao to"
        " thang dua no bon ho ck vk bme ng nhoc thay bx",
    )
)


def terms_of(written: Sequence[str], plain: Sequence[str]) -> tuple[list[str], ...]:
    """Terms of a message's words, in the order of BLOCKS: `written` in lower case, `plain` folded, one for one."""
    return _words(plain), _written(written), _letters(plain), _ends(plain), _classes(plain)


def _words(plain: Sequence[str]) -> list[str]:
    loose = [f"{one}~{two}" for far in FAR for one, two in zip(plain, plain[far:], strict=False)]
    return [*plain, *_runs(plain, 2), *loose]


def _written(written: Sequence[str]) -> list[str]:
    return [*written, *_runs(written, 2)]


def _letters(plain: Sequence[str]) -> list[str]:
    """Letters inside words, blanks at both ends included."""
    out: list[str] = []
    for word in plain:
        padded = f" {word} "
        for size in LETTERS:
            out.extend(padded[at : at + size] for at in range(max(1, len(padded) - size + 1)))
    return out


def _ends(plain: Sequence[str]) -> list[str]:
    """How a message begins and ends, and how long it is: "có" alone is a yes, "có … không" is a question."""
    first, last = "^" + " ".join(plain[:1]), "$" + " ".join(plain[-1:])
    return [first, "^" + " ".join(plain[:2]), last, "$" + " ".join(plain[-2:]), f"#{min(len(plain) // 3, 6)}"]


def _classes(plain: Sequence[str]) -> list[str]:
    classed: list[str] = []
    for word in plain:
        name = PERSON if word in _PERSONS else NUMBER if any(one.isdigit() for one in word) else word
        if name != PERSON or not classed or classed[-1] != PERSON:
            classed.append(name)
    return [*classed, *_runs(classed, 2), *_runs(classed, 3)]


def _runs(words: Sequence[str], size: int) -> list[str]:
    return [" ".join(words[at : at + size]) for at in range(len(words) - size + 1)]
