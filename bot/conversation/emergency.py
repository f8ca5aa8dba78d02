"""Emergencies by their words, in every spelling, and by Rasa's intent. Pure; the words are data in emergency.yml.

A message that names a danger to life gets the number to call first, then a person at once, whatever else it says. Words
find what is called by its name, even while Rasa is down; the intent finds scenes that are only described. How well each
does alone, and both together, is measured in docs/emergencies.md.

Words are compared without diacritics, but a mark that was written must not contradict: "kho tho", "khó tho" and "khó
thở" all mean "khó thở"; "ngắt" does not mean "ngất". Telex and VNI keys, teencode, drawn-out letters, words run
together and one slip in a word that is no Vietnamese syllable are read as what they stand for.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from nlu_data.vi_nlu.text import clean, has_diacritics, is_plain_syllable, strip_diacritics, untype, untype_telex

WORDS: Final = Path(__file__).with_name("emergency.yml")
GAP_WORDS: Final = 3
"""How many words "…" stands for at most."""
SURE_INTENT: Final = 0.4
"""From this confidence in the intent `emergency` on a message is one, whether or not another intent is likelier.

Set on sentences of our own by cross-validation, so that words and intent together miss less than one in a hundred.
"""
SURE_UNMARKED: Final = 0.3
"""The same for a text without any diacritics, of which intent and vector know less."""
CLEARLY: Final = 3
"""How many times as often as the next a kind must be mentioned to be clear; and at least TWICE."""
TWICE: Final = 2
INTENT: Final = "emergency"
"""The name of the intent."""
BY_INTENT: Final = "intent"
"""What `Emergency.matched` says when no words gave it away."""


class EmergencyKind(StrEnum):
    """What kind of help is needed first."""

    MEDICAL = "medical"
    SUICIDE = "suicide"
    FIRE = "fire"
    """Fire and rescue: also water, collapse and people who are trapped."""
    CRIME = "crime"
    UNCLEAR = "unclear"
    """An emergency that does not say which: all three numbers are given."""


@dataclass(frozen=True, slots=True)
class Emergency:
    """A danger to life that a message names."""

    kind: EmergencyKind
    matched: str
    """The words that gave it away, as written."""


def find_emergency(text: str) -> Emergency | None:
    """The emergency that `text` names, or None.

    `always` words and `cries` for help count whatever else is said. `danger` words count unless the message asks about
    things in general, or
    about law, benefits, prevention and the past, and nothing in it says that it happens now. `signs` are
    weaker: they need a person and something going on. Harmless turns of phrase are taken out first.
    """
    words = _words()
    tokens = _tokens(text)
    found, cry = words.always.first(tokens), words.cries.first(tokens)
    if found is None:
        found = words.danger.first(tokens)
        if found is not None and cry is None and not words.now.first(tokens):
            general = words.asking.first(tokens) and not words.people.first(tokens)
            found = None if general or words.topics.first(tokens) else found
    found = found or cry or words.sign(tokens)
    if found is None:
        return None
    kind, start, end = found
    return Emergency(EmergencyKind(kind), " ".join(one.written for one in tokens[start:end]))


def sure_enough(text: str) -> float:
    """From which confidence on (0..1) `text` is an emergency though no words give it away."""
    return SURE_INTENT if has_diacritics(text) else SURE_UNMARKED


def by_intent(text: str) -> Emergency:
    """The emergency that only the intent sees in `text`."""
    return Emergency(kind_of(text), BY_INTENT)


def kind_of(text: str) -> EmergencyKind:
    """Which help a scene needs: the kind that it mentions more than once and far more than others; else UNCLEAR."""
    words = _words()
    tokens = _tokens(text)
    named = {found for phrases in (words.always, words.danger, words.hints) for found in phrases.all(tokens)}
    times = Counter(kind for kind, _, _ in named).most_common(2)
    if not times or times[0][1] < TWICE or (len(times) > 1 and times[0][1] < CLEARLY * times[1][1]):
        return EmergencyKind.UNCLEAR
    return EmergencyKind(times[0][0])


# --- phrases ---------------------------------------------------------------------------------------------------------

_SPLIT = re.compile(r"[^\W_]+")
_GAP = "…"


def _tokens(text: str) -> "list[_Token]":
    """The words of `text`; those of harmless turns of phrase stand for nothing."""
    tokens = [_read(one) for written in _SPLIT.findall(clean(text).lower()) for one in _parted(written)]
    for start, end in list(_words().harmless.spans(tokens)):
        for at in range(start, end):
            tokens[at] = _Token(tokens[at].written, ())
    return tokens


@dataclass(frozen=True, slots=True)
class _Spelling:
    """A word without diacritics, and the diacritics it was written with."""

    plain: str
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Token:
    written: str
    spellings: tuple[_Spelling, ...]
    """What it may stand for."""
    guessed: bool = False
    """A slip was mended: too weak to be an emergency by itself."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    kind: str
    words: tuple[tuple[_Spelling, ...] | None, ...]
    """For each word its alternatives; None for a gap."""
    exact: bool
    """Only with all its diacritics: without, it means something else too often."""


class _Phrases:
    """Phrases, found by their first word."""

    def __init__(self, phrases: Iterable[_Phrase]) -> None:
        self._by_first: dict[str, list[_Phrase]] = {}
        for phrase in phrases:
            for first in phrase.words[0] or ():
                self._by_first.setdefault(first.plain, []).append(phrase)

    def first(self, tokens: Sequence[_Token]) -> tuple[str, int, int] | None:
        """Kind, start and end of the first phrase in `tokens`."""
        return next(self.all(tokens), None)

    def spans(self, tokens: Sequence[_Token]) -> Iterator[tuple[int, int]]:
        """Start and end of every phrase in `tokens`."""
        return ((start, end) for _, start, end in self.all(tokens))

    def all(self, tokens: Sequence[_Token]) -> Iterator[tuple[str, int, int]]:
        """Kind, start and end of every phrase in `tokens`."""
        for start, token in enumerate(tokens):
            for spelling in token.spellings:
                for phrase in self._by_first.get(spelling.plain, ()):
                    end = _end_of(phrase, 0, tokens, start)
                    if end and (len(phrase.words) > 1 or not token.guessed):
                        yield phrase.kind, start, end


def _end_of(phrase: _Phrase, at: int, tokens: Sequence[_Token], position: int) -> int | None:
    """Where the phrase from its word `at` on ends if it stands at `position`."""
    if at == len(phrase.words):
        return position
    wanted = phrase.words[at]
    if wanted is None:
        for skipped in range(GAP_WORDS + 1):
            end = _end_of(phrase, at + 1, tokens, position + skipped)
            if end:
                return end
        return None
    if position >= len(tokens) or not _means(tokens[position], wanted, exact=phrase.exact):
        return None
    return _end_of(phrase, at + 1, tokens, position + 1)


def _means(token: _Token, wanted: tuple[_Spelling, ...], *, exact: bool) -> bool:
    return any(
        one.plain == word.plain and (one.marks == word.marks if exact else one.marks <= word.marks)
        for one in token.spellings
        for word in wanted
    )


@dataclass(frozen=True, slots=True)
class _Words:
    always: _Phrases
    cries: _Phrases
    danger: _Phrases
    signs: _Phrases
    hints: _Phrases
    asking: _Phrases
    topics: _Phrases
    now: _Phrases
    people: _Phrases
    persons: _Phrases
    urgent: _Phrases
    harmless: _Phrases
    spellings: dict[str, tuple[_Spelling, ...]]
    vocabulary: frozenset[str]
    """Every word of every phrase, without diacritics."""
    slips: dict[str, tuple[str, ...]]
    """A vocabulary word with one letter left out → the words it may be."""
    run_together: dict[str, tuple[str, str]]

    def sign(self, tokens: Sequence[_Token]) -> tuple[str, int, int] | None:
        """A weak sign of danger to a person, now, in a message that asks nothing in general."""
        ours = self.people.first(tokens)
        if self.topics.first(tokens) or (self.asking.first(tokens) and not ours):
            return None
        return self.signs.first(tokens) if self.persons.first(tokens) and self.urgent.first(tokens) else None


@lru_cache(maxsize=1)
def _words() -> _Words:
    data = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    names = ("always", "cries", "danger", "signs", "hints")
    dangers = {name: [_phrase(*one) for one in _each(data[name])] for name in names}
    others = {
        name: [_phrase("", one) for one in data[name]]
        for name in ("asking", "topics", "now", "people", "persons", "urgent", "harmless")
    }
    everything = [one for phrases in (dangers | others).values() for one in phrases]
    vocabulary = frozenset(each.plain for one in everything for word in one.words if word for each in word)
    slips: dict[str, set[str]] = {}
    for word in vocabulary:
        for shorter in _one_left_out(word):
            slips.setdefault(shorter, set()).add(word)
    return _Words(
        **{name: _Phrases(phrases) for name, phrases in (dangers | others).items()},
        spellings=_spellings(data["spellings"]),
        vocabulary=vocabulary,
        slips={shorter: tuple(sorted(words)) for shorter, words in slips.items()},
        run_together=dict(_run_together(one for phrases in dangers.values() for one in phrases)),
    )


def _each(by_kind: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    return ((kind, phrase) for kind, phrases in by_kind.items() for phrase in phrases)


def _phrase(kind: str, text: str) -> _Phrase:
    bare = text.removeprefix("=")
    words = tuple(
        None if word == _GAP else tuple(_spelling(one) for one in word.split("/"))
        for word in bare.lower().replace("...", _GAP).split()
    )
    return _Phrase(kind, words, text.startswith("="))


def _spellings(table: dict[str, list[Any]]) -> dict[str, tuple[_Spelling, ...]]:
    found: dict[str, list[_Spelling]] = {}
    for meant, written in table.items():
        for one in written:
            found.setdefault(str(one).lower(), []).append(_spelling(meant))
    return {word: tuple(meant) for word, meant in found.items()}


def _run_together(phrases: Iterable[_Phrase]) -> Iterator[tuple[str, tuple[str, str]]]:
    for phrase in phrases:
        for first, second in zip(phrase.words, phrase.words[1:], strict=False):
            for one in first or ():
                for two in second or ():
                    if not is_plain_syllable(one.plain + two.plain):
                        yield one.plain + two.plain, (one.plain, two.plain)


# --- words -----------------------------------------------------------------------------------------------------------

_RUN = re.compile(r"([^\W\d_])\1+")
_DIGIT_LETTERS = str.maketrans("0134", "oiea")
_TILDE, _HOOK = "\u0303", "\u0309"
_TELEX_TAIL = re.compile(r"(?<=[a-z]{2})[1-9]$")


def _spelling(word: str) -> _Spelling:
    """ "thở" → "tho" with horn and hook; ngã and hỏi are often mistaken for each other and count as one."""
    marks = frozenset(one.replace(_TILDE, _HOOK) for one in unicodedata.normalize("NFD", word) if _is_mark(one))
    return _Spelling(strip_diacritics(word), marks | ({"đ"} if "đ" in word else frozenset()))


def _is_mark(character: str) -> bool:
    return unicodedata.combining(character) != 0


def _parted(written: str) -> tuple[str, ...]:
    """ "khotho" → "kho", "tho", where the two stand together in a phrase and the one word is no syllable."""
    return _words().run_together.get(strip_diacritics(written), (written,))


@lru_cache(maxsize=20_000)
def _read(written: str) -> _Token:
    """What a lower-case word may stand for, the likeliest first."""
    known = _words()
    found: dict[_Spelling, None] = {}
    for once in dict.fromkeys((written, _RUN.sub(r"\1", written))):
        found.update(dict.fromkeys(known.spellings.get(once, ())))
    shapes = dict.fromkeys((written, untype(written), *_without_digits(written)))
    if "oong" in written:  # "khoong" could be a word as "boong" is one, but is "không" with a key too many
        shapes[untype_telex(written) or written] = None
    for shape in list(shapes):
        if _RUN.search(shape) and not is_plain_syllable(strip_diacritics(shape)):
            single, double = _RUN.sub(r"\1", shape), _RUN.sub(r"\1\1", shape)
            shapes.update(dict.fromkeys((single, double, _RUN.sub(r"\1", strip_diacritics(shape)))))
    found.update(dict.fromkeys(_spelling(shape) for shape in shapes))
    if any(_is_word(one.plain, known) for one in found):
        return _Token(written, tuple(found))
    marks = _spelling(written).marks
    mended = dict.fromkeys(_Spelling(word, marks) for word in _mended(strip_diacritics(written), known))
    return _Token(written, (*found, *mended), guessed=True)


def _without_digits(word: str) -> Iterator[str]:
    """Digits typed for letters ("th0") and VNI tone keys that stayed ("kho1"); "f0", "o2" and "114" stay."""
    if len(word) > 2 and word[0].isalpha() and not word.isalpha():
        yield word.translate(_DIGIT_LETTERS)
        yield _TELEX_TAIL.sub("", word)


def _is_word(plain: str, known: _Words) -> bool:
    return plain in known.vocabulary or is_plain_syllable(plain) or len(plain) < 3 or not plain.isalpha()


def _mended(plain: str, known: _Words) -> Iterator[str]:
    """Vocabulary words that `plain` is one slip away from: two letters swapped, else one too many, too few or wrong."""
    swapped = [plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :] for at in range(len(plain) - 1)]
    if fitting := [one for one in swapped if one in known.vocabulary or is_plain_syllable(one)]:
        yield from fitting
        return
    yield from known.slips.get(plain, ())
    for shorter in _one_left_out(plain):
        if shorter in known.vocabulary:
            yield shorter
        if len(plain) > 3:
            yield from (one for one in known.slips.get(shorter, ()) if len(one) == len(plain))


def _one_left_out(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(len(word))} if len(word) > 2 else set()
