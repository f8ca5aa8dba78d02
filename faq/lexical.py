"""Word evidence: inverted lists over numpy arrays, scored for all texts of an index at once."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]

K1: Final = 1.2
B: Final = 0.6
"""BM25's usual constants (Robertson & Zaragoza 2009), a little less length penalty: questions are all short."""


class Postings:
    """Which text holds which term, with what weight."""

    def __init__(self, texts: Sequence[Sequence[str]], *, bm25: bool) -> None:
        self.size = len(texts)
        counts = [Counter(terms) for terms in texts]
        held: dict[str, list[tuple[int, int]]] = {}
        for row, terms in enumerate(counts):
            for term, times in terms.items():
                held.setdefault(term, []).append((row, times))
        lengths = np.array([max(1, len(terms)) for terms in texts], np.float32)
        mean = float(lengths.mean()) if self.size else 1.0
        self._idf = {
            term: math.log(1 + (self.size - len(rows) + 0.5) / (len(rows) + 0.5)) for term, rows in held.items()
        }
        self.idf_unknown = math.log(1 + (self.size + 0.5) / 0.5)
        self._lists: dict[str, tuple[IntArray, FloatArray]] = {}
        norms = np.zeros(self.size, np.float32)
        for term, rows in held.items():
            at = np.fromiter((row for row, _ in rows), np.int32, len(rows))
            often = np.fromiter((times for _, times in rows), np.float32, len(rows))
            if bm25:
                weight = self._idf[term] * often * (K1 + 1) / (often + K1 * (1 - B + B * lengths[at] / mean))
            else:
                weight = self._idf[term] * (1 + np.log(often))
                norms[at] += weight**2
            self._lists[term] = (at, weight.astype(np.float32))
        if not bm25:
            scale = (1 / np.sqrt(np.maximum(norms, 1e-9))).astype(np.float32)
            self._lists = {term: (at, weight * scale[at]) for term, (at, weight) in self._lists.items()}
        self._bm25 = bm25

    def _rarity(self, holders: int) -> float:
        return math.log(1 + (self.size - holders + 0.5) / (holders + 0.5))

    def idf(self, term: str) -> float:
        """How telling the term is in these texts; unknown terms are the most telling."""
        return self._idf.get(term, self.idf_unknown)

    def __contains__(self, term: str) -> bool:
        return term in self._idf

    def score(self, terms: Mapping[str, float]) -> FloatArray:
        """For every text, 0..about 1: BM25 over the most that the terms could reach, or the cosine of TF-IDF.

        `terms` maps a term to its weight in the question (1 for a word as written, less for a guess).
        """
        out = np.zeros(self.size, np.float32)
        total = 0.0
        for term, times in terms.items():
            idf = self.idf(term)
            query = times if self._bm25 else idf * (1 + math.log(max(times, 1.0))) * min(times, 1.0)
            total += query * idf if self._bm25 else query**2
            found = self._lists.get(term)
            if found is not None:
                out[found[0]] += np.float32(query) * found[1]
        if total:
            out /= np.float32(total if self._bm25 else math.sqrt(total))
        return out
