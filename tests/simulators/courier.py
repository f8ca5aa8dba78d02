"""Delivers webhooks to a gateway as platforms do: in order per lane, repeated until 200, sometimes twice or late."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from tests.simulators.faults import Faults

Event = dict[str, Any]


@dataclass(frozen=True)
class Attempt:
    """One POST."""

    body: bytes
    headers: dict[str, str]
    number: int
    """0 for the first, then the retry's number."""
    status: int | None
    """None when there was no answer."""
    took_s: float


class Courier:
    """`pack` makes a body of events, `sign` its headers."""

    def __init__(
        self,
        url: str,
        faults: Faults,
        pack: Callable[[Sequence[Event]], bytes],
        sign: Callable[[bytes], dict[str, str]],
        *,
        patience_s: float,
        ladder_s: Sequence[float],
    ) -> None:
        self.url, self.faults, self.ladder_s = url, faults, tuple(ladder_s)
        self._pack, self._sign, self._patience_s = pack, sign, patience_s
        self.attempts: deque[Attempt] = deque(maxlen=50_000)
        self.given_up: list[bytes] = []
        self._lanes: dict[str, asyncio.Queue[Event]] = {}
        self._workers: list[asyncio.Task[None]] = []
        self._strays: set[asyncio.Task[None]] = set()
        self._busy = 0
        self._client: httpx.AsyncClient | None = None

    def send(self, lane: str, event: Event) -> None:
        """Queue an event; call it inside the simulator's event loop."""
        if not self.url:
            return
        if lane not in self._lanes:
            self._lanes[lane] = asyncio.Queue()
            self._workers.append(asyncio.create_task(self._work(self._lanes[lane])))
        self._busy += 1
        self._lanes[lane].put_nowait(event)

    @property
    def is_idle(self) -> bool:
        """Nothing waits, nothing is under way, no retry is due."""
        return self._busy == 0 and not self._strays

    async def close(self) -> None:
        """Stop; what waits is dropped."""
        for task in [*self._workers, *self._strays]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._client:
            await self._client.aclose()

    async def _work(self, lane: asyncio.Queue[Event]) -> None:
        late: Event | None = None
        while True:
            events = [await lane.get()]
            while len(events) < self.faults.batch and not lane.empty():
                events.append(lane.get_nowait())
            if late is None and len(events) == 1 and self.faults.happens(self.faults.reorder_rate):
                late = events[0]
                with contextlib.suppress(TimeoutError):
                    events = [await asyncio.wait_for(lane.get(), 0.5)]
                if events == [late]:
                    late = None
            await self._deliver(events)
            if late is not None:
                await self._deliver([late])
                late = None

    async def _deliver(self, events: list[Event]) -> None:
        body = self._pack(events)
        again = self.faults.happens(self.faults.duplicate_rate)
        if not await self._post(body, 0):
            self._stray(self._repeat(body))
        if again:
            self._stray(self._later(body))
        self._busy -= len(events)

    def _stray(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._strays.add(task)
        task.add_done_callback(self._strays.discard)

    async def _later(self, body: bytes) -> None:
        await asyncio.sleep(self.faults.dice.random() * 2)
        await self._post(body, 0)

    async def _repeat(self, body: bytes) -> None:
        for number, wait_s in enumerate(self.ladder_s, start=1):
            await asyncio.sleep(wait_s)
            if await self._post(body, number):
                return
        self.given_up.append(body)

    async def _post(self, body: bytes, number: int) -> bool:
        headers = {"content-type": "application/json", **self._sign(body)}
        if number:
            headers["num_retry"] = str(number)
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._patience_s, trust_env=False)
        started = time.monotonic()
        status: int | None = None
        with contextlib.suppress(httpx.HTTPError):
            status = (await self._client.post(self.url, content=body, headers=headers)).status_code
        self.attempts.append(Attempt(body, headers, number, status, time.monotonic() - started))
        return status == 200
