"""PostgreSQL: the engine, the declarative base and the one way to open a transaction."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast

from psycopg import AsyncConnection
from sqlalchemy import BigInteger, DateTime, Dialect, Engine, MetaData, Select, Table, event, text
from sqlalchemy.dialects.postgresql import JSONB, psycopg
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry

FRESH_S = 0.1
"""A connection that was used within this time is taken to be alive."""
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every table. Times are `timestamptz`, dictionaries are `jsonb`, ints are `bigint`."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {
        int: BigInteger,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


def table_of(row: type[Base]) -> Table:
    """The table of a mapped class, for statements that are built once and read or write no objects."""
    return cast(Table, row.__table__)


class Database:
    """A pool of connections to one PostgreSQL and the transactions on it."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url), pool_size=pool_size, max_overflow=10, pool_recycle=1800
        )
        _ping_what_rested(self.engine.sync_engine)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._readings = async_sessionmaker(
            self.engine.execution_options(isolation_level="AUTOCOMMIT"), expire_on_commit=False
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One unit of work: commits at the end, or rolls everything back. Only edges open one."""
        async with self._sessions() as session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """For one SELECT: no transaction around it, which would cost two more round trips."""
        async with self._readings() as session:
            yield session

    async def wait_until_up(self, seconds: float = 30.0) -> None:
        """Return when the server answers. One that was just killed refuses connections for a second or two."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                async with self.engine.connect() as connection:
                    await connection.execute(text("select 1"))
                return
            except OperationalError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.2)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


class Together:
    """Several SELECTs of one row each, sent at once: one round trip instead of one each, and no work on the way.

    They run in order, each seeing what was committed before it began (READ COMMITTED), and as part of the session's
    transaction, whose BEGIN travels with them.
    """

    def __init__(self, *statements: Select[*tuple[Any, ...]]) -> None:
        dialect: Dialect = psycopg.dialect()  # type: ignore[no-untyped-call]
        self._compiled = [one.compile(dialect=dialect) for one in statements]

    async def fetch(self, session: AsyncSession, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The row of each. Raises psycopg's own errors, and LookupError for one that has no row."""
        raw = await (await session.connection()).get_raw_connection()
        connection = cast(AsyncConnection[tuple[Any, ...]], raw.driver_connection)
        async with connection.pipeline():
            cursors = [
                await connection.execute(
                    one.string, one.construct_params({key: values[key] for key in one.params if key in values})
                )
                for one in self._compiled
            ]
            rows = [await cursor.fetchone() for cursor in cursors]
        if None in rows:
            raise LookupError("a statement found no row")
        return [row for row in rows if row is not None]


def _ping_what_rested(engine: Engine) -> None:
    """SQLAlchemy's pre-ping, but only for connections that have not just been used: it costs a round trip each time."""

    @event.listens_for(engine, "checkin")
    def note(_: object, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        if time.monotonic() - record.info.get("rests_since", 0.0) < FRESH_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool opens another one


def sqlalchemy_url(url: str) -> str:
    """The same address with SQLAlchemy's name for psycopg 3; accepts `postgres://` and `postgresql://`."""
    scheme, rest = url.split("://", 1)
    if scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError(f"DATABASE_URL must be a PostgreSQL address, not {scheme}://")
    return f"postgresql+psycopg://{rest}"


def libpq_url(url: str) -> str:
    """The same address as libpq, psycopg and Rasa read it."""
    return f"postgresql://{url.split('://', 1)[1]}"
