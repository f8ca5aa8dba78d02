"""Opening a ticket, once per inbound message, and one per citizen while it lies at the duty desk.

Why a further question joins the ticket that already waits: docs/decisions/0008-one-ticket-at-the-desk.md
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contracts.ids import ConversationId, MessageId, SubjectId, UnitCode
from handoff.account import Account
from handoff.deadline import plan_promise
from handoff.journal import lock_conversation, record, ticket_of
from handoff.tables import TicketEventRow, TicketRow
from handoff.ticket import AT_DESK, OPEN, Priority, Reason, State, Ticket, TicketKind, new_code

JOINING = frozenset({TicketKind.QUESTION, TicketKind.HELP})
"""Kinds that join a ticket at the desk. A report or a proposal is a matter of its own and gets its own code."""


async def open_ticket(
    session: AsyncSession,
    *,
    conversation: ConversationId,
    message: MessageId | None,
    question: str,
    kind: TicketKind,
    reason: Reason,
    now: datetime,
    candidates: Sequence[dict[str, Any]] = (),
    subject: SubjectId | None = None,
    unit: UnitCode | None = None,
    priority: Priority = Priority.NORMAL,
    phone: str | None = None,
    place: str | None = None,
) -> Ticket:
    """The ticket for this message: the one it already made, the one at the desk that it joins, or a new one.

    Calling it again with the same `message` changes nothing. `candidates` are what the search found, best first, each a
    dict that the console can show ({"entry", "question", "confidence", …}).
    """
    await lock_conversation(session, conversation)
    if message is not None and (known := await _find_by_message(session, message)):
        return ticket_of(known)
    row = await _find_at_desk(session, conversation) if kind in JOINING else None
    if row is not None:
        _join(row, kind=kind, reason=reason, priority=priority, phone=phone, place=place, now=now)
        what, texts = "question_added", {"question": question, "candidates": list(candidates)}
    else:
        row = await insert_ticket(
            session,
            conversation=conversation,
            message=message,
            question=question,
            kind=kind,
            reason=reason,
            now=now,
            candidates=candidates,
            subject=subject,
            unit=unit,
            priority=priority,
            phone=phone,
            place=place,
        )
        what, texts = "opened", {}
    facts = {"reason": reason.value, "kind": kind.value, "priority": priority.value}
    await record(session, row, what, None, now, fields=facts, texts=texts, message=message)
    return ticket_of(row)


async def insert_ticket(
    session: AsyncSession,
    *,
    conversation: ConversationId,
    question: str,
    kind: TicketKind,
    reason: Reason,
    now: datetime,
    message: MessageId | None = None,
    candidates: Sequence[dict[str, Any]] = (),
    subject: SubjectId | None = None,
    unit: UnitCode | None = None,
    priority: Priority = Priority.NORMAL,
    phone: str | None = None,
    place: str | None = None,
    taken_by: Account | None = None,
) -> TicketRow:
    """A new row with a code that no other ticket has; in progress if somebody takes it at once."""
    promised = plan_promise(kind, priority, now)
    while True:
        values = {
            "code": new_code(),
            "kind": kind,
            "state": State.IN_PROGRESS if taken_by else State.WAITING,
            "taken_by": taken_by.id if taken_by else None,
            "priority": priority,
            "reason": reason,
            "subject": subject,
            "unit": unit,
            "conversation_id": conversation,
            "question_message_id": message,
            "question": question,
            "candidates": list(candidates),
            "phone": phone,
            "place": place,
            "created_at": now,
            "promised_at": promised,
            "due_at": promised,
        }
        query = insert(TicketRow).values(values).on_conflict_do_nothing(index_elements=["code"]).returning(TicketRow)
        if row := await session.scalar(query):
            return row


async def find_open_ticket(session: AsyncSession, conversation: ConversationId) -> Ticket | None:
    """The ticket on which this citizen still waits: at the desk before at a unit, urgent before not, new before old."""
    rows = await session.scalars(
        select(TicketRow).where(TicketRow.conversation_id == conversation, TicketRow.state.in_(OPEN))
    )
    best = max(rows, key=lambda row: (row.state in AT_DESK, row.priority.rank, row.id), default=None)
    return ticket_of(best) if best else None


async def find_latest_ticket(session: AsyncSession, conversation: ConversationId) -> Ticket | None:
    """The newest ticket of this citizen, open or not: what "phiếu của tôi" means when no code is given."""
    query = select(TicketRow).where(TicketRow.conversation_id == conversation).order_by(TicketRow.id.desc()).limit(1)
    row = await session.scalar(query)
    return ticket_of(row) if row else None


async def _find_by_message(session: AsyncSession, message: MessageId) -> TicketRow | None:
    """The ticket that this inbound message opened or joined."""
    joined = select(TicketEventRow.ticket_id).where(TicketEventRow.message_id == message)
    query = select(TicketRow).where(or_(TicketRow.question_message_id == message, TicketRow.id.in_(joined)))
    return await session.scalar(query)


async def _find_at_desk(session: AsyncSession, conversation: ConversationId) -> TicketRow | None:
    """The ticket of this citizen that lies at the duty desk and that a further question joins."""
    query = (
        select(TicketRow)
        .where(
            TicketRow.conversation_id == conversation,
            TicketRow.state.in_(AT_DESK),
            TicketRow.kind.in_(JOINING),
        )
        .order_by(TicketRow.id.desc())
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return await session.scalar(query)


def _join(
    row: TicketRow,
    *,
    kind: TicketKind,
    reason: Reason,
    priority: Priority,
    phone: str | None,
    place: str | None,
    now: datetime,
) -> None:
    """A further question makes a ticket more urgent, never less, and fills in what was not known."""
    if priority.rank > row.priority.rank:
        sooner = plan_promise(kind, priority, now)
        row.priority = priority
        row.promised_at, row.due_at = min(row.promised_at, sooner), min(row.due_at, sooner)
        if reason is Reason.EMERGENCY:
            row.reason = reason
    if kind is TicketKind.HELP:
        row.kind = kind
    row.phone = row.phone or phone
    row.place = row.place or place
