"""A real house for a measurement: `tongdai serve` on a free port with its own data folder, and a citizen to ask it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

READY_WITHIN_S = 240.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningHouse:
    """A started `tongdai serve`."""

    process: subprocess.Popen[str]
    base: str
    ready_after_s: float
    log: Path

    def memory(self) -> list[tuple[str, float]]:
        """Proportional set size of each part in MiB: shared pages are counted once over all parts."""
        parts: dict[str, float] = {}
        for one in [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                name = _part_name(one.cmdline())
                parts[name] = parts.get(name, 0.0) + one.memory_full_info().pss / 2**20
        for one in psutil.process_iter(["cmdline"]):  # PostgreSQL detaches from who started it
            with contextlib.suppress(psutil.Error):
                line = " ".join(one.info["cmdline"] or ())
                if str(self.log.parent) in line and "postgres" in line:
                    family = [one, *one.children(recursive=True)]
                    parts["postgres"] = sum(each.memory_full_info().pss for each in family) / 2**20
        return sorted(parts.items())


def _part_name(command: list[str]) -> str:
    line = " ".join(command)
    for name in ("rasa run", "gateway", "worker", "serve"):
        if name in line:
            return name.split()[0] if name != "serve" else "supervisor"
    return "postgres" if "postgres" in line else "other"


@contextlib.contextmanager
def running_house(data_dir: Path, **environment: str) -> Iterator[RunningHouse]:
    """Start, wait for READY, and stop at the end."""
    port = free_port()
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir / "serve.log"
    env = {**os.environ, "TONGDAI_DATA_DIR": str(data_dir), "TONGDAI_PORT": str(port), "TONGDAI_LOG_LEVEL": "WARNING"}
    env |= {"WEBCHAT_SESSION_BURST": "100000", "WEBCHAT_SESSION_PER_S": "1000"}  # a lone citizen asks without a pause
    env |= environment
    started = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "serve"], stdout=output, stderr=output, text=True, env=env
        )
    try:
        while "READY http" not in log.read_text():
            if process.poll() is not None or time.monotonic() - started > READY_WITHIN_S:
                raise RuntimeError(f"the house did not get ready:\n{log.read_text()[-3000:]}")
            time.sleep(0.05)
        yield RunningHouse(process, f"http://127.0.0.1:{port}", time.monotonic() - started, log)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


@dataclass
class Citizen:
    """One person in the web chat, who reads the live stream as the page does."""

    client: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)
    replies: "asyncio.Queue[float]" = field(default_factory=asyncio.Queue)

    async def ask(self, text: str, *, patience_s: float = 30.0) -> float:
        """Seconds from sending to the first reply on the stream."""
        while not self.replies.empty():
            self.replies.get_nowait()
        started = time.perf_counter()
        response = await self.client.post(
            "/api/v1/chat/messages", headers=self.headers, json={"client_message_id": uuid.uuid4().hex, "text": text}
        )
        response.raise_for_status()
        return await asyncio.wait_for(self.replies.get(), patience_s) - started


@contextlib.asynccontextmanager
async def citizen(base: str) -> AsyncIterator[Citizen]:
    """A new conversation with its live stream open."""
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=30.0) as client:
        token = (await client.post("/api/v1/chat/sessions")).json()["token"]
        one = Citizen(client, {"Authorization": f"Bearer {token}"})
        opened = asyncio.Event()
        reader = asyncio.create_task(_read(one, opened))
        await asyncio.wait_for(opened.wait(), 10)
        try:
            yield one
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader


async def _read(one: Citizen, opened: asyncio.Event) -> None:
    async with one.client.stream("GET", "/api/v1/chat/events", headers=one.headers, timeout=None) as stream:
        opened.set()
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                with contextlib.suppress(ValueError):
                    if json.loads(line[5:]).get("from") == "bot":
                        one.replies.put_nowait(time.perf_counter())
