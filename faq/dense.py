"""Sentence vectors of an index: exact search, and a graph beside it for very many texts."""

from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from faq.embed import FloatArray

Rows = NDArray[np.int64]

LINKS: Final = 32
BUILD_WIDTH: Final = 80
SEARCH_WIDTH: Final = 96
"""HNSW's M, efConstruction, efSearch: 93 % of the true neighbours at 20,000 texts (`python -m bench.vectors`)."""
LOOSE_SHARE: Final = 0.1
"""A graph that misses, or knows in vain, more than this share of the texts is made anew."""


class Graph:
    """Approximate neighbours (HNSW) of the texts that were there when it was made; `rows` says where they are now."""

    def __init__(self, vectors: FloatArray) -> None:
        """Seconds to minutes of work: about a minute for 100,000 texts on one core."""
        self._graph: faiss.Index = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
        self._graph.hnsw.efConstruction = BUILD_WIDTH
        self._graph.hnsw.efSearch = SEARCH_WIDTH
        self._graph.add(vectors)
        self.rows: Rows = np.arange(len(vectors))
        """By the number of a text in the graph: its row in the index, -1 if it has gone."""

    @property
    def size(self) -> int:
        """Bytes: it holds the vectors once more, and the links between them."""
        return int(faiss.serialize_index(self._graph).nbytes)

    def moved(self, places: Rows) -> "Graph":
        """The same graph for an index in which the text of row `at` is in row `places[at]`; -1: it has gone."""
        other = Graph.__new__(Graph)
        other._graph = self._graph
        other.rows = np.where(self.rows >= 0, places[self.rows], -1)
        return other

    def loose(self, size: int) -> Rows:
        """Rows of an index of that size that the graph does not know."""
        known = np.zeros(size, bool)
        known[self.rows[self.rows >= 0]] = True
        return np.flatnonzero(~known)

    def nearest(self, query: FloatArray, count: int) -> Rows:
        """Rows near `query`; fewer than `count` if many have gone."""
        gone = int((self.rows < 0).any())
        _, found = self._graph.search(query.reshape(1, -1), min(count * (1 + gone), len(self.rows)))
        rows = self.rows[found[0][found[0] >= 0]]
        return np.asarray(rows[rows >= 0][:count], np.int64)


class VectorIndex:
    """Inner products of unit vectors: exact, or through a graph once there is one (`wants_graph`)."""

    def __init__(
        self,
        vectors: FloatArray,
        exact_limit: int,
        centre: FloatArray | None = None,
        *,
        graph: Graph | None = None,
        centred: FloatArray | None = None,
    ) -> None:
        self.vectors = vectors
        self.exact_limit = exact_limit
        self._given = centre
        self._centre = centre if centre is not None else vectors.mean(axis=0) if len(vectors) > 1 else None
        self._index: faiss.Index = faiss.IndexFlatIP(vectors.shape[1])
        if len(vectors):
            self._index.add(self.centre(vectors) if centred is None else centred)
        self.centred: FloatArray = _rows_of(self._index)
        """What is searched: E5 puts all sentences into one narrow cone; seen from its middle they differ more."""
        self._attached: tuple[Graph, Rows] | None = None
        if graph is not None:
            self.attach(graph)

    def changed(self, origin: Rows, fresh: FloatArray) -> "VectorIndex":
        """The index of other texts: the one at `at` is this one's row `origin[at]`, or, counted on from its end, a row
        of `fresh`."""
        size = len(self.vectors)
        old = origin < size
        stays, comes = origin[old], origin[~old] - size
        vectors = np.empty((len(origin), self.vectors.shape[1]), np.float32)
        vectors[old], vectors[~old] = self.vectors[stays], fresh[comes]
        centred = None
        if self._given is not None:
            centred = np.empty_like(vectors)
            centred[old], centred[~old] = self.centred[stays], self.centre(fresh)[comes]
        graph = None
        if self._attached is not None:
            places = np.full(size, -1, np.int64)
            places[stays] = np.flatnonzero(old)
            graph = self._attached[0].moved(places)
        return VectorIndex(vectors, self.exact_limit, self._given, graph=graph, centred=centred)

    @property
    def exact(self) -> bool:
        """Is every text compared?"""
        return self._attached is None

    @property
    def wants_graph(self) -> bool:
        """Is it time to make a graph (anew)? Until then the search is exact, or the old graph is used."""
        if len(self.vectors) <= self.exact_limit:
            return False
        if self._attached is None:
            return True
        graph, loose = self._attached
        return len(loose) + int((graph.rows < 0).sum()) > LOOSE_SHARE * len(self.vectors)

    def attach(self, graph: Graph) -> None:
        """Search through `graph` from now on, if the texts are still too many for exact search."""
        if len(self.vectors) > self.exact_limit:
            self._attached = graph, graph.loose(len(self.vectors))

    def centre(self, vectors: FloatArray) -> FloatArray:
        """Unit vectors seen from the middle of ordinary sentences, of length 1 again."""
        if self._centre is None:
            return vectors
        moved = vectors - self._centre
        return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=-1, keepdims=True), 1e-6), np.float32)

    def nearest(self, query: FloatArray, count: int) -> tuple[Rows, FloatArray]:
        """Rows of the `count` nearest texts and their cosines, nearest first. `query` is centred."""
        count = min(count, len(self.vectors))
        if not count:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        attached = self._attached
        if attached is None:
            cosines, rows = self._index.search(query.reshape(1, -1), count)
            return rows[0], cosines[0]
        graph, loose = attached
        rows = np.concatenate([graph.nearest(query, count), loose])
        likeness = np.asarray(self.centred[rows] @ query, np.float32)
        best = np.argsort(-likeness, kind="stable")[:count]
        return rows[best], likeness[best]


def _rows_of(index: Any) -> FloatArray:
    """The vectors that a flat index holds, seen in place: a second copy would be half as much memory again."""
    if not index.ntotal:
        return np.zeros((0, index.d), np.float32)
    held: FloatArray = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d).reshape(index.ntotal, index.d)
    return held
