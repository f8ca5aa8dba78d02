"""Whose file is read now: a few at once in this process, one of each account, the others in the order they came.

Reading one file may take 768 MiB in a process of its own, and its plan some ten MiB here; so what all editors together
may ask for has an end, and so has what one of them may.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from bot.contracts.errors import DomainError
from bot.contracts.ids import AccountId

AT_ONCE: Final = 2
"""Files that one process reads side by side."""
OF_ONE: Final = 3
"""Files of one account that are read or wait."""
WAITING: Final = 30
"""Files that wait; they lie on disk meanwhile."""
KEPT_ROWS: Final = 120_000
"""Rows of all plans that wait for "Áp dụng" in this process: two of the largest files, or hundreds of usual ones."""

OnWait = Callable[[int], None]
"""Told how many files come before this one, whenever that changes."""


class TooManyFiles(DomainError):
    """Somebody, or everybody together, sends faster than can be read."""

    code, status, vi = "import.too_many_files", 429, "{problem}"


@dataclass(eq=False, slots=True)
class _Place:
    who: AccountId
    on_wait: OnWait | None
    called: asyncio.Event = field(default_factory=asyncio.Event)


class Turns:
    """The queue of one process."""

    def __init__(self, at_once: int = AT_ONCE, of_one: int = OF_ONE, waiting: int = WAITING) -> None:
        self._at_once, self._of_one, self._room = at_once, of_one, waiting
        self._waiting: list[_Place] = []
        self._reading: list[_Place] = []

    @asynccontextmanager
    async def take(self, who: AccountId, on_wait: OnWait | None = None) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises TooManyFiles at once when there is no room to wait."""
        if sum(one.who == who for one in (*self._waiting, *self._reading)) >= self._of_one:
            raise TooManyFiles(problem=f"Bạn đang có {self._of_one} tệp chờ đọc. Hãy chờ đọc xong rồi gửi tiếp.")
        if len(self._waiting) >= self._room:
            raise TooManyFiles(problem="Đang có nhiều tệp chờ đọc. Hãy gửi lại sau vài phút; chưa có gì thay đổi.")
        place = _Place(who, on_wait)
        self._waiting.append(place)
        try:
            self._call()
            await place.called.wait()
            yield
        finally:  # also when whoever waited has gone
            (self._reading if place in self._reading else self._waiting).remove(place)
            self._call()

    def _call(self) -> None:
        for place in tuple(self._waiting):
            if len(self._reading) >= self._at_once:
                break
            if all(one.who != place.who for one in self._reading):
                self._waiting.remove(place)
                self._reading.append(place)
                place.called.set()
        for before, place in enumerate(self._waiting):
            if place.on_wait:
                place.on_wait(before + len(self._reading))


class Shelf:
    """Plans that wait for a decision in this process. The oldest go when all together hold too many rows."""

    def __init__(self, rows: int = KEPT_ROWS) -> None:
        self._limit = rows
        self._kept: dict[object, tuple[int, Callable[[], None]]] = {}

    def put(self, owner: object, rows: int, on_drop: Callable[[], None]) -> None:
        """`owner` keeps a plan of so many rows, instead of its last one; `on_drop` is called if it must let go."""
        self._kept.pop(owner, None)
        self._kept[owner] = (rows, on_drop)
        while len(self._kept) > 1 and sum(held for held, _ in self._kept.values()) > self._limit:
            oldest = next(iter(self._kept))
            _, drop = self._kept.pop(oldest)
            drop()

    def remove(self, owner: object) -> None:
        """`owner` keeps nothing any more."""
        self._kept.pop(owner, None)
