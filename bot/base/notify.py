"""News between processes over PostgreSQL's LISTEN/NOTIFY: sent when the transaction commits, lost if nobody listens.

Only a nudge to look at the rows; nothing may depend on a notification arriving.
"""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import structlog
from sqlalchemy import ColumnElement, Text, cast, event, func, literal, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from bot.base.db import libpq_url

log = structlog.get_logger(__name__)
CHANNEL = "tongdai"
NEWS = "news"
"""Under this key a session keeps what it will tell."""


async def notify(session: AsyncSession, topic: str, **fields: Any) -> None:
    """Tell every process about `topic` ("conversation", "tickets", "faq_index", …) once this transaction commits."""
    payload = json.dumps({"topic": topic, **fields}, ensure_ascii=False)
    session.info.setdefault(NEWS, {})[payload] = None  # a dictionary: in order, and each once


def telling(topic: str, **fields: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same as a column of the statement that makes the news, which saves `notify`'s round trip."""
    pairs = [part for name, value in fields.items() for part in (literal(name), value)]
    payload = func.json_build_object(literal("topic"), literal(topic), *pairs)
    return func.pg_notify(literal(CHANNEL), cast(payload, Text))


@event.listens_for(Session, "before_commit")
def _tell(session: Session) -> None:
    """All news of a transaction in one statement: each would cost a round trip of its own."""
    if news := session.info.pop(NEWS, None):
        session.execute(
            text("select pg_notify(:channel, one) from unnest(cast(:news as text[])) as one"),
            {"channel": CHANNEL, "news": list(news)},
        )


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(NEWS, None)


class Listener:
    """One connection that listens, and any number of subscribers in this process."""

    def __init__(self, url: str) -> None:
        self._url = libpq_url(url)
        self._queues: dict[str, set[asyncio.Queue[dict[str, Any]]]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen; reconnects by itself."""
        self._task = asyncio.create_task(self._run(), name="listener")

    async def stop(self) -> None:
        """Stop listening."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @contextlib.asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[asyncio.Queue[dict[str, Any]]]:
        """A queue of the news on `topic` while the block runs. News of topic "reconnected" say: look at the rows."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=1000)
        self._queues[topic].add(queue)
        try:
            yield queue
        finally:
            self._queues[topic].discard(queue)

    async def _run(self) -> None:
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
                async with connection:
                    await connection.execute(f"listen {CHANNEL}")
                    for topic in list(self._queues):
                        self._spread(topic, {"topic": "reconnected"})
                    async for news in connection.notifies():
                        fields = json.loads(news.payload)
                        self._spread(fields["topic"], fields)
            except psycopg.Error as error:
                log.warning("listener.reconnecting", error=type(error).__name__)
            await asyncio.sleep(0.3)

    def _spread(self, topic: str, fields: dict[str, Any]) -> None:
        for queue in self._queues.get(topic, ()):
            if queue.full():  # a stuck reader must not stop the others; it will look at the rows again
                with contextlib.suppress(asyncio.QueueEmpty):
                    queue.get_nowait()
            queue.put_nowait(fields)
