"""Who reads now and who waits: whatever people send, drop or give up, the bounds hold and nobody is forgotten."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.base.db import Database
from bot.contracts.ids import AccountId, UnitCode
from handoff.account import Account
from handoff.role import Role
from handoff.seed import seed
from kb_import.desk import ImportDesk
from kb_import.service import ImportService
from kb_import.turns import Shelf, TooManyFiles, Turns
from tests.kb_import.conftest import BANK, xls

LAN, MINH, HOA = AccountId(1), AccountId(2), AccountId(3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 5)),
        st.tuples(st.just("finish"), st.integers(0, 20)),
        st.tuples(st.just("leave"), st.integers(0, 20)),
    ),
    max_size=40,
)


class People:
    """Files of some accounts, each held open until the test ends it."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.tasks: list[asyncio.Task[None]] = []
        self.reading: list[AccountId] = []
        self.order: list[int] = []

    async def send(self, who: AccountId, on_wait: Callable[[int], None] | None = None) -> asyncio.Event:
        done, number = asyncio.Event(), len(self.tasks)

        async def read() -> None:
            async with self.turns.take(who, on_wait):
                self.reading.append(who)
                self.order.append(number)
                try:
                    await done.wait()
                finally:
                    self.reading.remove(who)

        self.tasks.append(asyncio.create_task(read()))
        await settle()
        return done

    async def end(self) -> None:
        for one in self.tasks:
            one.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def settle() -> None:
    for _ in range(5):  # tasks that can go on have gone on
        await asyncio.sleep(0)


async def test_two_at_once_and_one_of_each_account() -> None:
    people = People(Turns())
    first = await people.send(LAN)
    await people.send(LAN)
    second = await people.send(MINH)
    await people.send(HOA)
    assert people.reading == [LAN, MINH]
    second.set()
    await settle()
    assert people.reading == [LAN, HOA]  # Lan's second file waits for her first, Hoa does not
    first.set()
    await settle()
    assert people.reading == [HOA, LAN]
    await people.end()


async def test_who_waits_is_told_how_many_come_before() -> None:
    people, told = People(Turns(at_once=1)), list[int]()
    first = await people.send(LAN, told.append)
    assert told == []
    second = await people.send(MINH)
    third = await people.send(HOA, told.append)
    assert told == [2]
    second.set()
    first.set()
    await settle()
    assert (told[-1], people.reading) == (1, [HOA])
    third.set()
    await settle()
    assert people.order == [0, 1, 2]
    await people.end()


async def test_more_than_there_is_room_for_is_told_at_once() -> None:
    people = People(Turns(at_once=1, of_one=2, waiting=2))
    await people.send(LAN)
    await people.send(LAN)
    with pytest.raises(TooManyFiles) as refused:
        async with people.turns.take(LAN):
            raise AssertionError
    assert "2 tệp" in refused.value.message_vi
    await people.send(MINH)
    with pytest.raises(TooManyFiles):
        async with people.turns.take(HOA):
            raise AssertionError
    await people.end()
    async with people.turns.take(HOA):  # room again
        pass


@given(STEPS, st.integers(1, 3))
@settings(deadline=None)
async def test_whatever_happens_the_bounds_hold(steps: list[tuple[str, int]], at_once: int) -> None:
    people = People(Turns(at_once=at_once, of_one=3, waiting=6))
    ends: list[asyncio.Event] = []
    for what, number in steps:
        match what:
            case "send":
                ends.append(await people.send(AccountId(number)))
            case "finish" if number < len(ends):
                ends[number].set()
            case "leave" if number < len(ends):
                people.tasks[number].cancel()
        await settle()
        assert len(people.reading) <= at_once
        assert len(set(people.reading)) == len(people.reading)
    for one in ends:
        one.set()
    for task in people.tasks:
        with suppress(TooManyFiles, asyncio.CancelledError):
            await asyncio.wait_for(task, 60)
    assert people.reading == []
    async with people.turns.take(LAN):  # nobody left a place behind
        assert people.turns._waiting == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60)), max_size=20))
def test_the_shelf_holds_no_more_rows_than_it_may_but_always_the_last(plans: list[tuple[int, int]]) -> None:
    shelf, held = Shelf(rows=100), dict[int, int]()
    for owner, rows in plans:
        held.pop(owner, None)
        held[owner] = rows
        shelf.put(owner, rows, partial(held.__delitem__, owner))
        assert owner in held
        assert sum(held.values()) <= 100 or len(held) == 1


async def test_a_file_is_not_fetched_before_its_turn(database: Database, service: ImportService) -> None:
    async with database.transaction() as session:
        await seed(session)
    desk = ImportDesk(database, service, Turns(at_once=1))
    lan, minh = (Account(one, "a", "A", Role.EDITOR, UnitCode("SYT"), False) for one in (LAN, MINH))
    asked, given_out, fetched = asyncio.Event(), asyncio.Event(), list[str]()

    async def slow() -> bytes:
        fetched.append("lan")
        asked.set()
        await given_out.wait()
        return xls(BANK)

    async def quick() -> bytes:
        fetched.append("minh")
        return xls(BANK)

    said, waits = list[tuple[str, int, int]](), asyncio.Event()

    def progress(step: str, done: int, total: int) -> None:
        said.append((step, done, total))
        waits.set()

    first = asyncio.create_task(desk.plan_for(lan, slow, "a.xls", unit=UnitCode("SYT")))
    await asyncio.wait_for(asked.wait(), 60)
    second = asyncio.create_task(desk.plan_for(minh, quick, "b.xls", unit=UnitCode("SYT"), progress=progress))
    await asyncio.wait_for(waits.wait(), 60)
    assert (said, fetched) == ([("wait", 0, 1)], ["lan"])
    given_out.set()
    assert len((await first).adds) == len((await second).adds) == len(BANK)
    assert fetched == ["lan", "minh"]
