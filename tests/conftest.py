"""The real PostgreSQL for every test that needs one: one server a session, a fresh database a test."""

import asyncio
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from bot.base.db import Database, libpq_url
from bot.base.postgres import database_address
from bot.migrations.run import migrate

TEMPLATE = "tongdai_template"
LEAVE_S = 120.0
SLOW_TIMEOUT_S = 900
"""For a test with real processes, the start of a house included, on a machine that does other things too."""

settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")
"""The same examples in every run, however slow; `pytest --hypothesis-profile=search` looks for new ones."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests may take longer than pyproject.toml gives every other one, and get a second try (decision 0011)."""
    for item in items:
        if item.get_closest_marker("slow"):
            if not item.get_closest_marker("flaky"):
                item.add_marker(pytest.mark.flaky(reruns=1))
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT_S))


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A running PostgreSQL: TEST_DATABASE_URL, or an embedded one in a folder of its own.

    Not in pytest's temporary folder: another pytest prunes that one, and PostgreSQL's own user can't enter it. What the
    disk holds after a power cut is not tested here, so it need not wait for the disk.
    """
    folder = Path(tempfile.mkdtemp(prefix="tongdai-pg-"))
    folder.chmod(0o755)
    given = os.environ.get("TEST_DATABASE_URL")
    with database_address(given, folder) as url:
        if given is None:
            with psycopg.connect(libpq_url(url), autocommit=True) as connection:
                for name in ("fsync", "synchronous_commit", "full_page_writes"):
                    connection.execute(f"alter system set {name} = off")
                connection.execute("select pg_reload_conf()")
        yield libpq_url(url)
    shutil.rmtree(folder, ignore_errors=True)


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
    run_once_left(server_url, f'create database "{name}" template "{template}"')
    yield with_database(server_url, name)
    run_once_left(server_url, f'drop database if exists "{name}" with (force)')


def run_once_left(server_url: str, statement: str) -> None:
    """Run it when every session has left the database: PostgreSQL itself waits only five seconds for that."""
    deadline = time.monotonic() + LEAVE_S
    with psycopg.connect(server_url, autocommit=True) as connection:
        while True:
            try:
                connection.execute(statement.encode())
                return
            except psycopg.errors.ObjectInUse:
                if time.monotonic() > deadline:
                    raise


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh database with all tables, and a pool on it."""
    one = Database(database_url)
    yield one
    await one.close()


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()
