"""Evidence that an entry answers a question, as numbers that a trained ranker weighs. Pure numpy."""

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

POOL: Final = 12
"""Texts taken from each kind of evidence before the ranker looks closely."""
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
)  # fmt: skip
VIEW_FEATURES: Final = (
    "words",           # how many telling words the view has, up to eight
    "strange",         # share of its telling weight that the bank has never seen
    "repairs",         # price of the guesses in reading it, per word
    "share",           # how much of the message's telling weight is in the view
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """One thing that may have been meant as the question."""

    words: tuple[str, ...]
    repairs: float
    """Price of the guesses in reading it, per word."""


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
        [min(telling, 8) / 8, 1 - known / asked, min(view.repairs, 4) / 4, min(1.0, asked / max(message_weight, 1e-6))],
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
        pair[at, 11:] = (
            covered,
            entry_covered,
            covered * entry_covered,
            min((every - both) / index.plain.idf_unknown, 3.0),
            min(asked * (1 - covered) / index.plain.idf_unknown, 3.0),
            fuzz.token_sort_ratio(line, own_line) / 100,
            float(line == own_line),
        )
    pair[:, 0] = (cosine - COSINE_FLOOR) * 5
    pair[:, 1] = np.where(answered, (answers[0] - COSINE_FLOOR) * 5, 0.0)
    pair[:, 2] = pair[:, 0].max() - pair[:, 0]
    pair[:, 3] = middle
    pair[:, 4] = np.where(answered, answers[1], 0.0)
    pair[:, 5] = middle.max() - middle
    pair[:, 6:10] = np.stack([marked, plain, pairs, letters], axis=1)
    pair[:, 10] = np.where(answered, answers[2], 0.0)
    return Scored(entries, best_piece, pair, of_view)


def _top(scores: FloatArray, count: int) -> NDArray[np.int64]:
    """Positions of the `count` largest positive scores."""
    rows = np.argpartition(-scores, count)[:count] if len(scores) > count else np.arange(len(scores))
    return rows[scores[rows] > 0].astype(np.int64)
