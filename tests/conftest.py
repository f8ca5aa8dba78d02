"""The real PostgreSQL for every test that needs one: one server a session, a fresh database a test."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from bot.base.db import Database, libpq_url
from bot.base.postgres import database_address
from bot.migrations.run import migrate

TEMPLATE = "tongdai_template"


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running PostgreSQL: TEST_DATABASE_URL, or an embedded one in a temporary folder."""
    folder: Path = tmp_path_factory.mktemp("pg")
    with database_address(os.environ.get("TEST_DATABASE_URL"), folder) as url:
        yield libpq_url(url)


@pytest.fixture(scope="session")
def template_url(server_url: str) -> str:
    """A database with every table in it, made once by the real migrations and copied for each test."""
    name = f"{TEMPLATE}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    url = with_database(server_url, name)
    asyncio.run(asyncio.to_thread(migrate, url))
    return url


@pytest.fixture
def database_url(server_url: str, template_url: str) -> Iterator[str]:
    """Address of a fresh copy of the template."""
    template = urlsplit(template_url).path.removeprefix("/")
    name = f"t_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{template}"')
    yield with_database(server_url, name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh database with all tables, and a pool on it."""
    one = Database(database_url)
    yield one
    await one.close()


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()
