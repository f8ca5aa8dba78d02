"""The searchable form of the live entries: texts, vectors, word lists. Immutable once built; replaced as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

from faq.embed import FloatArray
from faq.entry import EntryDraft, EntryRecord
from faq.lexical import Postings
from faq.lexicon import Counts, Lexicon
from faq.normalise import Abbreviations, canonical, key_of, letter_grams, n_grams, weight_of, words_of

TELLING_CACHE: Final = 8192
"""Pieces whose words' weights are kept; about 1 KiB each."""
ANSWER_WORDS: Final = 40
"""An answer is indexed by its first words: that is where it says what it is about, and embedding costs by the word."""


class PieceKind(IntEnum):
    """What a text of an entry is."""

    QUESTION = 0
    PHRASING = 1
    ANSWER = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """One text by which an entry can be found."""

    kind: PieceKind
    text: str
    words: tuple[str, ...]

    @property
    def dense(self) -> str:
        """What is embedded."""
        return " ".join(self.words)


def pieces_of(draft: EntryDraft, table: Abbreviations) -> tuple[Piece, ...]:
    """The texts by which an entry can be found: its question, its phrasings, the start of its answer."""
    texts = [(PieceKind.QUESTION, draft.question), *((PieceKind.PHRASING, text) for text in draft.phrasings)]
    pieces = [Piece(kind, text, canonical(words_of(text), table)) for kind, text in texts]
    pieces = [piece for piece in pieces if piece.words]
    answer = canonical(words_of(draft.answer)[:ANSWER_WORDS], table)
    if answer and pieces:  # by its answer alone nothing is found: nobody could see what was asked
        pieces.append(Piece(PieceKind.ANSWER, draft.answer[:200], answer))
    return tuple(pieces)


class VectorIndex:
    """Inner products of unit vectors: exact up to `exact_limit` rows, HNSW beyond (measured in docs/answers.md)."""

    def __init__(self, vectors: FloatArray, exact_limit: int, centre: FloatArray | None = None) -> None:
        self.vectors = vectors
        self._centre = centre if centre is not None else vectors.mean(axis=0) if len(vectors) > 1 else None
        self.centred = self.centre(vectors)
        """What is searched: E5 puts all sentences into one narrow cone; seen from its middle they differ more."""
        size, dim = vectors.shape
        self.exact = size <= exact_limit
        if self.exact:
            self._index: faiss.Index = faiss.IndexFlatIP(dim)
        else:
            self._index = faiss.IndexHNSWFlat(dim, 32, faiss.METRIC_INNER_PRODUCT)
            self._index.hnsw.efConstruction = 80
            self._index.hnsw.efSearch = 96
        if size:
            self._index.add(self.centred)

    def centre(self, vectors: FloatArray) -> FloatArray:
        """Unit vectors seen from the middle of ordinary sentences, of length 1 again."""
        if self._centre is None:
            return vectors
        moved = vectors - self._centre
        return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=-1, keepdims=True), 1e-6), np.float32)

    def nearest(self, query: FloatArray, count: int) -> tuple[NDArray[np.int64], FloatArray]:
        """Rows of the `count` nearest texts and their cosines, nearest first. `query` is centred."""
        count = min(count, len(self.vectors))
        if not count:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        cosines, rows = self._index.search(query.reshape(1, -1), count)
        found = rows[0] >= 0
        return rows[0][found], cosines[0][found]


class Index:
    """Everything a search needs to know about the entries."""

    def __init__(
        self,
        entries: Sequence[EntryRecord],
        pieces: Sequence[Sequence[Piece]],
        vectors: Mapping[str, FloatArray],
        *,
        dim: int,
        generation: int,
        exact_limit: int,
        ordinary: Counts,
        centre: FloatArray | None = None,
    ) -> None:
        self.entries = tuple(entries)
        self.generation = generation
        self.pieces = tuple(piece for group in pieces for piece in group)
        self.owner = np.fromiter((at for at, group in enumerate(pieces) for _ in group), np.int32, len(self.pieces))
        """Position in `entries` of each piece's entry."""
        self._starts = np.searchsorted(self.owner, np.arange(len(entries) + 1)).astype(np.int64)
        self.is_answer = np.array([piece.kind is PieceKind.ANSWER for piece in self.pieces], bool)
        matrix = np.zeros((len(self.pieces), dim), np.float32)
        for row, piece in enumerate(self.pieces):
            matrix[row] = vectors[piece.dense]
        self.dense = VectorIndex(matrix, exact_limit, centre)
        self.lexicon = Lexicon(Counts.of(_sentences(self.pieces)), ordinary)
        keys = [tuple(key_of(word) for word in piece.words) for piece in self.pieces]
        self.lines = tuple(" ".join(words) for words in keys)
        """Each piece's words without diacritics."""
        self.marked = Postings([piece.words for piece in self.pieces], bm25=True)
        self.plain = Postings(keys, bm25=True)
        self.pairs = Postings([n_grams(words, 2) for words in keys], bm25=False)
        self.letters = Postings([letter_grams(words) for words in keys], bm25=False)
        self.telling = lru_cache(maxsize=TELLING_CACHE)(self._telling)
        """How telling each word of a piece is, by diacritic-free key; the same pieces come up again and again."""

    def pieces_of_entries(self, entries: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the pieces of these entries, one entry after the other, and where each entry's begin."""
        first, counts = self._starts[entries], self._starts[entries + 1] - self._starts[entries]
        starts = np.cumsum(counts) - counts
        return np.arange(counts.sum(), dtype=np.int64) + np.repeat(first - starts, counts), starts

    def _telling(self, row: int) -> Mapping[str, float]:
        words = self.pieces[row].words
        return {key_of(word): self.plain.idf(key_of(word)) * weight_of(word) for word in words}


def _sentences(pieces: Sequence[Piece]) -> Iterator[tuple[str, ...]]:
    """The bank's sentences, questions twice: they are closer to what people ask than answers are."""
    for piece in pieces:
        yield piece.words
        if piece.kind is not PieceKind.ANSWER:
            yield piece.words
