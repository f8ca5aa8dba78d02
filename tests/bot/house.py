"""The rooms of bot/ over the real PostgreSQL, with the job queue but without a worker: tests run the jobs they mean."""

import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from procrastinate.tasks import Task
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now
from bot.base.db import Database
from bot.base.jobs import Patient, job_app
from bot.contracts.connector import Capabilities, MessagingWindow, WindowState
from bot.contracts.ids import Channel, ConversationId, MessageId
from bot.contracts.messages import Author, Event, Inbound, Outbound, Reply, Sent
from bot.conversation.overview import load_undelivered
from bot.conversation.tables import ConversationRow, MessageRow
from bot.inbox.accept import accept
from bot.outbox.deliver import deliver
from bot.outbox.post import Outbox

TESTCHAT = Channel("testchat")
PULLED = Channel("pulled")


async def undelivered(session: AsyncSession) -> list[MessageId]:
    """Messages that could not be sent and wait for a person, newest first."""
    return [one.message for one in await load_undelivered(session)]


class ScriptedConnector:
    """A channel whose platform does what a test says. Implements `bot.contracts.connector.Connector`."""

    name: ClassVar[Channel] = TESTCHAT
    capabilities: ClassVar[Capabilities] = Capabilities(max_chars=2000, max_buttons=3)

    def __init__(self) -> None:
        self.arrived: list[tuple[MessageId, int]] = []
        """What the citizen has on the screen: message and part, in order."""
        self.open = True

    def verify(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """Everything is from the platform."""

    def parse(self, raw: bytes) -> list[Event]:
        """No webhooks here."""
        return []

    def window(self, last_inbound: datetime | None, author: Author, now: datetime) -> MessagingWindow:
        """Open or closed, as the test says."""
        return MessagingWindow(WindowState.OPEN if self.open else WindowState.CLOSED)

    async def send(self, outbound: Outbound) -> Sent:
        """Take it."""
        return Sent((self.take(outbound, 0),))

    async def find_sent(self, outbound: Outbound) -> Sent | None:
        """The truth."""
        ids = tuple(self.id_of(message, part) for message, part in self.arrived if message == outbound.message)
        return Sent(ids) if ids else None

    async def show_typing(self, citizen_ref: str) -> None:
        """Nothing to show."""

    async def close(self) -> None:
        """Nothing to release."""

    def take(self, outbound: Outbound, part: int) -> str:
        """The citizen has it."""
        self.arrived.append((outbound.message, part))
        return self.id_of(outbound.message, part)

    @staticmethod
    def id_of(message: MessageId, part: int) -> str:
        """The platform's id of a part."""
        return f"mid-{message}-{part}"


class BotHouse:
    """Builders with a default for everything, and the edges' transactions."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.connector = ScriptedConnector()
        self.jobs = job_app(database.url)
        self._numbers = itertools.count(1)

        @self.jobs.task(name="deliver", queue="deliver", retry=Patient())
        async def deliver_job(message: int) -> None:
            await self.deliver(MessageId(message))

        @self.jobs.task(name="converse", queue="converse", retry=Patient())
        async def converse_job(message: int) -> None:
            """Nobody answers here."""

        self.converse: Task[Any, Any, Any] = converse_job
        pulls = Capabilities(max_chars=2000, max_buttons=3, pulls=True)
        self.outbox = Outbox(deliver_job, {TESTCHAT: ScriptedConnector.capabilities, PULLED: pulls})

    def inbound(self, said: str = "Làm lại thẻ ở đâu?", *, ref: str = "lan", **fields: Any) -> Inbound:
        """A message that a citizen wrote just now."""
        number = next(self._numbers)
        given: dict[str, Any] = {"channel": TESTCHAT, "provider_message_id": f"in-{number}", "sent_at": now()}
        return Inbound(citizen_ref=ref, text=said, **given | fields)

    async def accept(self, inbound: Inbound) -> tuple[MessageId, bool]:
        """As a webhook does."""
        async with self.database.transaction() as session:
            return await accept(session, inbound, self.converse)

    async def conversation(self, ref: str | None = None, **fields: Any) -> ConversationId:
        """A citizen who wrote once."""
        message, _ = await self.accept(self.inbound(ref=ref or f"citizen-{next(self._numbers)}", **fields))
        return (await self.message(message)).conversation_id

    async def post(
        self, conversation: ConversationId, said: str = "Tại UBND phường.", author: Author = Author.BOT
    ) -> MessageId:
        """Something to say, with its job."""
        async with self.database.transaction() as session:
            return await self.outbox.post(session, conversation, Reply(said), author=author)

    async def deliver(self, message: MessageId) -> None:
        """The job."""
        await deliver(self.database, {TESTCHAT: self.connector}, message)

    async def message(self, message: MessageId) -> MessageRow:
        """The row as it is now."""
        async with self.database.transaction() as session:
            return await session.get_one(MessageRow, message)

    async def row(self, conversation: ConversationId) -> ConversationRow:
        """The row as it is now."""
        async with self.database.transaction() as session:
            return await session.get_one(ConversationRow, conversation)

    async def waiting_jobs(self) -> list[tuple[str, str, int]]:
        """Task, lock and message of every job that waits, in the order of their creation."""
        query = (
            "select task_name, lock, (args->>'message')::bigint from procrastinate_jobs where status='todo' order by id"
        )
        async with self.database.transaction() as session:
            return [(task, lock, number) for task, lock, number in await session.execute(text(query))]

    async def count(self, table: str) -> int:
        """Rows in a table."""
        async with self.database.transaction() as session:
            return int((await session.execute(text(f"select count(*) from {table}"))).scalar_one())
