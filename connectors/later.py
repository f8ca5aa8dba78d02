"""Notes that a connector's pure parts leave for PostgreSQL: written in their order, behind the platform's answer."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

Work = Callable[[], Awaitable[None]]


class Later:
    """Work that may wait a moment but keeps its order."""

    def __init__(self) -> None:
        self._waiting: deque[Work] = deque()
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def do(self, work: Work) -> None:
        """Do it soon; nobody waits for it. `work` must not raise."""
        self._waiting.append(work)
        try:
            task = asyncio.get_running_loop().create_task(self.settle())
        except RuntimeError:  # called without a loop: it is done with whatever comes next
            return
        self._tasks.add(task)  # the loop alone would let go of it
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until all of it is done."""
        async with self._one_at_a_time:
            while self._waiting:
                await self._waiting.popleft()()
