"""How soon every process answers from what was just applied: `python -m bench.live [--sizes 250 2000 10000]`.

Two processes of the house (the real parts of a worker, told by notification) have loaded a bank; then 1, 50 and 1,000
entries change in one transaction. Counted from its commit: seconds until the last process has answered a question from
the new generation, the processor time each needed for it, and the longest time an event loop stood still meanwhile. The
entries are made up from the sample banks; vectors are drawn by lot and stored beforehand, as an import stores them
before it applies.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_new

import faq.engine
from bot.app import build_house, opened
from bot.base.clock import now
from bot.base.db import Database
from bot.base.postgres import database_address
from bot.base.settings import HouseSettings
from bot.contracts.ids import EntryId, UnitCode
from bot.migrations.run import migrate
from faq.embed import load_embedder, text_hash
from faq.entry import EntryDraft
from faq.normalise import load_abbreviations
from faq.settings import FaqSettings
from faq.store import change_entry, ensure_bank, publish
from faq.tables import EmbeddingRow, EntryRow, PhrasingRow
from faq.vectors import texts_to_embed
from kb_import.samples.content import SampleEntry, load_samples

SIZES: Final = (250, 2000, 10_000)
CHANGES: Final = (1, 50, 1000)
PROCESSES: Final = 2
TODAY: Final = date(2026, 11, 24)
DIM: Final = 384


def draft(samples: Sequence[SampleEntry], number: int, times: int) -> EntryDraft:
    """A made-up entry: a sample's question about somewhere else, with another sample's answer."""
    asked, told = samples[number % len(samples)], samples[(number * 7 + times) % len(samples)]
    return EntryDraft(
        f"{asked.question.rstrip('?')} ở thôn {number} năm {2000 + times}?",
        f"Lần {times}. {told.answer}",
        phrasings=asked.asked[:1] if number % 3 == 0 else (),
    )


async def grow(database: Database, model: str, samples: Sequence[SampleEntry], size: int) -> list[EntryId]:
    """Entries until there are `size`, in bulk, published; all their ids."""
    async with database.transaction() as session:
        bank = await ensure_bank(session, UnitCode("BENCH"), "Đo thử")
        known = await session.scalar(select(func.count()).select_from(EntryRow)) or 0
        drafts = [draft(samples, number, 1) for number in range(known, size)]
        rows = [
            {
                "bank": bank, "version": 1, "question": one.question, "answer": one.answer, "legal_basis": "",
                "ordinal": known + at, "created_at": now(), "updated_at": now(),
            }
            for at, one in enumerate(drafts)
        ]  # fmt: skip
        await session.execute(insert(EntryRow), rows)
        entries = list(await session.scalars(select(EntryRow.id).order_by(EntryRow.id)))
        asked = [
            {"entry": entry, "text": text}
            for entry, one in zip(entries[known:], drafts, strict=True)
            for text in one.phrasings
        ]
        await session.execute(insert(PhrasingRow), asked)
        await publish(session)
    await store_vectors(database, model, drafts)
    return entries


async def store_vectors(database: Database, model: str, drafts: Sequence[EntryDraft]) -> None:
    """What an import does before it applies, with vectors drawn by lot."""
    texts = texts_to_embed(drafts, load_abbreviations(FaqSettings().abbreviations))
    drawn = np.random.default_rng(len(texts)).standard_normal((len(texts), DIM)).astype("<f4")
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    rows = [
        {"text_hash": text_hash(text), "model": model, "vector": vector.tobytes(), "created_at": now()}
        for text, vector in zip(texts, drawn, strict=True)
    ]
    async with database.transaction() as session:
        for at in range(0, len(rows), 1000):
            await session.execute(insert_new(EmbeddingRow).on_conflict_do_nothing(), rows[at : at + 1000])


async def answer(url: str, folder: Path) -> None:
    """A process of the house: says when it is ready, and after each change when it has answered from it."""
    house = build_house(HouseSettings(database_url=url, tongdai_data_dir=folder), pool_size=2)
    faq.engine.QUIET_S = 1e6  # the look at the calibration that follows a large change is not measured here
    began = time.perf_counter()
    async with opened(house):
        print(json.dumps({"ready": round(time.perf_counter() - began, 2)}), flush=True)
        while True:
            generation, cpu, still, last = house.engine.generation, time.process_time(), 0.0, time.perf_counter()
            while house.engine.generation == generation:
                await asyncio.sleep(0.005)
                still, last = max(still, time.perf_counter() - last - 0.005), time.perf_counter()
            decision = await house.engine.ask("xin giấy xác nhận độc thân ở đâu", today=TODAY)
            said = {"generation": decision.evidence.generation, "at": time.time(), "still": still}
            print(json.dumps({**said, "cpu": time.process_time() - cpu}), flush=True)


async def next_line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """What the process says next; lines of its log are passed over."""
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if line.startswith(b"{"):
            said: dict[str, Any] = json.loads(line)
            return said
    raise SystemExit("a process has ended")


async def measure(url: str, folder: Path, sizes: Sequence[int], table: Table) -> None:
    """A row for each size and number of changes."""
    samples = [entry for bank in load_samples() for entry in bank.entries]
    model = load_embedder(FaqSettings()).name
    database = Database(url)
    times = 1
    for size in sizes:
        entries = await grow(database, model, samples, size)
        processes = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bench.live", "--answer", url, "--folder", str(folder)),
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            for _ in range(PROCESSES)
        ]
        try:
            ready = [(await next_line(one))["ready"] for one in processes]
            for changes in [one for one in CHANGES if one <= size]:
                times += 1
                drafts = {entries[at]: draft(samples, at, times) for at in range(changes)}
                await store_vectors(database, model, list(drafts.values()))
                async with database.transaction() as session:
                    for entry, new in drafts.items():
                        await change_entry(session, entry, new, by=None, why="đo thử")
                    generation = await publish(session)
                applied = time.time()
                said = [await next_line(one) for one in processes]
                if any(one["generation"] != generation for one in said):
                    raise SystemExit(f"answered from {said}, published {generation}")
                table.add_row(
                    f"{size:,}",
                    f"{changes:,}",
                    f"{max(one['at'] for one in said) - applied:.2f}",
                    f"{max(one['cpu'] for one in said):.2f}",
                    f"{max(one['still'] for one in said) * 1000:.0f}",
                    f"{max(ready):.1f}",
                )
        finally:
            for one in processes:
                one.terminate()
                await one.wait()
    await database.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="entries in the bank")
    parser.add_argument("--answer", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.answer:
        asyncio.run(answer(given.answer, given.folder))
        return
    table = Table(title=f"{PROCESSES} processes, from the commit to the last one's answer")
    for title in ("entries", "changed", "seconds", "CPU s a process", "loop still, ms", "start, s"):
        table.add_column(title, justify="right")
    with tempfile.TemporaryDirectory(prefix="tongdai-live-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with database_address(None, folder) as url:
            migrate(url)
            asyncio.run(measure(url, folder, given.sizes, table))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
