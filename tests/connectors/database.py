"""A database with this room's tables only, which is all that the connectors need."""

import uuid
from collections.abc import AsyncIterator

import psycopg
import pytest

from bot.base.db import Base, Database
from connectors import tables
from tests.conftest import with_database

TABLES = [
    Base.metadata.tables[one.__tablename__]
    for one in (tables.ChannelTokenRow, tables.ChannelConditionRow, tables.CitizenQuotaRow)
]


@pytest.fixture(scope="session")
def connectors_url(server_url: str) -> str:
    """Its address."""
    name = f"connectors_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f'create database "{name}"')
    return with_database(server_url, name)


@pytest.fixture
async def database(connectors_url: str) -> AsyncIterator[Database]:
    """That database, with the tables empty."""
    one = Database(connectors_url)
    async with one.engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all, tables=TABLES)
        await connection.run_sync(Base.metadata.create_all, tables=TABLES)
    yield one
    await one.close()
