"""`make bench-webhooks`: signed Zalo webhooks into a real house, with PostgreSQL as the store.

Two phases: 100 messages a second from many citizens while the answers are being worked out (time from when a webhook
was due, so that a stall counts for everything behind it), then as many as the gateway takes.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from bench.running import RunningHouse, running_house
from tests.simulators.zalo import ZaloSimulator

console = Console(width=110)
CITIZENS = 2000
QUESTIONS = ("Đi qua chốt kiểm soát cần giấy tờ gì?", "tiem mui 2 o dau", "Hỗ trợ lao động tự do thế nào?", "cảm ơn")


@dataclass(frozen=True)
class Answered:
    """One webhook's fate."""

    status: int
    took_s: float


class Sender:
    """Signs webhooks and posts them over one kept connection: little work, so that the gateway gets the cores."""

    def __init__(self, base: str, simulator: ZaloSimulator) -> None:
        self._url, self._simulator = httpx.URL(base), simulator
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, number: int) -> int:
        """The status of one new message of one of the citizens."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._url.host, self._url.port)
        self._writer.write(self._request(number))
        head = await self._reader.readuntil(b"\r\n\r\n")
        lengths = [one for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")]
        if lengths:
            await self._reader.readexactly(int(lengths[0].split(b":")[1]))
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        """Drop the connection."""
        if self._writer is not None:
            self._writer.close()

    def _request(self, number: int) -> bytes:
        one = self._simulator
        stamp = str(int(time.time() * 1000))
        event = {
            "app_id": one.app_id,
            "event_name": "user_send_text",
            "timestamp": stamp,
            "sender": {"id": str(10**18 + number % CITIZENS)},
            "recipient": {"id": one.oa_id},
            "message": {"msg_id": uuid.uuid4().hex, "text": QUESTIONS[number % len(QUESTIONS)]},
        }
        body = json.dumps(event, ensure_ascii=False).encode()
        mac = hashlib.sha256(one.app_id.encode() + body + stamp.encode() + one.oa_secret.encode()).hexdigest()
        head = (
            f"POST /webhooks/zalo HTTP/1.1\r\nhost: {self._url.host}\r\ncontent-type: application/json\r\n"
            f"x-zevent-signature: mac={mac}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def at_rate(senders: list[Sender], per_second: float, seconds: float) -> list[Answered]:
    """Open loop: webhooks become due evenly, whether or not those before were answered."""
    due: asyncio.Queue[tuple[int, float]] = asyncio.Queue()
    answers: list[Answered] = []

    async def work(sender: Sender) -> None:
        while True:
            number, moment = await due.get()
            status = await sender.post(number)
            answers.append(Answered(status, time.perf_counter() - moment))
            due.task_done()

    workers = [asyncio.create_task(work(one)) for one in senders]
    start = time.perf_counter()
    for number in range(int(per_second * seconds)):
        moment = start + number / per_second
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        due.put_nowait((number, moment))
    await due.join()
    for one in workers:
        one.cancel()
    return answers


async def flat_out(senders: list[Sender], seconds: float) -> tuple[list[Answered], float]:
    """Closed loop: every sender posts the next as soon as the last was answered. Answers and the seconds it took."""
    answers: list[Answered] = []
    start = time.perf_counter()

    async def work(sender: Sender, first: int) -> None:
        number = first
        while time.perf_counter() - start < seconds:
            moment = time.perf_counter()
            answers.append(Answered(await sender.post(number), time.perf_counter() - moment))
            number += len(senders)

    await asyncio.gather(*(work(one, number) for number, one in enumerate(senders)))
    return answers, time.perf_counter() - start


def percentile_ms(answers: list[Answered], share: float) -> float:
    """Milliseconds within which this share was answered."""
    took = sorted(one.took_s for one in answers)
    return took[min(len(took) - 1, int(len(took) * share))] * 1000


def cpu_seconds(house: RunningHouse) -> dict[str, float]:
    """CPU time that each part has used so far: what a busy machine can't distort as it does times on the clock."""
    used: dict[str, float] = {}
    for one in psutil.process_iter(["cmdline"]):
        line = " ".join(one.info["cmdline"] or ())
        ours = any(each.pid == house.process.pid for each in one.parents())
        if ours or (str(house.log.parent) in line and "postgres" in line) or _is_backend(one, house):
            with contextlib.suppress(psutil.Error):
                name = "postgres" if "postgres" in line else part_name(line)
                times = one.cpu_times()
                used[name] = used.get(name, 0.0) + times.user + times.system
    return used


def _is_backend(process: psutil.Process, house: RunningHouse) -> bool:
    return any(
        str(house.log.parent) in " ".join(each.cmdline()) and "postgres" in each.name() for each in process.parents()
    )


def part_name(line: str) -> str:
    """Which part of the house a command line is."""
    return next((name for name in ("gateway", "worker", "rasa") if name in line), "other")


async def measure(
    house: RunningHouse, simulator: ZaloSimulator, seconds: float, connections: int
) -> tuple[Table, Table]:
    """Run both phases against a house that is ready: a table of times, and one of CPU time."""
    senders = [Sender(house.base, simulator) for _ in range(connections)]
    try:
        await at_rate(senders, 20, 2)  # connections open, caches warm
        used = [cpu_seconds(house)]
        steady = await at_rate(senders, 100, seconds)
        used.append(cpu_seconds(house))
        most, took_s = await flat_out(senders, seconds)
        used.append(cpu_seconds(house))
    finally:
        for one in senders:
            one.close()
    table = Table(title="Signed webhooks (Zalo), PostgreSQL as the store")
    for column in ("", "webhooks", "accepted", "per second", "p50 ms", "p99 ms", "target"):
        table.add_column(column, justify="right" if column not in ("", "target") else "left")
    rows: tuple[tuple[str, list[Answered], float, str], ...] = (
        ("100 a second, answering meanwhile", steady, seconds, "p99 < 100 ms"),
        ("as many as it takes", most, took_s, "≥ 200 per second"),
    )
    for name, answers, span_s, target in rows:
        accepted = sum(one.status == 200 for one in answers)
        figures = (
            f"{accepted / span_s:.0f}",
            f"{percentile_ms(answers, 0.5):.1f}",
            f"{percentile_ms(answers, 0.99):.1f}",
        )
        table.add_row(name, str(len(answers)), str(accepted), *figures, target)
    cpu = Table(title="CPU milliseconds per webhook, by part (the worker's and Rasa's are spent on answers)")
    parts = sorted(used[-1])
    for column in ("", *parts):
        cpu.add_column(column, justify="right" if column else "left")
    for (name, answers, _, _), before, after in zip(rows, used, used[1:], strict=False):
        spent = (1000 * (after.get(part, 0.0) - before.get(part, 0.0)) / len(answers) for part in parts)
        cpu.add_row(name, *(f"{one:.1f}" for one in spent))
    return table, cpu


def main() -> None:
    """Start a house with a Zalo simulator behind it, measure, print, stop."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=20.0, help="length of each phase")
    options.add_argument("--connections", type=int, default=16)
    chosen = options.parse_args()
    simulator = ZaloSimulator().start()
    with (
        tempfile.TemporaryDirectory(prefix="bench-webhooks-") as folder,
        running_house(Path(folder) / "data", **simulator.environment()) as house,
    ):
        console.print(*asyncio.run(measure(house, simulator, chosen.seconds, chosen.connections)))
    simulator.stop()


if __name__ == "__main__":
    main()
