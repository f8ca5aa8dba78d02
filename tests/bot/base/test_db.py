"""One way to open a transaction; addresses as people write them."""

import asyncio

import pytest
from sqlalchemy import text

from bot.base.db import FRESH_S, Database, libpq_url, sqlalchemy_url


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
    await database.wait_until_up(1.0)
