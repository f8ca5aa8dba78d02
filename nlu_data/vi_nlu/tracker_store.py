"""Dialogue state in PostgreSQL that outlives a restart of PostgreSQL. Runs inside Rasa.

Rasa's own SQLTrackerStore keeps dead connections (no ping), and the wrapper around it (FailSafeTrackerStore) answers a
failed read with an empty dialogue and a failed write with memory: the form a citizen is filling in would be gone. Here
a lost connection is tried again with patience; when that does not help, the turn is refused and nothing is written
anywhere, so that the gateway tries the same message again later. Table and columns are those of Rasa's own store.
"""

# Checked by its tests in Rasa's own environment, whose types the gateway's does not have.
# mypy: ignore-errors
from __future__ import annotations

import asyncio
import functools
import json
import logging
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, TypeVar

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SerializedTrackerAsText, SQLTrackerStore, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SessionStarted
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.engine import Connection

logger = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE_S = 8.0
"""How long one read or write waits for PostgreSQL to come back (seconds); a restart after kill -9 takes one or two."""
PAUSE_S = 0.2

saved_loop: ContextVar[str | None] = ContextVar("saved_loop", default=None)
"""Name of the form that was under way when this turn's dialogue was saved; the channel tells it to the gateway."""


class StoreUnavailable(asyncio.CancelledError):
    """PostgreSQL did not come back in time.

    A CancelledError, because FailSafeTrackerStore swallows every Exception and would go on with an empty dialogue.
    """


class PatientTrackerStore(TrackerStore, SerializedTrackerAsText):
    """Rasa's `events` table in the schema `schema` (created when missing)."""

    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        schema: str = "rasa",
        patience_s: float = PATIENCE_S,
        **kwargs: Any,
    ) -> None:
        """`host` is the SQLAlchemy URL, from `url:` in endpoints.yml."""
        super().__init__(domain, event_broker, **kwargs)
        self._patience_s = patience_s
        self._events: sa.Table = SQLTrackerStore.SQLEvent.__table__
        self._engine = sa.create_engine(
            host,
            future=True,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=10,
            connect_args={"options": f"-csearch_path={schema}", "connect_timeout": 3, "application_name": "rasa"},
        )
        self._patiently(functools.partial(self._create, schema=schema), patience_s=60.0)

    def _create(self, connection: Connection, schema: str) -> None:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('rasa.events'))"))
        connection.execute(sa.schema.CreateSchema(schema)) if not self._has_schema(connection, schema) else None
        self._events.metadata.create_all(connection, tables=[self._events])

    @staticmethod
    def _has_schema(connection: Connection, schema: str) -> bool:
        query = sa.text("SELECT 1 FROM information_schema.schemata WHERE schema_name = :name")
        return connection.execute(query, {"name": schema}).scalar() is not None

    # --- what Rasa calls ---------------------------------------------------------------------------------------------

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The dialogue since the latest session start."""
        return self._tracker(
            sender_id, await self._run(functools.partial(self._read, sender_id=sender_id, all_sessions=False))
        )

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """The dialogue with all its sessions."""
        rows = await self._run(functools.partial(self._read, sender_id=conversation_id, all_sessions=True))
        return self._tracker(conversation_id, rows)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Append, in one transaction, what this tracker has beyond what was read."""
        await self.stream_events(tracker)
        known = getattr(tracker, "stored_events", 0)
        new = [self._row(tracker.sender_id, event.as_dict(), event.type_name) for event in list(tracker.events)[known:]]
        if new:
            await self._run(lambda connection: connection.execute(self._events.insert(), new))
        saved_loop.set(tracker.active_loop_name)
        tracker.stored_events = known + len(new)  # type: ignore[attr-defined]  # our own mark on Rasa's object

    async def keys(self) -> Iterable[str]:
        """Every conversation that has events."""
        query = sa.select(self._events.c.sender_id).distinct()
        return await self._run(lambda connection: connection.execute(query).scalars().all())

    # --- rows --------------------------------------------------------------------------------------------------------

    def _read(self, connection: Connection, sender_id: str, all_sessions: bool) -> list[str]:
        events = self._events.c
        query = sa.select(events.data).where(events.sender_id == sender_id).order_by(events.id)
        if not all_sessions:
            start = (
                sa.select(sa.func.max(events.id))
                .where(events.sender_id == sender_id, events.type_name == SessionStarted.type_name)
                .scalar_subquery()
            )
            query = query.where(events.id >= sa.func.coalesce(start, 0))
        return list(connection.execute(query).scalars())

    def _tracker(self, sender_id: str, rows: list[str]) -> DialogueStateTracker | None:
        if not rows or self.domain is None:
            return None
        tracker = DialogueStateTracker.from_dict(sender_id, [json.loads(one) for one in rows], self.domain.slots)
        tracker.stored_events = len(rows)
        return tracker

    @staticmethod
    def _row(sender_id: str, event: dict[str, Any], type_name: str) -> dict[str, Any]:
        return {
            "sender_id": sender_id,
            "type_name": type_name,
            "timestamp": event.get("timestamp"),
            "intent_name": ((event.get("parse_data") or {}).get("intent") or {}).get("name"),
            "action_name": event.get("name"),
            "data": json.dumps(event, ensure_ascii=False),
        }

    # --- patience ----------------------------------------------------------------------------------------------------

    async def _run(self, work: Callable[[Connection], T]) -> T:
        """Off the event loop: psycopg2 blocks, and other citizens are waiting."""
        return await asyncio.get_running_loop().run_in_executor(None, self._patiently, work, self._patience_s)

    def _patiently(self, work: Callable[[Connection], T], patience_s: float) -> T:
        """One transaction, begun again while the connection is lost, for `patience_s` seconds. Raises StoreUnavailable.

        A commit whose answer was lost could be done twice. So nothing is repeated once COMMIT was sent: that case is
        refused, and the gateway looks the message up before it sends it again.
        """
        end = time.monotonic() + patience_s
        while True:
            committing = False
            try:
                with self._engine.connect() as connection:
                    with connection.begin() as transaction:
                        done = work(connection)
                        committing = True
                        transaction.commit()
                    return done
            except (sa.exc.OperationalError, sa.exc.InterfaceError) as lost:
                if committing or time.monotonic() + PAUSE_S > end:
                    logger.error("tracker_store.unavailable %s", type(lost.orig).__name__)
                    raise StoreUnavailable("tracker store unavailable") from lost
                time.sleep(PAUSE_S)
