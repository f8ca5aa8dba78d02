"""Durable jobs on the same PostgreSQL (procrastinate): deferred inside the caller's transaction or not at all.

A job holds ids only. `lock` keeps jobs with the same lock in the order of their creation, also across retries.
"""

import random
import time
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import procrastinate
import structlog
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job
from procrastinate.tasks import Task
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now
from bot.base.db import FRESH_S, libpq_url

log = structlog.get_logger(__name__)

HEARTBEAT_S = 1.0
STALLED_AFTER_S = 4.0
"""A worker silent for this long is dead: its jobs are taken up again."""
POLL_S = 0.1
"""A job that waits for a lock or for its time is seen at the next poll."""


class WaitAndRetry(Exception):
    """Raised inside a job: run me again after `after_s` seconds, give or take a quarter."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"again in {after_s} s")
        self.after_s = after_s


class WaitUntil(WaitAndRetry):
    """Raised inside a job: run me again at `at` or soon after it (within a minute), never before."""

    def __init__(self, at: datetime) -> None:
        super().__init__(max(0.0, (at - now()).total_seconds()))
        self.at = at


class Patient(BaseRetryStrategy):
    """Never gives up: a message that was accepted is not lost because something was down. At most a minute apart."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to run a failed job again."""
        if isinstance(exception, WaitUntil):
            spread = min(60.0, 1.0 + exception.after_s / 4)
            return RetryDecision(retry_at=exception.at + timedelta(seconds=random.uniform(0.0, spread)))
        wait = (
            exception.after_s if isinstance(exception, WaitAndRetry) else min(60.0, 0.5 * 2.0 ** min(job.attempts, 7))
        )
        if not isinstance(exception, WaitAndRetry):
            log.error("job.failed", job=job.id, task=job.task_name, attempts=job.attempts, exc_info=exception)
        return RetryDecision(retry_at=now() + timedelta(seconds=wait * random.uniform(0.75, 1.25)))


def job_app(url: str, *, pool_size: int = 4) -> procrastinate.App:
    """The application that knows where jobs are kept. Rooms add their tasks to it in `bot/app.py`."""
    connector = procrastinate.PsycopgConnector(
        conninfo=libpq_url(url),
        min_size=1,
        max_size=pool_size,
        pool_factory=_pool,
        configure=_do_not_wait_for_the_disk,
    )
    return procrastinate.App(connector=connector)


async def defer(session: AsyncSession, task: Task[Any, Any, Any], *, lock: str, **ids: int) -> None:
    """Create a job that exists exactly if the session's transaction commits."""
    raw = await (await session.connection()).get_raw_connection()
    await task.configure(lock=lock, connection=raw.driver_connection).defer_async(**ids)


async def _do_not_wait_for_the_disk(connection: AsyncConnection) -> None:
    """A power cut may take back a job's "doing" or "done": it is run again and finds its work done.

    That work waited for the disk when it was committed, as the job itself did (see `defer`).
    """
    await connection.execute("set synchronous_commit = off")
    await connection.commit()


def _pool(**settings: Any) -> AsyncConnectionPool:
    """As procrastinate makes it, but a connection is only asked whether it is alive when it has rested.

    A job takes three connections in a row, and each question would be a round trip.
    """
    taken_at: WeakKeyDictionary[AsyncConnection, float] = WeakKeyDictionary()

    async def check(connection: AsyncConnection) -> None:
        rested = time.monotonic() - taken_at.get(connection, 0.0) > FRESH_S
        taken_at[connection] = time.monotonic()
        if rested:
            await AsyncConnectionPool.check_connection(connection)

    return AsyncConnectionPool(**{**settings, "check": check})
