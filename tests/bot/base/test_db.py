"""One way to open a transaction; addresses as people write them."""

import asyncio

import pytest
from sqlalchemy import BigInteger, Boolean, bindparam, func, literal, select, text

from bot.base.db import FRESH_S, Database, Together, libpq_url, sqlalchemy_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_addresses(scheme: str) -> None:
    assert sqlalchemy_url(f"{scheme}://u:p@h:5432/d?x=1") == "postgresql+psycopg://u:p@h:5432/d?x=1"
    assert libpq_url(f"{scheme}://u:p@h:5432/d?x=1") == "postgresql://u:p@h:5432/d?x=1"


@pytest.mark.parametrize("address", ["sqlite:///x.db", "mysql://h/d", "https://h"])
def test_another_database_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="PostgreSQL"):
        sqlalchemy_url(address)


async def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("create table kept (n int)"))

    async def fail() -> None:
        async with database.transaction() as session:
            await session.execute(text("insert into kept values (1)"))
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        await fail()
    async with database.transaction() as session:
        assert (await session.execute(text("select count(*) from kept"))).scalar_one() == 0


async def test_lost_connections_are_replaced(database: Database) -> None:
    async with database.transaction() as session:
        pid = (await session.execute(text("select pg_backend_pid()"))).scalar_one()
    other = Database(database.url)
    async with other.transaction() as session:
        await session.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
    await other.close()
    await asyncio.sleep(2 * FRESH_S)  # one that was just used is not looked at
    async with database.transaction() as session:
        assert (await session.execute(text("select 1"))).scalar_one() == 1
    await database.wait_until_up(60.0)


async def test_statements_sent_together_are_part_of_the_transaction_and_wait_for_the_lock(database: Database) -> None:
    lock = select(func.pg_advisory_xact_lock(bindparam("number", type_=BigInteger)))
    lock_and_count = Together(lock, select(func.count()).select_from(text("kept")))
    async with database.transaction() as session:
        await session.execute(text("create table kept (n int)"))

    async def count() -> int:
        async with database.transaction() as session:
            await session.execute(text("insert into kept values (1)"))
            _, (found,) = await lock_and_count.fetch(session, {"number": 5})
            return int(found)

    async with database.transaction() as session:
        await session.execute(lock, {"number": 5})
        waiting = asyncio.create_task(count())
        await session.execute(text("insert into kept values (2)"))
        waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        while not (await session.execute(text(waits))).scalar_one():  # noqa: ASYNC110 - another process waits
            await asyncio.sleep(0.01)
    assert await asyncio.wait_for(waiting, 60) == 2, "the second statement did not see what the lock's holder wrote"


async def test_a_statement_without_a_row_among_several_is_an_error_and_the_connection_stays_good(
    database: Database,
) -> None:
    pair = Together(select(literal(1)), select(literal(2)).where(bindparam("there", type_=Boolean)))
    async with database.transaction() as session:
        with pytest.raises(LookupError):
            await pair.fetch(session, {"there": False})
        assert await pair.fetch(session, {"there": True}) == [(1,), (2,)]
