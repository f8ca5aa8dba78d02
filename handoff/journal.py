"""How this room touches its rows: one lock per conversation, rows to frozen types, and the record of each action."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.notify import notify
from bot.contracts.errors import NotFound
from bot.contracts.ids import ConversationId, MessageId, TicketId
from handoff.account import Account
from handoff.tables import AuditRow, TicketEventRow, TicketRow
from handoff.ticket import Ticket

log = structlog.get_logger(__name__)


class TicketNotFound(NotFound):
    """No ticket has this number or code, or the reader may not know that there is one."""

    code, vi = "ticket.not_found", "Không tìm thấy phiếu."


LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("key"), 0)))
"""What `lock_conversation` does, for whoever sends it together with something else."""


def lock_key(conversation: ConversationId) -> str:
    """The `key` of LOCK."""
    return f"handoff:{conversation}"


async def lock_conversation(session: AsyncSession, conversation: ConversationId) -> None:
    """Wait until nobody else changes the tickets or the holder of this conversation, until the transaction ends.

    Taken before any row lock of this room, so that two transactions can't wait for each other.
    """
    await session.execute(LOCK, {"key": lock_key(conversation)})


async def lock_ticket(session: AsyncSession, ticket: TicketId) -> TicketRow:
    """The ticket's row, ours alone until the transaction ends. Raises TicketNotFound."""
    conversation = await session.scalar(select(TicketRow.conversation_id).where(TicketRow.id == ticket))
    if conversation is None:
        raise TicketNotFound
    await lock_conversation(session, conversation)
    row = await session.get(TicketRow, ticket, with_for_update=True, populate_existing=True)
    if row is None:
        raise TicketNotFound
    return row


async def record(
    session: AsyncSession,
    row: TicketRow,
    what: str,
    by: Account | None,
    now: datetime,
    *,
    fields: Mapping[str, Any] | None = None,
    texts: Mapping[str, Any] | None = None,
    message: MessageId | None = None,
) -> None:
    """Write down what happened to a ticket, and tell whoever looks at it once the transaction commits.

    `fields` are ids and words of ours and go to the audit log as well; `texts` may hold what people wrote and stay in
    the ticket's own events, which can be erased.
    """
    facts = dict(fields or {})
    account = by.id if by else None
    event = TicketEventRow(
        ticket_id=row.id, what=what, account_id=account, at=now, message_id=message, fields=facts | dict(texts or {})
    )
    session.add(event)
    if by is not None:
        await audit(session, what, by, now, ticket=row.id, conversation=row.conversation_id, **facts)
    await session.flush()
    await notify(session, "tickets", ticket=row.id, code=row.code, what=what)
    await notify(session, "conversation", conversation=row.conversation_id)
    log.info(f"handoff.ticket_{what}", ticket=row.id, conversation=row.conversation_id, account=account)


async def audit(
    session: AsyncSession,
    what: str,
    by: Account | None,
    now: datetime,
    *,
    ticket: TicketId | None = None,
    conversation: ConversationId | None = None,
    **fields: Any,
) -> None:
    """One line in the append-only log. Ids and words of ours only, never what a citizen wrote."""
    session.add(
        AuditRow(
            at=now,
            account_id=by.id if by else None,
            what=what,
            ticket_id=ticket,
            conversation_id=conversation,
            fields=fields,
        )
    )
    await session.flush()


def ticket_of(row: TicketRow) -> Ticket:
    """The row as other rooms know it."""
    return Ticket(
        id=row.id,
        code=row.code,
        kind=row.kind,
        state=row.state,
        priority=row.priority,
        reason=row.reason,
        conversation=row.conversation_id,
        question=row.question,
        subject=row.subject,
        unit=row.unit,
        forwarded_to=row.forwarded_to,
        taken_by=row.taken_by,
        place=row.place,
        message=row.question_message_id,
        created_at=row.created_at,
        promised_at=row.promised_at,
        due_at=row.due_at,
        first_reply_at=row.first_reply_at,
        closed_at=row.closed_at,
        outcome=row.outcome,
    )
