"""Word evidence: inverted lists over numpy arrays, scored for all texts of an index at once.

Lists are never changed: `Postings.changed` makes new ones out of them in a few passes over arrays, without looking at
the words of texts that stay. Whether made at once or by any row of changes, the same texts give the very same numbers:
what is summed over is either summed exactly or in an order that the question sets.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, count
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
Offsets = NDArray[np.int64]

K1: Final = 1.2
B: Final = 0.6
"""BM25's usual constants (Robertson & Zaragoza 2009), a little less length penalty: questions are all short."""
EXACT: Final = np.float32(1 << 24)
"""Squares are rounded to this part of one before they are summed: whole numbers add up to the same in any order."""


class Postings:
    """Which text holds which term, with what weight."""

    def __init__(self, texts: Sequence[Sequence[str]] = (), *, bm25: bool) -> None:
        self._bm25 = bm25
        self._numbers: defaultdict[str, int] = defaultdict(count().__next__)
        """Every term's number. Shared by all lists that come from one another, and only ever added to."""
        self._begin(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int32))
        if texts:
            grown = self.changed(np.arange(len(texts)), texts)
            self._begin(grown._starts, grown._rows, grown._times, grown._lengths)

    def changed(self, origin: NDArray[np.int64], fresh: Sequence[Sequence[str]]) -> "Postings":
        """The lists of other texts: the one at `at` is this one's text at `origin[at]`, or, counted on from the end of
        these, one of `fresh`."""
        other = Postings.__new__(Postings)
        other._bm25, other._numbers = self._bm25, self._numbers
        place = np.full(self.size + len(fresh), -1, np.int32)
        place[origin] = np.arange(len(origin), dtype=np.int32)
        terms, texts, times = self._count(fresh)
        size = len(self._numbers)
        starts = np.concatenate([self._starts, np.full(size + 1 - len(self._starts), self._starts[-1])])
        rows = place[: self.size][self._rows]
        stays = rows >= 0
        kept_starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(stays, dtype=np.int64)])[starts]
        kept, new = np.diff(kept_starts), np.bincount(terms, minlength=size)
        joined = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept + new)])
        old_at = np.arange(kept_starts[-1]) + np.repeat(joined[:-1] - kept_starts[:-1], kept)
        new_at = np.arange(len(terms)) + np.repeat(joined[1:] - np.cumsum(new), new)
        all_rows, all_times = np.empty(joined[-1], np.int32), np.empty(joined[-1], np.int32)
        all_rows[old_at], all_times[old_at] = rows[stays], self._times[stays]
        all_rows[new_at], all_times[new_at] = place[self.size :][texts], times
        lengths = np.concatenate([self._lengths, np.fromiter(map(len, fresh), np.int32, len(fresh))])[origin]
        other._begin(joined, all_rows, all_times, lengths)
        return other

    def _begin(self, starts: Offsets, rows: IntArray, times: IntArray, lengths: IntArray) -> None:
        """Weights for these lists: term n has `rows[starts[n]:starts[n + 1]]`, in no order, each so many times."""
        self.size = len(lengths)
        self._starts, self._rows, self._times, self._lengths = starts, rows, times, lengths
        holders = np.diff(starts)
        idf = np.log1p((self.size - holders + 0.5) / (holders + 0.5))
        self._idf: list[float] = idf.tolist()
        self._begins: list[int] = starts.tolist()
        """`starts` again: a question looks up some hundred of them, and numpy is slow at one at a time."""
        self.idf_unknown = math.log1p((self.size + 0.5) / 0.5)
        rarity = np.repeat(idf.astype(np.float32), holders)
        if self._bm25:
            often = times.astype(np.float32)
            mean = max(1, int(lengths.sum())) / max(1, self.size)
            penalty = (K1 * (1 - B + B / mean * np.maximum(lengths, 1))).astype(np.float32)
            self._weights = rarity * often * np.float32(K1 + 1) / (often + penalty[rows])
        else:
            by_times = 1 + np.log(np.arange(1, 2 + int(times.max(initial=1)), dtype=np.float32))
            weights = rarity * by_times[times - 1]
            norms = np.bincount(rows, np.rint(np.square(weights) * EXACT), minlength=self.size) / EXACT
            self._weights = weights * (1 / np.sqrt(np.maximum(norms, 1e-9))).astype(np.float32)[rows]

    def _count(self, texts: Sequence[Sequence[str]]) -> tuple[Offsets, Offsets, IntArray]:
        """(term number, text, times) of every term of every text, by term and text."""
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        numbers = np.fromiter(map(self._numbers.__getitem__, chain.from_iterable(texts)), np.int64, lengths.sum())
        key = numbers * max(1, len(texts)) + np.repeat(np.arange(len(texts)), lengths)
        found, times = np.unique(key, return_counts=True)
        return found // max(1, len(texts)), found % max(1, len(texts)), times.astype(np.int32)

    def _number(self, term: str) -> int | None:
        number = self._numbers.get(term)
        if number is None or number >= len(self._idf) or self._begins[number] == self._begins[number + 1]:
            return None  # a term that only a later index has, or only an earlier one had, is unknown here
        return number

    def idf(self, term: str) -> float:
        """How telling the term is in these texts; unknown terms are the most telling."""
        number = self._number(term)
        return self.idf_unknown if number is None else self._idf[number]

    def __contains__(self, term: str) -> bool:
        return self._number(term) is not None

    def score(self, terms: Mapping[str, float]) -> FloatArray:
        """For every text, 0..about 1: BM25 over the most that the terms could reach, or the cosine of TF-IDF.

        `terms` maps a term to its weight in the question (1 for a word as written, less for a guess).
        """
        get, begins, every = self._numbers.get, self._begins, self._idf
        runs: list[tuple[int, int]] = []
        weights: list[float] = []
        total = 0.0
        for term, times in terms.items():
            number = get(term)
            if number is not None and (number >= len(every) or begins[number] == begins[number + 1]):
                number = None
            idf = self.idf_unknown if number is None else every[number]
            query = times if self._bm25 else idf * (1 + math.log(max(times, 1.0))) * min(times, 1.0)
            total += query * idf if self._bm25 else query**2
            if number is not None:
                runs.append((begins[number], begins[number + 1]))
                weights.append(query)
        if not runs:
            return np.zeros(self.size, np.float32)
        rows = np.concatenate([self._rows[start:stop] for start, stop in runs])
        each = np.concatenate([self._weights[start:stop] for start, stop in runs])
        spread = np.repeat(np.array(weights, np.float32), [stop - start for start, stop in runs])
        sums = np.bincount(rows, spread * each, minlength=self.size)
        return (sums / (total if self._bm25 else math.sqrt(total))).astype(np.float32)
