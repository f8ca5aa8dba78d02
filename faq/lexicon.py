"""What words there are: counts of words and neighbours, from the banks and from ordinary citizens' Vietnamese."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from faq.normalise import key_of
from nlu_data.vi_nlu.text import is_syllable

START: Final = "<s>"
BANK_WEIGHT: Final = 4.0
"""A word of the bank counts as this many of ordinary speech: people who ask this bank speak of its subject."""
NEIGHBOUR_SHARE: Final = 0.6
"""Weight of the pair model against the single-word model."""
FLOOR: Final = 0.5
"""Count given to a word never seen."""
INITIALS_MAX: Final = 4
MOST_AFTER: Final = 12
MOST_RUNS: Final = 5000
"""Runs of words kept to grow longer ones from, the most frequent: a large bank must cost no more than a small one."""


Term = TypeVar("Term")
MOST_COSTS: Final = 200_000
MOST_KEPT: Final = 8000
"""Typed words whose readings are kept; about 1 KiB each."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How often words, and words after words, occur in a set of sentences."""

    words: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]]) -> "Counts":
        """Counted from sentences of words."""
        words: Counter[str] = Counter()
        pairs: Counter[tuple[str, str]] = Counter()
        for sentence in sentences:
            words.update(sentence)
            pairs.update(zip((START, *sentence), sentence, strict=False))
        return cls(words, pairs)

    def changed(self, more: "Counts", less: "Counts") -> "Counts":
        """With the sentences of `more`, without those of `less`; no word is left with a count of nothing."""
        words, pairs = self.words.copy(), self.pairs.copy()
        words.update(more.words)
        pairs.update(more.pairs)
        _take(words, less.words)
        _take(pairs, less.pairs)
        return Counts(words, pairs)

    def as_json(self) -> dict[str, Any]:
        """For a file; `from_json` is its inverse."""
        after: dict[str, dict[str, int]] = defaultdict(dict)
        for (first, second), times in sorted(self.pairs.items()):
            after[first][second] = times
        return {"words": dict(sorted(self.words.items())), "after": after}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Counts":
        """What `as_json` wrote."""
        pairs = {(first, second): times for first, rest in stored["after"].items() for second, times in rest.items()}
        return cls(Counter(stored["words"]), Counter(pairs))


class Lexicon:
    """The words of one index, over those of ordinary speech, and how likely they follow each other."""

    def __init__(self, bank: Counts, ordinary: Counts) -> None:
        self.bank, self._ordinary = bank, ordinary
        self._size = BANK_WEIGHT * bank.words.total() + ordinary.words.total() + 1.0
        self._before: dict[str, float] = defaultdict(float)
        for (first, _), times in bank.pairs.items():
            self._before[first] += BANK_WEIGHT * times
        for (first, _), times in ordinary.pairs.items():
            self._before[first] += times
        self.by_key: dict[str, tuple[str, ...]] = self._group(key_of)
        self.bank_keys = frozenset(key_of(word) for word in bank.words)
        self.by_frame: dict[str, tuple[str, ...]] = self._group(consonant_frame, bank.words)
        self.by_initials = self._initials()
        self._by_length: dict[int, list[str]] = defaultdict(list)
        # the more frequent first: of two slips of the same price the likelier word is kept
        for key in sorted(self.by_key, key=lambda one: (-self._count(self.by_key[one][0]), one)):
            self._by_length[len(key)].append(key)
        self.costs: dict[tuple[str, str], float] = {}
        """What `cost` has said so far."""
        self._kept: tuple[object, dict[Any, Any]] = None, {}

    def __contains__(self, word: str) -> bool:
        return word in self.bank.words or word in self._ordinary.words

    def cost(self, first: str, second: str) -> float:
        """How surprising `second` is after `first`: minus the natural logarithm of its probability."""
        known = self.costs.get((first, second))
        if known is None:
            alone = self._count(second) / self._size
            before = self._before.get(first, 0.0)
            after = 0.0
            if before:
                pair = (first, second)
                after = (BANK_WEIGHT * self.bank.pairs[pair] + self._ordinary.pairs[pair]) / (before + 2.0)
            known = -math.log(NEIGHBOUR_SHARE * after + (1 - NEIGHBOUR_SHARE) * alone)
            if len(self.costs) > MOST_COSTS:
                self.costs.clear()
            self.costs[first, second] = known
        return known

    def kept_for(self, table: object) -> dict[Any, Any]:
        """A place to keep what follows from these words and that table of short forms; emptied when it is full."""
        held = self._kept
        if held[0] is not table or len(held[1]) > MOST_KEPT:
            held = self._kept = table, {}
        return held[1]

    def keys_of_length(self, shortest: int, longest: int) -> list[str]:
        """Diacritic-free words of those lengths."""
        return [key for size in range(shortest, longest + 1) for key in self._by_length.get(size, ())]

    def _count(self, word: str) -> float:
        return BANK_WEIGHT * self.bank.words[word] + self._ordinary.words[word] + FLOOR

    def _group(self, form: Any, words: Iterable[str] | None = None) -> dict[str, tuple[str, ...]]:
        groups: dict[str, list[str]] = defaultdict(list)
        for word in words if words is not None else {**self.bank.words, **self._ordinary.words}:
            shape = form(word)
            if shape:
                groups[shape].append(word)
        return {shape: tuple(sorted(held, key=lambda w: (-self._count(w), w))[:12]) for shape, held in groups.items()}

    def _initials(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """Runs of two to four words of the bank by their first letters: "hộ khẩu" under "hk"."""
        following: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for (first, second), times in self.bank.pairs.items():
            if times > 1 and first != START and is_syllable(first) and is_syllable(second):
                following[first].append((second, times))
        runs: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
        for after in following.values():
            after.sort(key=lambda one: (-one[1], one[0]))
            del after[MOST_AFTER:]
        layer: list[tuple[tuple[str, ...], int]] = [((word,), 10**6) for word in following]
        for _ in range(INITIALS_MAX - 1):
            longer = []
            for run, times in layer:
                for second, often in following.get(run[-1], ()):
                    grown = ((*run, second), min(times, often))
                    if grown[1] >= len(run) + 1:  # a run of three must have been seen three times: else it is chance
                        longer.append(grown)
            if len(longer) > MOST_RUNS:  # sorting numbers first: most runs are too rare to be worth comparing as words
                rarest = sorted((times for _, times in longer), reverse=True)[MOST_RUNS - 1]
                longer = [one for one in longer if one[1] >= rarest]
            layer = sorted(longer, key=lambda one: (-one[1], one[0]))[:MOST_RUNS]
            for run, times in layer:
                runs["".join(key_of(word)[0] for word in run)][run] += times
        return {short: tuple(run for run, _ in found.most_common(6)) for short, found in runs.items()}


def _take(counts: Counter[Term], less: Counter[Term]) -> None:
    for one, times in less.items():
        counts[one] -= times
        if not counts[one]:
            del counts[one]


def consonant_frame(word: str) -> str:
    """First and last consonants of a syllable, as hurried writers keep them: "trường" → "tr+g", "được" → "d+c".

    Empty if the word has no vowel between two consonants.
    """
    key = key_of(word)
    start = next((at for at, letter in enumerate(key) if letter in "aeiouy"), 0)
    stop = next((at for at in range(len(key), 0, -1) if key[at - 1] in "aeiouy"), len(key))
    if not start or stop == len(key) or stop <= start:
        return ""
    tail = key[stop:]
    return f"{key[:start]}+{'g' if tail == 'ng' else 'h' if tail == 'nh' else tail}"
