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
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from faq.embed import FloatArray, load_embedder
from faq.evaluate import ANY_DAY, BankUnderTest, build_banks, result_line
from faq.normalise import key_of, letter_grams, words_of
from faq.search import Searcher, load_searcher
from faq.settings import ROOT, FaqSettings

DEFAULT: Final = ROOT.parent / "shared" / "data" / "faq"
Method = Callable[[BankUnderTest, str, Searcher], FloatArray]


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
    for name, method in {} if given.ours_only else METHODS.items():
        print(f"\n{name}")
        scorer.show(scorer.evaluate(queries, [simple_line(method, banks, query, searcher) for query in queries]))
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


def simple_line(
    method: Method, banks: Mapping[str, BankUnderTest], query: Mapping[str, Any], searcher: Searcher
) -> dict[str, Any]:
    """One line of results for a simple method: p is its raw score."""
    bank = banks[query["bank"]]
    scores = np.where(bank.index.is_answer, np.float32(-1), method(bank, query["text"], searcher))
    best = np.full(len(bank.index.entries), -1.0, np.float32)
    np.maximum.at(best, bank.index.owner, scores)
    order = np.argsort(-best, kind="stable")[:10]
    ids = [bank.ids[bank.index.entries[int(at)].id] for at in order]
    return {"query_id": query["id"], "ranked": ids, "p": float(best[order[0]])}


def bm25(bank: BankUnderTest, text: str, searcher: Searcher) -> FloatArray:
    """BM25 on syllables as typed."""
    return bank.index.marked.score(_counts(words_of(text)))


def dense(bank: BankUnderTest, text: str, searcher: Searcher) -> FloatArray:
    """Cosine of the sentence vectors, text as typed."""
    return np.asarray(bank.index.dense.vectors @ searcher.embedder.embed([" ".join(words_of(text))])[0], np.float32)


def hybrid(bank: BankUnderTest, text: str, searcher: Searcher) -> FloatArray:
    """Dense, BM25 without marks and letter runs, added."""
    keys = [key_of(word) for word in words_of(text)]
    plain = bank.index.plain.score(_counts(keys))
    letters = bank.index.letters.score(_counts(letter_grams(keys)))
    return np.asarray((dense(bank, text, searcher) - 0.7) + plain / 2 + letters / 2, np.float32)


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
