"""Exact search and the graph beside it (HNSW), by number of texts: `python -m bench.vectors [--sizes 20000 100000]`.

Time of one search (the 24 nearest, as `faq.features` asks), how many of the true neighbours the graph finds, what
making it costs, and memory. One core. The vectors are drawn by lot around centres, several texts to a centre, as a bank
has several ways to ask the same; questions are drawn near them.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Final

import faiss
import numpy as np

from faq.dense import Graph, VectorIndex
from faq.embed import FloatArray

DIM: Final = 384
SIZES: Final = (20_000, 100_000, 150_000)
NEAREST: Final = 24
ASKED: Final = 100
PER_CENTRE: Final = 12
NOISE: Final = 0.8
"""Length of what is added to a centre of length 1: cosines of about .6 among texts that ask the same."""
TITLES: Final = (
    "texts", "exact, ms", "graph, ms", "found of 24", "first found", "made, CPU s", "MiB exact", "MiB graph more",
)  # fmt: skip
NEVER: Final = 10**9


def near(centres: FloatArray, chance: np.random.Generator) -> FloatArray:
    """Unit vectors around these."""
    drawn = centres + NOISE / DIM**0.5 * chance.standard_normal(centres.shape, np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def timed(search: Callable[[FloatArray, int], object], asked: FloatArray) -> float:
    """Milliseconds of processor time of one search."""
    began = time.process_time()
    for one in asked:
        search(one, NEAREST)
    return (time.process_time() - began) / len(asked) * 1000


def row(size: int) -> Sequence[str]:
    """What is measured at this many texts."""
    chance = np.random.default_rng(size)
    centres = near(np.zeros((size // PER_CENTRE + 1, DIM), np.float32), chance)
    texts = near(np.repeat(centres, PER_CENTRE, axis=0)[:size], chance)
    asked = near(centres[chance.choice(len(centres) - 1, ASKED, replace=False)], chance)
    index = VectorIndex(texts, exact_limit=NEVER, centre=np.zeros(DIM, np.float32))
    exact = timed(index.nearest, asked)
    true = [index.nearest(one, NEAREST)[0].tolist() for one in asked]
    index.exact_limit, began = 1, time.process_time()
    graph = Graph(index.centred)
    made = time.process_time() - began
    index.attach(graph)
    beside = timed(index.nearest, asked)
    found = [index.nearest(one, NEAREST)[0].tolist() for one in asked]
    share = sum(len({*one} & {*other}) for one, other in zip(true, found, strict=True)) / NEAREST / ASKED
    first = sum(one[0] == other[0] for one, other in zip(true, found, strict=True)) / ASKED
    held = [f"{round(one / 2**20):,}" for one in (index.vectors.nbytes + index.centred.nbytes, graph.size)]
    return [f"{size:,}", f"{exact:.2f}", f"{beside:.2f}", f"{share:.0%}", f"{first:.0%}", f"{made:.0f}", *held]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="texts in the index")
    given = parser.parse_args()
    faiss.omp_set_num_threads(1)
    print(f"one search for the {NEAREST} nearest, one core, {DIM} numbers a vector")
    print("".join(f"{title:>15}" for title in TITLES))
    for size in given.sizes:  # a line as soon as it is known: a large graph takes minutes
        print("".join(f"{cell:>15}" for cell in row(size)), flush=True)


if __name__ == "__main__":
    main()
