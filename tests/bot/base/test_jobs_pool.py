"""Connections of the job queue."""

import asyncio

from procrastinate import PsycopgConnector
from sqlalchemy import text

from bot.base.db import FRESH_S, Database
from bot.base.jobs import job_app


async def test_a_connection_of_the_jobs_that_was_lost_while_it_rested_is_replaced(database: Database) -> None:
    app = job_app(database.url, pool_size=1)
    async with app.open_async():
        connector = app.connector
        assert isinstance(connector, PsycopgConnector)
        pid = (await connector.execute_query_one_async("select pg_backend_pid() as pid"))["pid"]
        async with database.transaction() as session:
            await session.execute(text("select pg_terminate_backend(:pid, 10000)"), {"pid": pid})
        await asyncio.sleep(2 * FRESH_S)  # one that was just used is not looked at
        assert (await connector.execute_query_one_async("select pg_backend_pid() as pid"))["pid"] != pid


async def test_only_the_state_of_jobs_does_not_wait_for_the_disk(database: Database) -> None:
    app = job_app(database.url, pool_size=1)
    async with app.open_async():
        connector = app.connector
        assert isinstance(connector, PsycopgConnector)
        row = await connector.execute_query_one_async("select current_setting('synchronous_commit') as waits")
        assert row["waits"] == "off"
    async with database.transaction() as session:
        source = "select source from pg_settings where name = 'synchronous_commit'"
        assert (await session.execute(text(source))).scalar_one() != "client"
