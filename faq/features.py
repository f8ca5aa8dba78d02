"""Evidence that an entry answers a question, as numbers that a trained ranker weighs. Pure numpy."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from faq.embed import FloatArray
from faq.index import Index
from faq.normalise import is_telling, key_of, letter_grams, n_grams, weight_of
from faq.synonyms import Meaning, Synonyms

POOL: Final = 12
"""Texts taken from each kind of evidence before the ranker looks closely."""
RIVALS: Final = 10
"""Likely entries among which a word tells apart."""
LOCAL: Final = math.log(RIVALS + 1)
COSINE_FLOOR: Final = 0.78
"""E5's cosines of unrelated questions lie about here; features count from it."""

PAIR_FEATURES: Final = (
    "cosine",          # sentence vectors, best question or phrasing
    "cosine_answer",   # sentence vectors, start of the answer
    "cosine_rest",     # how far the best cosine of the view stands above this entry's
    "centred",         # the same three, seen from the middle of ordinary sentences
    "centred_answer",
    "centred_rest",
    "marked",          # BM25 on syllables with marks
    "plain",           # BM25 on syllables without marks
    "pairs",           # TF-IDF cosine on pairs of syllables
    "letters",         # TF-IDF cosine on runs of letters
    "answer_words",    # BM25 without marks, the answer
    "asked_covered",   # share of the question's telling words that the entry's text has
    "entry_covered",   # share of the entry text's telling words that the question has
    "both_covered",    # the product of the two
    "missing",         # telling weight of the entry's text that the question lacks
    "unasked",         # telling weight of the question that the entry's text lacks
    "fuzzy",           # letters in the same order, whichever words are between
    "same",            # the very same words
    "asked_meant",     # like asked_covered, a synonym counting as the word
    "entry_meant",
    "both_meant",
    "missing_meant",
    "unasked_meant",
    "asked_here",      # the same five, weighed by what tells the likely entries apart
    "entry_here",
    "both_here",
    "missing_here",
    "unasked_here",
    "kind_same",       # both ask how much, how long, where …
    "kind_other",      # they ask different things
    "kind_theirs",     # the entry asks something particular, the question nothing
    "kind_asked",      # the other way round
)  # fmt: skip
WORDS_END: Final = PAIR_FEATURES.index("asked_meant")
VIEW_FEATURES: Final = (
    "words",           # how many telling words the view has, up to eight
    "strange",         # share of its telling weight that the bank has never seen
    "repairs",         # price of the guesses in reading it, per word
    "share",           # how much of the message's telling weight is in the view
    "replaced",        # words were put in the bank's own terms
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """One thing that may have been meant as the question."""

    words: tuple[str, ...]
    repairs: float
    """Price of the guesses in reading it, per word."""
    replaced: bool = False
    """Were names put in the bank's own terms?"""


@dataclass(frozen=True, slots=True)
class Scored:
    """The evidence for every likely entry, from one view."""

    entries: NDArray[np.int64]
    """Positions in `index.entries`."""
    pieces: NDArray[np.int64]
    """Of each entry, the position of the piece that comes closest."""
    pair: FloatArray
    """Shape (entries, PAIR_FEATURES)."""
    view: FloatArray
    """Shape (VIEW_FEATURES,)."""


@dataclass(frozen=True, slots=True)
class Lexical:
    """Word evidence of one view for every piece of the index."""

    marked: FloatArray
    plain: FloatArray
    pairs: FloatArray
    letters: FloatArray
    keys: tuple[str, ...]

    @property
    def mixed(self) -> FloatArray:
        """One number per piece."""
        return 0.25 * (self.marked + self.plain + self.pairs) + 0.35 * self.letters


def score_words(index: Index, words: Sequence[str]) -> Lexical:
    """Word evidence of `words` for every piece."""
    keys = tuple(key_of(word) for word in words)
    return Lexical(
        index.marked.score(_weighted(words)),
        index.plain.score(_weighted(keys)),
        index.pairs.score(_weighted(n_grams(keys, 2))),
        index.letters.score(_weighted(letter_grams(keys))),
        keys,
    )


def _weighted(terms: Sequence[str]) -> dict[str, float]:
    return {term: float(times) for term, times in Counter(terms).items()}


def weigh(index: Index, words: Sequence[str]) -> dict[str, float]:
    """How telling each of `words` is: rarity in the bank, little for words of grammar; by diacritic-free key."""
    return {key_of(word): index.plain.idf(key_of(word)) * weight_of(word) for word in words}


def collect(
    index: Index,
    view: View,
    lexical: Lexical,
    vector: FloatArray,
    allowed: NDArray[np.bool_],
    message_weight: float,
    synonyms: Synonyms,
) -> Scored:
    """The evidence for the entries that any kind of evidence puts forward."""
    mixed = lexical.mixed
    rows = {int(row) for row in _top(np.where(index.is_answer, 0, mixed), POOL)}
    rows.update(int(row) for row in _top(lexical.letters, POOL))
    centred = index.dense.centre(vector)
    near, _ = index.dense.nearest(centred, POOL * 2)
    rows.update(int(row) for row in near)
    entries = np.array(sorted({int(index.owner[row]) for row in rows if allowed[index.owner[row]]}), np.int64)
    weights = weigh(index, view.words)
    asked = sum(weights.values()) or 1e-6
    known = sum(weight for key, weight in weights.items() if key in index.plain)
    telling = sum(is_telling(word) for word in view.words)
    of_view = np.array(
        [
            min(telling, 8) / 8,
            1 - known / asked,
            min(view.repairs, 4) / 4,
            min(1.0, asked / max(message_weight, 1e-6)),
            float(view.replaced),
        ],
        np.float32,
    )
    pair = np.zeros((len(entries), len(PAIR_FEATURES)), np.float32)
    best_piece = np.zeros(len(entries), np.int64)
    if not len(entries):
        return Scored(entries, best_piece, pair, of_view)
    held, starts = index.pieces_of_entries(entries)
    answer = index.is_answer[held]
    kinds = np.stack([index.dense.vectors[held] @ vector, index.dense.centred[held] @ centred, lexical.plain[held]])
    asks = np.concatenate([kinds, [one[held] for one in (lexical.marked, lexical.pairs, lexical.letters)]])
    cosine, middle, plain, marked, pairs, letters = np.maximum.reduceat(np.where(answer, -np.inf, asks), starts, axis=1)
    answers = np.maximum.reduceat(np.where(answer, kinds, -np.inf), starts, axis=1)
    answered = np.isfinite(answers[0])
    strength = np.where(answer, -np.inf, kinds[1] + mixed[held])
    stops = [*starts[1:].tolist(), len(held)]
    line = " ".join(lexical.keys)
    for at, (start, stop) in enumerate(zip(starts.tolist(), stops, strict=True)):
        piece = int(held[start + int(strength[start:stop].argmax())])
        best_piece[at] = piece
        theirs = index.telling(piece)
        both = sum(weight for key, weight in theirs.items() if key in weights)
        covered = sum(weight for key, weight in weights.items() if key in theirs) / asked
        every = sum(theirs.values())
        entry_covered = both / (every or 1e-6)
        own_line = index.lines[piece]
        pair[at, 11:WORDS_END] = (
            covered,
            entry_covered,
            covered * entry_covered,
            min((every - both) / index.plain.idf_unknown, 3.0),
            min(asked * (1 - covered) / index.plain.idf_unknown, 3.0),
            fuzz.token_sort_ratio(line, own_line) / 100,
            float(line == own_line),
        )
    order = np.argsort(-(middle + np.maximum.reduceat(mixed[held], starts)), kind="stable")[:RIVALS]
    pair[:, WORDS_END:] = meant(index, view, synonyms, [index.pieces[int(row)].words for row in best_piece], order)
    pair[:, 0] = (cosine - COSINE_FLOOR) * 5
    pair[:, 1] = np.where(answered, (answers[0] - COSINE_FLOOR) * 5, 0.0)
    pair[:, 2] = pair[:, 0].max() - pair[:, 0]
    pair[:, 3] = middle
    pair[:, 4] = np.where(answered, answers[1], 0.0)
    pair[:, 5] = middle.max() - middle
    pair[:, 6:10] = np.stack([marked, plain, pairs, letters], axis=1)
    pair[:, 10] = np.where(answered, answers[2], 0.0)
    return Scored(entries, best_piece, pair, of_view)


def meant(
    index: Index, view: View, synonyms: Synonyms, texts: Sequence[tuple[str, ...]], rivals: NDArray[np.int64]
) -> FloatArray:
    """What holds with synonyms, and what tells the likely entries (`rivals`) apart: one row per text."""
    ours = synonyms.meaning(view.words)
    theirs = [synonyms.meaning(words) for words in texts]
    grammar: dict[str, float] = {}
    for one in (ours, *theirs):
        grammar.update(one.grammar)
    seen: Counter[str | int] = Counter()
    for at in rivals:
        seen.update(theirs[at].every.keys())
        seen.update(theirs[at].named)
    count, unknown = len(rivals), index.plain.idf_unknown
    known: dict[tuple[str, frozenset[int]], tuple[float, float]] = {}

    def weights_of(meaning: Meaning) -> list[tuple[str, frozenset[int], float, float]]:
        """Every word once: key, senses, how telling it is in the bank, and among the rivals (not, if all have it)."""
        found = []
        for one in meaning.every.items():
            if one not in known:
                key, senses = one
                held = max((seen[sense] for sense in senses), default=0)
                near = math.log((count + 1) / (max(held, seen[key]) + 1))
                known[one] = index.plain.idf(key) * grammar[key], near * grammar[key]
            found.append((*one, *known[one]))
        return found

    words = weights_of(ours)
    all_bank = sum(weight for _, _, weight, _ in words) or 1e-6
    all_local = sum(near for _, _, _, near in words) or 1e-6
    rows = np.zeros((len(texts), len(PAIR_FEATURES) - WORDS_END), np.float32)
    for at, other in enumerate(theirs):
        got_bank = got_local = full_bank = full_local = met_bank = met_local = 0.0
        for key, senses, weight, near in words:
            if key in other.every or (senses and not senses.isdisjoint(other.named)):
                got_bank, got_local = got_bank + weight, got_local + near
        for key, senses, weight, near in weights_of(other):
            full_bank, full_local = full_bank + weight, full_local + near
            if key in ours.every or (senses and not senses.isdisjoint(ours.named)):
                met_bank, met_local = met_bank + weight, met_local + near
        asked, entry = got_bank / all_bank, met_bank / (full_bank or 1e-6)
        asked_here, entry_here = got_local / all_local, met_local / (full_local or 1e-6)
        rows[at] = (
            asked,
            entry,
            asked * entry,
            min((full_bank - met_bank) / unknown, 3.0),
            min((all_bank - got_bank) / unknown, 3.0),
            asked_here,
            entry_here,
            asked_here * entry_here,
            min((full_local - met_local) / LOCAL, 3.0),
            min((all_local - got_local) / LOCAL, 3.0),
            float(not ours.kinds.isdisjoint(other.kinds)),
            float(bool(ours.kinds) and bool(other.kinds) and ours.kinds.isdisjoint(other.kinds)),
            float(bool(other.kinds) and not ours.kinds),
            float(bool(ours.kinds) and not other.kinds),
        )
    return rows


def knows(index: Index, words: Sequence[str]) -> bool:
    """Does the bank use these words, and next to each other?"""
    keys = [key_of(word) for word in words]
    if len(keys) == 1:
        return keys[0] in index.plain
    return all(pair in index.pairs for pair in n_grams(keys, 2))


def _top(scores: FloatArray, count: int) -> NDArray[np.int64]:
    """Positions of the `count` largest positive scores."""
    rows = np.argpartition(-scores, count)[:count] if len(scores) > count else np.arange(len(scores))
    return rows[scores[rows] > 0].astype(np.int64)
