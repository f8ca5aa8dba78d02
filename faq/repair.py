"""Reading what was meant: the likeliest words behind typed ones, as a search for the cheapest way through a lattice.

Each typed word may stand for itself, for a word with other marks, for what its left-over keystrokes spell, for a short
form's meaning, for a misspelt or joined neighbour. Every reading has a price; the language model of the bank prices how
well neighbours go together; the cheapest row of readings wins (Viterbi).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from rapidfuzz.distance import OSA

from faq.lexicon import INITIALS_MAX, START, Lexicon
from faq.normalise import Abbreviations, key_of
from nlu_data.vi_nlu.text import is_plain_syllable, is_syllable, strip_diacritics, untype

MAX_WORDS: Final = 120
"""Longer messages are read to here; nobody's question starts after."""
KEEP: Final = 16
"""Readings kept per typed word."""

# Prices in nats, set by hand (docs/answers.md); their order matters more than their size.
UNSEEN_WORD = 2.0
NOT_A_WORD = 5.0
ADD_MARKS = 0.3
ADD_MARKS_AMONG_MARKED = 1.6
CHANGE_MARKS = 2.5
KEYSTROKES = 0.7
TABLE = 1.2
TABLE_NEXT = 0.4
TABLE_OVER_WORD = 1.3
SPOKEN = 1.5
SPLIT = 1.5
MISSPELT = 3.5
MISSPELT_KNOWN = 8.0
INITIALS = 3.5
FRAME = 3.0
SHORT_FORM_STAYS = 2.0
SEVERAL = 0.8

_DIGIT = re.compile(r"\d")
_SPOKEN_RULES: Final = tuple(
    (re.compile(pattern), change)
    for pattern, change in (
        (r"^dz", "d"), (r"^dz", "v"), (r"^z", "d"), (r"^z", "v"), (r"^z", "gi"), (r"^j", "gi"), (r"^j", "ch"),
        (r"^f", "ph"), (r"^w", "qu"), (r"^q(?!u)", "qu"), (r"^k(?=[aoăâôơuư])", "c"), (r"^c(?=[eêiy])", "k"),
        (r"^ck", "ch"), (r"^gh?(?=[eêi])", "gh"), (r"^ng(?=[eêi])", "ngh"), (r"^p(?=[^h])", "b"), (r"^d", "đ"),
        (r"(?<=[aăâeêioôơuưy])g$", "ng"), (r"(?<=[aăâeêioôơuưy])k$", "ch"), (r"(?<=[aăâeêioôơuưy])k$", "c"),
        (r"(?<=[aăâeêioôơuưy])h$", "nh"), (r"(?<=[aăâeêioôơuưy])j$", "i"), (r"j", "i"),
        (r"it$", "iêt"), (r"iu$", "iêu"), (r"ui$", "uôi"), (r"ui$", "ôi"), (r"un$", "uôn"), (r"ưi$", "ươi"),
        (r"^l", "n"), (r"^n(?=[^gh])", "l"), (r"^s", "x"), (r"^x", "s"), (r"^tr", "ch"), (r"^ch", "tr"),
        (r"^r", "d"), (r"^r", "gi"), (r"^d", "gi"), (r"^gi", "d"), (r"^d", "r"), (r"^v", "d"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What was meant by a row of typed words."""

    words: tuple[str, ...]
    repairs: float
    """Sum of the prices paid for readings that are guesses, in nats; 0 for text that stands as it was typed."""
    origin: tuple[int, ...]
    """For each of `words`, the position of the typed word it comes from."""


@dataclass(frozen=True, slots=True)
class _Arc:
    """A reading of `width` typed words."""

    width: int
    words: tuple[str, ...]
    price: float
    discount: float = 0.0


_Way = tuple["_Way | None", int, _Arc]
"""The way to here before this step, the typed word it starts at, and how that is read."""


def read(typed: Sequence[str], lexicon: Lexicon, table: Abbreviations) -> Reading:
    """The likeliest words behind `typed` (lower case, as `normalise.words_of` gives them). Pure."""
    typed = typed[:MAX_WORDS]
    marked = sum(not word.isascii() for word in typed)
    add_marks = ADD_MARKS if marked * 4 < len(typed) else ADD_MARKS_AMONG_MARKED
    # best[at][last word] = (cost so far, prices paid so far, way here): the cheapest way to have read `at` typed words
    best: list[dict[str, tuple[float, float, _Way | None]]] = [{} for _ in range(len(typed) + 1)]
    best[0][START] = (0.0, 0.0, None)
    costs, cost_of = lexicon.costs, lexicon.cost
    for at in range(len(typed)):
        arcs = (*_short_forms(typed, at, lexicon, table), *_arcs(typed[at], lexicon, table, add_marks))
        for last, (cost, paid, way) in best[at].items():
            for arc in arcs:
                total, before = cost + arc.price - arc.discount, last
                for word in arc.words:
                    step = costs.get((before, word))
                    total += cost_of(before, word) if step is None else step
                    before = word
                ahead = best[at + arc.width]
                if before not in ahead or total < ahead[before][0]:
                    ahead[before] = (total, paid + arc.price, (way, at, arc))
        best[at] = {}
    if not typed:
        return Reading((), 0.0, ())
    _, paid, way = min(best[-1].values(), key=lambda one: one[0])
    path: list[tuple[int, _Arc]] = []
    while way is not None:
        way, at, arc = way
        path.append((at, arc))
    path.reverse()
    words = tuple(word for _, arc in path for word in arc.words)
    return Reading(words, paid, tuple(at for at, arc in path for _ in arc.words))


def _short_forms(typed: Sequence[str], at: int, lexicon: Lexicon, table: Abbreviations) -> Iterator[_Arc]:
    """What short forms of several words that start at `at` may stand for."""
    for width in range(min(table.longest, len(typed) - at), 1, -1):
        for rank, meaning in enumerate(table.of(" ".join(typed[at : at + width]))):
            full = tuple(meaning.split())
            yield _Arc(width, full, TABLE + rank * TABLE_NEXT, _inside(full, lexicon))


def _arcs(word: str, lexicon: Lexicon, table: Abbreviations, add_marks: float) -> tuple[_Arc, ...]:
    """Every reading worth trying of one typed word; kept with the lexicon, since most words come up again."""
    known: tuple[_Arc, ...] | None = lexicon.kept_for(table).get((word, add_marks))
    if known is None:
        cheapest: dict[tuple[str, ...], float] = {}
        for words, price in _readings(word, lexicon, table, add_marks):
            if price < cheapest.get(words, 1e9):
                cheapest[words] = price
        best = sorted(cheapest.items(), key=lambda one: one[1])[:KEEP]
        known = tuple(_Arc(1, words, price, _inside(words, lexicon)) for words, price in best)
        lexicon.kept_for(table)[word, add_marks] = known
    return known


def _inside(words: tuple[str, ...], lexicon: Lexicon) -> float:
    """Discount on the steps inside a reading of several words: they come as one, and must not lose by their number."""
    return SEVERAL * sum(lexicon.cost(first, second) for first, second in pairwise(words))


def _readings(
    word: str, lexicon: Lexicon, table: Abbreviations, add_marks: float
) -> Iterator[tuple[tuple[str, ...], float]]:
    known = word in lexicon
    a_word = is_syllable(word)
    number = bool(_DIGIT.search(word))
    price = 0.0 if known or number else UNSEEN_WORD if a_word or is_plain_syllable(word) else NOT_A_WORD
    if word.isascii() and is_plain_syllable(word) and not known:
        price = max(price, add_marks + UNSEEN_WORD)
    if not a_word and table.of(word):
        price = max(price, SHORT_FORM_STAYS)
    yield (word,), price
    key = key_of(word)
    for other in lexicon.by_key.get(key, ()):
        if other != word:
            yield (
                (other,),
                add_marks if word == strip_diacritics(other) or word.isascii() else CHANGE_MARKS + 2.0 * known,
            )
    for rank, meaning in enumerate(table.of(word)):
        yield tuple(meaning.split()), TABLE + rank * TABLE_NEXT + (TABLE_OVER_WORD if known and a_word else 0.0)
    if number and not word[0].isalpha():
        return
    keyed = untype(word)
    if keyed != word:
        yield (keyed,), KEYSTROKES
        for other in lexicon.by_key.get(key_of(keyed), ()):
            if other != keyed:
                yield (other,), KEYSTROKES + (ADD_MARKS if keyed.isascii() else CHANGE_MARKS)
    if number:
        return
    single = re.sub(r"(.)\1", r"\1", word)
    if single != word and not a_word and not table.of(word):
        for meaning in table.of(single):
            yield tuple(meaning.split()), TABLE + 0.5
        for other in lexicon.by_key.get(key_of(single), ()):
            yield (other,), KEYSTROKES + 0.3
    bank_word = known and key in lexicon.bank_keys
    for spoken in _spoken(word):
        for other in lexicon.by_key.get(key_of(spoken), ()):
            extra = 0.0 if other == spoken or spoken.isascii() else CHANGE_MARKS
            yield (other,), SPOKEN + extra + (MISSPELT_KNOWN if known else 0.0)
    if not a_word and not is_plain_syllable(word) and not known:
        for parts in _split(word):
            if all(part in lexicon or key_of(part) in lexicon.by_key for part in parts):
                yield parts, SPLIT
                plain = tuple((lexicon.by_key.get(part) or (part,))[0] for part in parts)
                yield plain, SPLIT + ADD_MARKS
    if len(key) >= 3 and not bank_word:
        price = (
            MISSPELT + (MISSPELT_KNOWN if known else 0.0) - (1.0 if not a_word and not is_plain_syllable(word) else 0)
        )
        for other_key in _near(key, lexicon):
            for other in lexicon.by_key[other_key][:4]:
                yield (other,), price
    if not known and word.isalpha() and 2 <= len(key) <= INITIALS_MAX and not is_plain_syllable(key):
        if not any(letter in "aeiouy" for letter in key[1:]):
            for run in lexicon.by_initials.get(key, ()):
                yield run, INITIALS
        if all(letter not in "aeiouy" for letter in key):
            for cut in range(1, len(key)):
                for other in lexicon.by_frame.get(f"{key[:cut]}+{key[cut:]}", ())[:4]:
                    yield (other,), FRAME


def _near(key: str, lexicon: Lexicon) -> list[str]:
    """Known keys one slip away (two for long words): a letter swapped, missing, doubled or wrong."""
    limit = 1 if len(key) < 7 else 2
    found = []
    for other in lexicon.keys_of_length(max(2, len(key) - limit), len(key) + limit):
        if other != key and OSA.distance(key, other, score_cutoff=limit) <= limit:
            found.append(other)
    return found


@lru_cache(maxsize=20000)
def _spoken(word: str) -> tuple[str, ...]:
    """Syllables that `word` writes as it is spoken or hurried: "fải" → "phải", "bít" → "biết", "khôg" → "không"."""
    out = []
    layer = [word]
    for _ in range(2):
        grown = []
        for form in layer:
            for pattern, change in _SPOKEN_RULES:
                changed = pattern.sub(change, form, count=1)
                if changed != form:
                    grown.append(changed)
        out.extend(grown)
        layer = grown
    return tuple(dict.fromkeys(form for form in out if form != word and (is_syllable(form) or is_plain_syllable(form))))


@lru_cache(maxsize=20000)
def _split(word: str) -> tuple[tuple[str, ...], ...]:
    """Ways to see a long word as two or three syllables run together: "trịpháp" → "trị pháp"."""
    found: list[tuple[str, ...]] = []
    for cut in range(2, len(word) - 1):
        head, tail = word[:cut], word[cut:]
        if not (is_syllable(head) or is_plain_syllable(head)):
            continue
        if is_syllable(tail) or is_plain_syllable(tail):
            found.append((head, tail))
        elif len(tail) > 4:
            found.extend((head, *rest) for rest in _split(tail) if len(rest) == 2)
    return tuple(found)
