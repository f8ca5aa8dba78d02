"""News between processes: after a commit, to everybody who listens to the topic."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import literal, select, text

from bot.base.db import Database
from bot.base.notify import Listener, notify, telling

PATIENCE_S = 30.0


@pytest.fixture
async def listener(database: Database) -> AsyncIterator[Listener]:
    one = Listener(database.url)
    async with one.subscribe("up") as queue:
        one.start()
        await asyncio.wait_for(queue.get(), PATIENCE_S)  # "reconnected": it listens
    yield one
    await one.stop()


async def test_news_come_with_the_commit_to_each_subscriber(database: Database, listener: Listener) -> None:
    async with listener.subscribe("tickets") as one, listener.subscribe("tickets") as two:
        async with listener.subscribe("other") as other, database.transaction() as session:
            await notify(session, "tickets", ticket=7, what="mở phiếu")
            await asyncio.sleep(0)
            assert one.empty()
        news = [await asyncio.wait_for(queue.get(), PATIENCE_S) for queue in (one, two)]
        assert news == [{"topic": "tickets", "ticket": 7, "what": "mở phiếu"}] * 2
        assert other.empty()


async def test_a_statement_tells_the_same_news(database: Database, listener: Listener) -> None:
    async with listener.subscribe("tickets") as queue:
        async with database.transaction() as session:
            await session.execute(select(telling("tickets", ticket=literal(7), what=literal('mở "phiếu"'))))
            await asyncio.sleep(0)
            assert queue.empty()
        news = await asyncio.wait_for(queue.get(), PATIENCE_S)
        assert news == {"topic": "tickets", "ticket": 7, "what": 'mở "phiếu"'}


async def test_what_is_rolled_back_is_not_news(database: Database, listener: Listener) -> None:
    async with listener.subscribe("tickets") as queue:
        async with database.transaction() as session:
            await notify(session, "tickets", ticket=1)
            await session.rollback()
        async with database.transaction() as session:
            await notify(session, "tickets", ticket=2)
        assert (await asyncio.wait_for(queue.get(), PATIENCE_S))["ticket"] == 2


async def test_a_lost_connection_comes_back_and_says_look_at_the_rows(database: Database, listener: Listener) -> None:
    async with listener.subscribe("tickets") as queue:
        async with database.transaction() as session:
            await session.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname = current_database() and query like 'listen %'"
                )
            )
        assert await asyncio.wait_for(queue.get(), PATIENCE_S) == {"topic": "reconnected"}
        async with database.transaction() as session:
            await notify(session, "tickets", ticket=3)
        assert (await asyncio.wait_for(queue.get(), PATIENCE_S))["ticket"] == 3


async def test_a_reader_that_is_stuck_loses_the_oldest_news_only(database: Database, listener: Listener) -> None:
    async with listener.subscribe("tickets") as stuck, listener.subscribe("last") as last:
        async with database.transaction() as session:
            await session.execute(
                text(
                    "select pg_notify('tongdai', json_build_object('topic', 'tickets', 'n', n)::text) "
                    "from generate_series(1, 1200) n"
                )
            )
            await notify(session, "last")
        await asyncio.wait_for(last.get(), PATIENCE_S)
        assert stuck.qsize() == 1000
        assert stuck.get_nowait()["n"] == 201
