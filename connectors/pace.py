"""How fast we may send on a channel: evenly, so that a burst doesn't meet the platform's limit."""

import asyncio


class Pace:
    """At most `per_second` passes a second, with a burst of one second's worth; waits, never refuses."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._free = per_second
        self._seen = 0.0
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Return when it is this message's turn."""
        async with self._turn:
            clock = asyncio.get_running_loop().time
            self._free = min(self.per_second, self._free + (clock() - self._seen) * self.per_second)
            self._seen = clock()
            if self._free < 1.0:
                await asyncio.sleep((1.0 - self._free) / self.per_second)
                self._free, self._seen = 1.0, clock()
            self._free -= 1.0
