"""What the console reads of conversations: what was said and how far it came, what did not arrive, what was decided."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now
from bot.contracts.ids import Channel, ConversationId, EntryId, MessageId, TicketCode
from bot.contracts.messages import Author, Choice, DeliveryState
from bot.conversation.tables import ConversationRow, DecisionRow, MessageRow
from bot.outbox.elsewhere import not_elsewhere
from bot.outbox.late import ON_THEIR_WAY, find_late, is_late, say_late, waits_since
from handoff.call import Call
from handoff.calls import load_calls
from handoff.tables import AccountRow, CallRow, TicketRow

STUCK = frozenset({DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.UNCERTAIN})
"""Not arrived, and nothing more happens until a person, or the citizen, acts."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """One line of a conversation as the console shows it."""

    id: MessageId
    conversation: ConversationId
    channel: Channel
    author: Author
    by: str | None
    """Display name of the colleague who wrote it."""
    kind: str
    text: str
    choices: tuple[Choice, ...]
    attachments: tuple[dict[str, Any], ...]
    location: tuple[float, float] | None
    ticket: TicketCode | None
    entry: EntryId | None
    helpful: bool | None
    created_at: datetime
    status: DeliveryState | None
    """Of an outbound message."""
    failure: str | None
    outside: bool
    """Written in the platform's own inbox."""
    outcome: str | None
    """Of an inbound message: what the bot decided."""
    call: Call | None = None
    """Of an outbound message that is told by phone."""
    late: bool = False
    """Of an outbound message that has been waiting for too long; `failure` then says since when, and why."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message of ours that did not arrive, with the ticket where somebody can act on it."""

    message: MessageId
    conversation: ConversationId
    ticket: TicketCode | None
    channel: Channel
    citizen_name: str | None
    phone: str | None
    text: str
    author: Author
    status: DeliveryState
    failure: str | None
    created_at: datetime
    call: Call | None
    late: bool
    """It still goes out by itself, but has been waiting for too long; `failure` says since when, and why."""


async def load_history(
    session: AsyncSession, conversations: Collection[ConversationId], *, after: int = 0, limit: int = 200
) -> list[MessageView]:
    """The messages after `after`, oldest first; with `after` 0 the latest `limit`."""
    wanted = (
        select(MessageRow, AccountRow.display_name, DecisionRow.outcome)
        .outerjoin(AccountRow, AccountRow.id == MessageRow.account)
        .outerjoin(DecisionRow, DecisionRow.message == MessageRow.id)
        .where(MessageRow.conversation_id.in_(conversations))
    )
    if after:
        rows = list(await session.execute(wanted.where(MessageRow.id > after).order_by(MessageRow.id)))
    else:
        rows = list(await session.execute(wanted.order_by(MessageRow.id.desc()).limit(limit)))[::-1]
    waiting = [row.id for row, _, _ in rows if row.status in ON_THEIR_WAY]
    late = await find_late(session, waiting, now()) if waiting else {}
    stuck = [row.id for row, _, _ in rows if row.status in STUCK or row.id in late]
    calls = await load_calls(session, stuck) if stuck else {}
    return [_view(row, name, outcome, calls.get(row.id), late.get(row.id)) for row, name, outcome in rows]


async def load_channels(
    session: AsyncSession, conversations: Collection[ConversationId]
) -> dict[ConversationId, Channel]:
    """The channel of each conversation."""
    rows = await session.execute(
        select(ConversationRow.id, ConversationRow.channel).where(ConversationRow.id.in_(conversations))
    )
    return {conversation: Channel(channel) for conversation, channel in rows}


async def load_undelivered(session: AsyncSession, *, limit: int = 50) -> list[Undelivered]:
    """Messages that did not arrive, or wait for too long, and about which nobody has called yet, newest first."""
    moment = now()
    of_it = TicketRow.conversation_id == MessageRow.conversation_id
    ticket = select(TicketRow.code).where(of_it).order_by(TicketRow.id.desc()).limit(1).scalar_subquery()
    phone = (
        select(TicketRow.phone)
        .where(of_it, TicketRow.phone.is_not(None))
        .order_by(TicketRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = (
        await session.execute(
            select(
                MessageRow,
                ConversationRow.citizen_name,
                func.coalesce(ConversationRow.phone, phone),
                func.coalesce(MessageRow.ticket, ticket),
                waits_since(),
            )
            .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
            .outerjoin(CallRow, CallRow.message_id == MessageRow.id)
            .where(
                or_(MessageRow.status.in_(STUCK), is_late(moment)),
                not_elsewhere(),
                or_(CallRow.message_id.is_(None), CallRow.outcome.is_(None)),
            )
            .order_by(MessageRow.id.desc())
            .limit(limit)
        )
    ).all()
    calls = await load_calls(session, [row.id for row, *_ in rows])
    return [
        Undelivered(
            message=row.id,
            conversation=row.conversation_id,
            ticket=TicketCode(code) if code else None,
            channel=Channel(row.channel),
            citizen_name=name,
            phone=number,
            text=row.text,
            author=Author(row.author),
            status=DeliveryState(row.status or ""),
            failure=say_late(since, row.failure) if row.status in ON_THEIR_WAY else row.failure,
            created_at=row.created_at,
            call=calls.get(row.id),
            late=row.status in ON_THEIR_WAY,
        )
        for row, name, number, code, since in rows
    ]


async def count_decisions(session: AsyncSession, since: datetime) -> dict[str, int]:
    """How many inbound messages the bot decided about since then, by what it decided."""
    from_decisions = select(DecisionRow.outcome, func.count()).where(DecisionRow.created_at >= since)
    return {outcome: count for outcome, count in await session.execute(from_decisions.group_by(DecisionRow.outcome))}


def _view(
    row: MessageRow, name: str | None, outcome: str | None, call: Call | None, late_since: datetime | None
) -> MessageView:
    location = row.extra.get("location")
    return MessageView(
        id=row.id,
        conversation=row.conversation_id,
        channel=Channel(row.channel),
        author=Author(row.author),
        by=name,
        kind=row.kind,
        text=row.text,
        choices=tuple(Choice(one["title"], one["payload"]) for one in row.choices),
        attachments=tuple(row.attachments),
        location=(location["latitude"], location["longitude"]) if location else None,
        ticket=TicketCode(row.ticket) if row.ticket else None,
        entry=EntryId(row.entry) if row.entry else None,
        helpful=row.helpful,
        created_at=row.created_at,
        status=DeliveryState(row.status) if row.status else None,
        failure=say_late(late_since, row.failure) if late_since else row.failure,
        outside=bool(row.extra.get("outside")),
        outcome=outcome,
        call=call,
        late=late_since is not None,
    )
