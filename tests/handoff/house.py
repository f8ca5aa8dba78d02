"""Builders for the tests of the handoff room: staff, tickets, and clicks."""

import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from bot.base.db import Database
from bot.contracts.ids import ConversationId, MessageId, UnitCode
from handoff import desk
from handoff.account import Account
from handoff.accounts import account_of
from handoff.role import Role
from handoff.tables import AccountRow
from handoff.ticket import Reason, Ticket, TicketKind

NOON = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
"""Twelve o'clock on a Tuesday in Thanh Hóa."""


class House:
    """A seeded database with builders: a test names only what it is about."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._numbers = itertools.count(1)

    async def staff(
        self, name: str = "Lan", role: Role = Role.OPERATOR, unit: UnitCode | None = None, **fields: Any
    ) -> Account:
        """Somebody of ours, without the cost of a real password hash."""
        async with self.database.transaction() as session:
            row = AccountRow(
                name=f"{name.lower()}{next(self._numbers)}",
                display_name=name,
                role=role,
                unit=unit,
                password_hash="-",
                **fields,
            )
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return account_of(row)

    async def ticket(self, conversation: int = 1, *, now: datetime = NOON, **fields: Any) -> Ticket:
        """A question that nobody wrote an answer for."""
        given: dict[str, Any] = {
            "message": MessageId(next(self._numbers) + 1000),
            "question": "Làm lại sổ hộ nghèo ở đâu?",
            "kind": TicketKind.QUESTION,
            "reason": Reason.NOTHING_CLOSE,
        }
        async with self.database.transaction() as session:
            return await desk.open_ticket(session, conversation=ConversationId(conversation), now=now, **given | fields)

    async def do(self, action: Callable[..., Awaitable[Any]], *args: Any, now: datetime = NOON, **fields: Any) -> Any:
        """One action of the desk in a transaction of its own, as a click is."""
        async with self.database.transaction() as session:
            return await action(session, *args, now=now, **fields)
