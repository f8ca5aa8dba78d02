"""The searchable form of the live entries: texts, vectors, word lists. Never changed; replaced as a whole.

`Index.changed` makes the next one out of this one: only new texts are looked at, everything else is moved in bulk. Made
at once or by any row of changes, an index of the same entries gives the very same search results.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.contracts.ids import EntryId
from faq.dense import Graph, VectorIndex
from faq.embed import FloatArray
from faq.entry import EntryDraft, EntryRecord
from faq.lexical import Postings
from faq.lexicon import Counts, Lexicon
from faq.normalise import Abbreviations, canonical, key_of, letter_grams, n_grams, weight_of, words_of

TELLING_CACHE: Final = 8192
"""Pieces whose words' weights are kept; about 1 KiB each."""
LAST_DAY: Final = date.max.toordinal()
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
        """An index of these entries, by id; `pieces` are theirs, `vectors` has one for each piece's `dense`."""
        self._ordinary = ordinary
        order = sorted(range(len(entries)), key=lambda at: entries[at].id)
        self._name([entries[at] for at in order], generation)
        self._place([pieces[at] for at in order])
        self.dense = VectorIndex(_matrix(self.pieces, vectors, dim), exact_limit, centre)
        self.lexicon = Lexicon(Counts.of(_sentences(self.pieces)), ordinary)
        self._list(_Words.of(self.pieces), None, None)

    def changed(
        self,
        fresh: Sequence[tuple[EntryRecord, Sequence[Piece]]],
        gone: Collection[EntryId],
        vectors: Mapping[str, FloatArray],
        *,
        generation: int,
    ) -> "Index":
        """The index after `fresh` entries came, or took the place of those with their ids, and `gone` ones went.

        `vectors` has one for each piece of `fresh`.
        """
        fresh = sorted(fresh, key=lambda one: one[0].id)
        came = np.array([record.id for record, _ in fresh], np.int64)
        left = np.isin(self.ids, came) | np.isin(self.ids, np.array(list(gone), np.int64))
        stays = np.flatnonzero(~left)
        order = np.argsort(np.concatenate([self.ids[stays], came]), kind="stable")
        records = [*(self.entries[at] for at in stays.tolist()), *(record for record, _ in fresh)]
        size = len(self.pieces)
        counts = np.array([len(group) for _, group in fresh], np.int64)
        firsts = np.concatenate([self._starts[stays], size + np.cumsum(counts) - counts])[order]
        lengths = np.concatenate([np.diff(self._starts)[stays], counts])[order]
        origin, _ = _runs(firsts, lengths)
        new = [piece for _, group in fresh for piece in group]
        joined = (*self.pieces, *new)
        bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]).tolist()
        moved = [joined[at] for at in origin.tolist()]

        other = Index.__new__(Index)
        other._ordinary = self._ordinary
        other._name([records[at] for at in order.tolist()], generation)
        other._place([moved[start:stop] for start, stop in pairwise(bounds)])
        other.dense = self.dense.changed(origin, _matrix(new, vectors, self.dense.vectors.shape[1]))
        old_rows, _ = _runs(self._starts[:-1][left], np.diff(self._starts)[left])
        lost = Counts.of(_sentences(self.pieces[at] for at in old_rows.tolist()))
        counted = self.lexicon.bank.changed(Counts.of(_sentences(new)), lost)
        other.lexicon = self.lexicon if counted == self.lexicon.bank else Lexicon(counted, self._ordinary)
        other._list(_Words.of(new), self, origin)
        return other

    def _name(self, entries: Sequence[EntryRecord], generation: int) -> None:
        self.entries = tuple(entries)
        self.generation = generation
        self.ids = np.array([entry.id for entry in self.entries], np.int64)
        """Each entry's id, rising."""
        days = [(entry.draft.valid_from, entry.draft.valid_until) for entry in self.entries]
        self._from = np.array([first.toordinal() if first else 0 for first, _ in days], np.int32)
        self._until = np.array([last.toordinal() if last else LAST_DAY for _, last in days], np.int32)
        self.places = np.array([entry.draft.place or "" for entry in self.entries], np.str_)
        """The administrative code of the place each entry holds for; empty: the whole province."""
        self.place_codes = frozenset(self.places.tolist()) - {""}
        self._local = self.places != ""

    def _place(self, groups: Sequence[Sequence[Piece]]) -> None:
        self.pieces = tuple(piece for group in groups for piece in group)
        counts = np.array([len(group) for group in groups], np.int64)
        self._starts: NDArray[np.int64] = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        self.owner = np.repeat(np.arange(len(groups), dtype=np.int32), counts)
        """Position in `entries` of each piece's entry."""
        self.is_answer = np.array([piece.kind is PieceKind.ANSWER for piece in self.pieces], bool)

    def _list(self, words: "_Words", before: "Index | None", origin: NDArray[np.int64] | None) -> None:
        if before is None or origin is None:
            self.lines: tuple[str, ...] = words.lines
            """Each piece's words without diacritics."""
            self.marked, self.plain = Postings(words.marked, bm25=True), Postings(words.plain, bm25=True)
            self.pairs, self.letters = Postings(words.pairs, bm25=False), Postings(words.letters, bm25=False)
        else:
            joined = (*before.lines, *words.lines)
            self.lines = tuple(joined[at] for at in origin.tolist())
            self.marked = before.marked.changed(origin, words.marked)
            self.plain = before.plain.changed(origin, words.plain)
            self.pairs = before.pairs.changed(origin, words.pairs)
            self.letters = before.letters.changed(origin, words.letters)
        self.telling = lru_cache(maxsize=TELLING_CACHE)(self._telling)
        """How telling each word of a piece is, by diacritic-free key; the same pieces come up again and again."""

    def pieces_of_entries(self, entries: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the pieces of these entries, one entry after the other, and where each entry's begin."""
        return _runs(self._starts[entries], self._starts[entries + 1] - self._starts[entries])

    def rows_of(self, number: EntryId) -> range:
        """Positions of the pieces of the entry of that id. Raises KeyError."""
        at = self._at(number)
        return range(int(self._starts[at]), int(self._starts[at + 1]))

    def ways_to_ask(self, number: EntryId) -> tuple[tuple[str, ...], ...]:
        """The words of that entry's question and of its phrasings, short forms written out. Raises KeyError."""
        return tuple(self.pieces[row].words for row in self.rows_of(number) if not self.is_answer[row])

    def keys_to_ask(self, number: EntryId) -> frozenset[str]:
        """The same words as one set, without diacritics. Raises KeyError."""
        return frozenset(key_of(word) for way in self.ways_to_ask(number) for word in way)

    def nearest_entries(self, number: EntryId, count: int) -> list[EntryId]:
        """The entry of that id and those most like its question, nearest first, `count` in all. Raises KeyError."""
        rows = self.rows_of(number)
        if not rows:
            return [number]
        likeness = self.dense.centred @ self.dense.centred[rows[0]]
        order = self.owner[np.argsort(-likeness, kind="stable")].tolist()
        return [self.entries[at].id for at in list(dict.fromkeys((self._at(number), *order)))[:count]]

    def may_send(self, today: date, place: str | None, exclude: Collection[EntryId] = ()) -> NDArray[np.bool_]:
        """Of every entry: is its answer in force today, not only for another place, and none of `exclude`?

        With no `place`, entries of any place may be sent.
        """
        day = today.toordinal()
        allowed = (self._from <= day) & (day <= self._until)
        if place is not None:
            allowed &= ~self._local | (self.places == place)
        if exclude:
            allowed &= ~np.isin(self.ids, np.array(list(exclude), np.int64))
        return np.asarray(allowed, bool)

    def own(self, place: str | None) -> NDArray[np.bool_] | None:
        """Of every entry: does it hold for just this place? None if none does."""
        if place is None or place not in self.place_codes:
            return None
        return np.asarray(self.places == place, bool)

    def entry(self, number: EntryId) -> EntryRecord:
        """The live entry of that id. Raises KeyError."""
        return self.entries[self._at(number)]

    def _at(self, number: EntryId) -> int:
        at = int(np.searchsorted(self.ids, number))
        if at == len(self.ids) or self.ids[at] != number:
            raise KeyError(number)
        return at

    def attach_graph(self, graph: Graph, of: "Index") -> None:
        """Search through a graph that was made for the texts of another index, this one's predecessor."""
        versions = {entry.id: (at, entry.version) for at, entry in enumerate(self.entries)}
        places = np.full(len(of.pieces), -1, np.int64)
        for at, entry in enumerate(of.entries):
            here, version = versions.get(entry.id, (0, 0))
            if version == entry.version:
                places[of._starts[at] : of._starts[at + 1]] = np.arange(self._starts[here], self._starts[here + 1])
        self.dense.attach(graph.moved(places))

    def _telling(self, row: int) -> Mapping[str, float]:
        words = self.pieces[row].words
        return {key_of(word): self.plain.idf(key_of(word)) * weight_of(word) for word in words}


@dataclass(frozen=True, slots=True)
class _Words:
    """The terms of some pieces, as each kind of list has them."""

    lines: tuple[str, ...]
    marked: Sequence[Sequence[str]]
    plain: Sequence[Sequence[str]]
    pairs: Sequence[Sequence[str]]
    letters: Sequence[Sequence[str]]

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> "_Words":
        keys = [[key_of(word) for word in piece.words] for piece in pieces]
        return cls(
            tuple(" ".join(words) for words in keys),
            [piece.words for piece in pieces],
            keys,
            [n_grams(words, 2) for words in keys],
            [letter_grams(words) for words in keys],
        )


def _runs(firsts: NDArray[np.int64], lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers from each first on, so many each, one run after the other; and where each run begins."""
    starts = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum()), dtype=np.int64) + np.repeat(firsts - starts, lengths), starts


def _matrix(pieces: Sequence[Piece], vectors: Mapping[str, FloatArray], dim: int) -> FloatArray:
    matrix = np.empty((len(pieces), dim), np.float32)
    for row, piece in enumerate(pieces):
        matrix[row] = vectors[piece.dense]
    return matrix


def _sentences(pieces: Iterable[Piece]) -> Iterator[tuple[str, ...]]:
    """The bank's sentences, questions twice: they are closer to what people ask than answers are."""
    for piece in pieces:
        yield piece.words
        if piece.kind is not PieceKind.ANSWER:
            yield piece.words
