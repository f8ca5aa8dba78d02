"""Small read-only questions to rows of neighbouring rooms that no room answers yet in bulk. The console's only SQL."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contracts.ids import Channel, ConversationId, EntryId, MessageId, TicketCode, UnitCode
from bot.contracts.messages import DeliveryState
from bot.conversation.tables import ConversationRow, DecisionRow, MessageRow
from faq.tables import BankRow, EntryRow
from handoff.tables import TicketRow


@dataclass(frozen=True, slots=True)
class Trouble:
    """A message of ours that could not be sent, with the ticket where somebody can act on it."""

    message: MessageId
    ticket: TicketCode | None
    channel: Channel
    status: DeliveryState
    failure: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RetiredEntry:
    """An entry out of use."""

    id: EntryId
    unit: UnitCode
    question: str


async def load_channels(
    session: AsyncSession, conversations: Collection[ConversationId]
) -> dict[ConversationId, Channel]:
    """The channel of each conversation."""
    rows = await session.execute(
        select(ConversationRow.id, ConversationRow.channel).where(ConversationRow.id.in_(conversations))
    )
    return {conversation: Channel(channel) for conversation, channel in rows}


async def load_trouble(session: AsyncSession, *, limit: int = 50) -> list[Trouble]:
    """Messages that could not be sent and wait for a person, newest first."""
    ticket = (
        select(TicketRow.code)
        .where(TicketRow.conversation_id == MessageRow.conversation_id)
        .order_by(TicketRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    stuck = [DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.UNCERTAIN]
    rows = await session.execute(
        select(MessageRow, ticket).where(MessageRow.status.in_(stuck)).order_by(MessageRow.id.desc()).limit(limit)
    )
    return [
        Trouble(row.id, code, Channel(row.channel), DeliveryState(row.status or ""), row.failure, row.created_at)
        for row, code in rows
    ]


async def load_retired(session: AsyncSession, *, limit: int = 500) -> list[RetiredEntry]:
    """Entries out of use, those retired last first."""
    rows = await session.execute(
        select(EntryRow.id, BankRow.unit, EntryRow.question)
        .join(BankRow, BankRow.id == EntryRow.bank)
        .where(EntryRow.retired_at.is_not(None))
        .order_by(EntryRow.retired_at.desc())
        .limit(limit)
    )
    return [RetiredEntry(*row) for row in rows]


async def load_decided(session: AsyncSession, since: datetime) -> dict[str, int]:
    """How many inbound messages the bot decided about since then, by what it decided."""
    from_decisions = select(DecisionRow.outcome, func.count()).where(DecisionRow.created_at >= since)
    return {outcome: count for outcome, count in await session.execute(from_decisions.group_by(DecisionRow.outcome))}
