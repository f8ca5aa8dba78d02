"""`tongdai eval`: how well would these banks answer these questions? The production search and decision, no database.

    python -m faq.evaluate --bank BANK.jsonl --queries QUERIES.jsonl --out RESULTS.jsonl

A throw-away index is built from each bank of the file; every query is decided within its own bank. Of a query only
`id`, `bank` and `text` are read. Deterministic: nothing here depends on the time, the order of the queries or chance.
"""

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from bot.contracts.errors import Refused
from bot.contracts.ids import BankId, EntryId, UnitCode
from faq.embed import FloatArray, load_embedder
from faq.entry import EntryDraft, EntryRecord
from faq.index import Index, pieces_of
from faq.search import Found, Searcher, load_searcher
from faq.settings import FaqSettings

ANY_DAY: Final = date(2000, 1, 1)
"""Entries of an evaluation have no validity dates, so the day does not matter; a constant keeps it repeatable."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, how much there is."""


@dataclass(frozen=True, slots=True)
class BankUnderTest:
    """An index made from one bank of the file, and the file's own ids."""

    index: Index
    ids: Mapping[EntryId, str]


def evaluate(bank: Path, queries: Path, out: Path, *, progress: Progress | None = None) -> None:
    """Write one line per query to `out`: `{"query_id", "ranked": [ids, best first], "p", "decision"}`.

    Raises Refused if a file is not what it should be.
    """
    settings = FaqSettings()
    searcher = load_searcher(settings, load_embedder(settings))
    banks = build_banks(_rows(bank, ("id", "bank", "question")), searcher, settings, progress)
    asked = _rows(queries, ("id", "bank", "text"))
    with out.open("w", encoding="utf-8") as written:
        for at, query in enumerate(asked):
            if progress and at % 50 == 0:
                progress("decide", at, len(asked))
            under_test = banks.get(query["bank"])
            if under_test is None:
                raise Refused(problem=f"Câu hỏi {query['id']} thuộc bộ “{query['bank']}” không có trong {bank.name}.")
            found = searcher.search(under_test.index, query["text"], today=ANY_DAY)
            written.write(json.dumps(result_line(query["id"], under_test, found, searcher), ensure_ascii=False) + "\n")
    if progress:
        progress("decide", len(asked), len(asked))


def result_line(query: str, under_test: BankUnderTest, found: Found, searcher: Searcher) -> dict[str, Any]:
    """One line of the results."""
    return {
        "query_id": query,
        "ranked": [under_test.ids[one.entry] for one in found.candidates],
        "p": round(found.confidence, 6),
        "decision": searcher.verdict(found),
    }


def build_banks(
    rows: Sequence[Mapping[str, Any]], searcher: Searcher, settings: FaqSettings, progress: Progress | None = None
) -> dict[str, BankUnderTest]:
    """An index for each bank named in `rows`."""
    banks: dict[str, BankUnderTest] = {}
    for name in dict.fromkeys(row["bank"] for row in rows):
        own = [row for row in rows if row["bank"] == name]
        entries = [
            EntryRecord(EntryId(at), BankId(1), UnitCode(name), name, 1, _draft(row)) for at, row in enumerate(own, 1)
        ]
        pieces = [pieces_of(entry.draft, searcher.abbreviations) for entry in entries]
        texts = sorted({piece.dense for group in pieces for piece in group}, key=lambda text: (len(text), text))
        vectors: dict[str, FloatArray] = {}
        for at in range(0, len(texts), 32):
            batch = texts[at : at + 32]
            vectors.update(zip(batch, searcher.embedder.embed(batch), strict=True))
            if progress:
                progress(f"embed {name}", min(at + 32, len(texts)), len(texts))
        index = Index(
            entries,
            pieces,
            vectors,
            dim=searcher.embedder.dim,
            generation=1,
            exact_limit=settings.exact_limit,
            ordinary=searcher.ranker.ordinary,
            centre=searcher.ranker.centres.get(searcher.embedder.name),
        )
        banks[name] = BankUnderTest(index, {EntryId(at): row["id"] for at, row in enumerate(own, 1)})
    return banks


def _draft(row: Mapping[str, Any]) -> EntryDraft:
    return EntryDraft(row["question"], row.get("answer") or "", phrasings=tuple(row.get("phrasings") or ()))


def _rows(path: Path, fields: Sequence[str]) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file. Raises Refused, naming the line."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise Refused(problem=f"{path.name}, dòng {number}: không phải JSON ({error.msg}).") from error
        missing = [field for field in fields if not isinstance(row.get(field), str)]
        if missing:
            raise Refused(problem=f"{path.name}, dòng {number}: thiếu {', '.join(missing)}.")
        rows.append(row)
    return rows


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bank", "queries", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    evaluate(given.bank, given.queries, given.out)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
