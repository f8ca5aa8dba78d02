"""`make bench`: the whole house in one run, beside plain Rasa with a ResponseSelector over the same questions.

Times are from a citizen's sending to the first reply on their live stream (ours) or in the REST answer (the peer's).
"""

import argparse
import asyncio
import itertools
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import xlwt
from rich.console import Console
from rich.table import Table

from bench.peer import running_peer
from bench.running import RunningHouse, citizen, running_house
from kb_import.samples.content import labelled_questions, load_samples

console = Console(width=110)
TARGETS = {
    "one p50": "≤ peer's",
    "one p95": "< 1.0 s",
    "twenty p95": "< 2.0 s",
    "rate": "≥ 25 /s",
    "memory": "< 2048 MiB",
    "second start": "< 20 s",
    "import": "< 60 s",
}


def questions() -> list[str]:
    """Citizens' own wordings of the sample banks' questions, in a fixed order over all banks."""
    return [one.text for one in labelled_questions(load_samples()) if one.answered_by is not None][::3]


async def one_by_one(ask: Callable[[str], Awaitable[float]], texts: Sequence[str]) -> list[float]:
    """Seconds of each, asked one after the other."""
    return [await ask(text) for text in texts]


async def house_alone(base: str, texts: Sequence[str]) -> list[float]:
    """One citizen's waits."""
    async with citizen(base) as one:
        await one_by_one(one.ask, texts[:5])
        return await one_by_one(one.ask, texts)


async def house_crowd(base: str, texts: Sequence[str], people: int, each: int) -> tuple[list[float], float]:
    """Waits of `people` who ask at once, and answered messages per second."""
    async with AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(citizen(base)) for _ in range(people)]
        turns = [[texts[(n * 7 + k) % len(texts)] for k in range(each)] for n in range(people)]
        started = time.perf_counter()
        waits = await asyncio.gather(*(one_by_one(one.ask, mine) for one, mine in zip(crowd, turns, strict=True)))
        return list(itertools.chain.from_iterable(waits)), people * each / (time.perf_counter() - started)


async def peer_ask(client: httpx.AsyncClient, sender: str, text: str) -> float:
    """Seconds of one REST turn of the peer."""
    started = time.perf_counter()
    response = await client.post("/webhooks/rest/webhook", json={"sender": sender, "message": text})
    response.raise_for_status()
    return time.perf_counter() - started


async def peer_numbers(
    base: str, texts: Sequence[str], people: int, each: int
) -> tuple[list[float], list[float], float]:
    """The peer's waits alone and in a crowd, and its messages per second."""
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=60.0) as client:
        for text in texts[:5]:
            await peer_ask(client, "warm", text)
        alone = await one_by_one(lambda text: peer_ask(client, "alone", text), texts)
        started = time.perf_counter()
        waits = await asyncio.gather(
            *(
                one_by_one(
                    lambda text, n=n: peer_ask(client, f"p{n}", text),  # type: ignore[misc]
                    [texts[(n * 7 + k) % len(texts)] for k in range(each)],
                )
                for n in range(people)
            )
        )
        crowd = list(itertools.chain.from_iterable(waits))
        return alone, crowd, len(crowd) / (time.perf_counter() - started)


def import_rows(house: RunningHouse, data_dir: Path, rows: int) -> float:
    """Seconds to import and embed `rows` new entries with `tongdai import` while the house serves."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Câu hỏi")
    for column, title in enumerate(("STT", "Câu hỏi", "Nội dung trả lời")):
        sheet.write(0, column, title)
    for row in range(1, rows + 1):
        sheet.write(row, 0, row)
        sheet.write(row, 1, f"Thủ tục số {row} của phòng {row % 97} về lĩnh vực {row % 31} cần những giấy tờ gì?")
        sheet.write(row, 2, f"Hồ sơ thủ tục số {row} gồm tờ khai theo mẫu {row % 13} và bản sao giấy tờ liên quan.")
    path = data_dir / "bench_rows.xls"
    book.save(str(path))
    started = time.perf_counter()
    subprocess.run(
        [
            shutil.which("tongdai", path=str(Path(".venv/bin").resolve())) or "tongdai",
            "import",
            str(path),
            "--unit",
            "VPUBND",
            "--yes",
        ],
        check=True,
        env={**os.environ, "TONGDAI_DATA_DIR": str(data_dir)},
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of all lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def milliseconds(value: float) -> str:
    """For a table."""
    return f"{value * 1000:.0f} ms"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=120, help="questions of the lone citizen")
    parser.add_argument("--each", type=int, default=15, help="questions of each of the twenty")
    parser.add_argument("--rows", type=int, default=1000, help="rows to import")
    parser.add_argument("--no-peer", action="store_true", help="leave the peer out")
    chosen = parser.parse_args()
    texts = questions()[: chosen.questions]
    with tempfile.TemporaryDirectory(prefix="tongdai-bench-") as folder:
        data = Path(folder) / "data"
        with running_house(data) as first:
            first_start = first.ready_after_s
        with running_house(data) as house:
            second_start = house.ready_after_s
            alone = asyncio.run(house_alone(house.base, texts))
            crowd, _ = asyncio.run(house_crowd(house.base, texts, 20, chosen.each))
            _, rate = asyncio.run(house_crowd(house.base, texts, 40, chosen.each))
            memory = house.memory()
            imported = import_rows(house, data, chosen.rows)
        peer = None
        if not chosen.no_peer:
            with running_peer(Path(folder) / "peer") as (base, trained_s, peer_memory):
                peer = (*asyncio.run(peer_numbers(base, texts, 20, chosen.each)), trained_s, peer_memory())
    table = Table("measured", "this house", "plain Rasa, ResponseSelector", "target", title="2 cores, one run")
    table.add_row(
        "one citizen, p50",
        milliseconds(statistics.median(alone)),
        milliseconds(statistics.median(peer[0])) if peer else "–",
        TARGETS["one p50"],
    )
    table.add_row(
        "one citizen, p95",
        milliseconds(quantile(alone, 0.95)),
        milliseconds(quantile(peer[0], 0.95)) if peer else "–",
        TARGETS["one p95"],
    )
    table.add_row(
        "20 at once, p50",
        milliseconds(statistics.median(crowd)),
        milliseconds(statistics.median(peer[1])) if peer else "–",
        "",
    )
    table.add_row(
        "20 at once, p95",
        milliseconds(quantile(crowd, 0.95)),
        milliseconds(quantile(peer[1], 0.95)) if peer else "–",
        TARGETS["twenty p95"],
    )
    table.add_row("messages per second", f"{rate:.1f}", f"{peer[2]:.1f}" if peer else "–", TARGETS["rate"])
    table.add_row("first start (model trained or cached)", f"{first_start:.1f} s", "", "")
    table.add_row("second start to ready", f"{second_start:.1f} s", "", TARGETS["second start"])
    for name, size in memory:
        table.add_row(f"memory of {name} (PSS)", f"{size:.0f} MiB", "", "")
    total = sum(size for _, size in memory)
    table.add_row("memory, whole", f"{total:.0f} MiB", f"{peer[4]:.0f} MiB" if peer else "–", TARGETS["memory"])
    table.add_row(
        f"import and embed {chosen.rows} rows",
        f"{imported:.1f} s, {chosen.rows / imported:.0f} rows/s",
        "",
        TARGETS["import"],
    )
    console.print(table)


if __name__ == "__main__":
    main()
