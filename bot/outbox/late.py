"""Messages that wait too long to go out: nobody gave up on them, yet the citizen has nothing, so a person must know."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import say_moment
from bot.contracts.ids import MessageId
from bot.contracts.messages import DeliveryState
from bot.conversation.tables import ConversationRow, MessageRow

LATE_AFTER: Final = timedelta(minutes=15)
"""From then on a message that still waits is on the list of those that did not arrive; it goes on being tried."""
ON_THEIR_WAY: Final = (DeliveryState.QUEUED, DeliveryState.SENDING)
BEHIND_VI: Final = "đang đợi tin trước đó của người này, hoặc bộ phận gửi tin đang dừng."


def waits_since() -> ColumnElement[datetime]:
    """Since when a message has been waiting. Wants `ConversationRow` joined.

    One that was refused: since the first refusal. One that nobody tried: since it was written, or released from being
    held by the citizen's next message.
    """
    never: ColumnElement[Any] = func.greatest(MessageRow.created_at, ConversationRow.last_inbound_at)
    return case(
        (MessageRow.failure.is_not(None), func.coalesce(MessageRow.failing_since, MessageRow.created_at)),
        (MessageRow.status == DeliveryState.SENDING, func.coalesce(MessageRow.sending_since, MessageRow.created_at)),
        else_=never,
    )


def is_late(at: datetime) -> ColumnElement[bool]:
    """Condition on messages: has it been waiting for too long? Wants `ConversationRow` joined."""
    return MessageRow.status.in_(ON_THEIR_WAY) & (waits_since() <= at - LATE_AFTER)


async def find_late(session: AsyncSession, messages: Collection[MessageId], at: datetime) -> dict[MessageId, datetime]:
    """Those of these messages that wait for too long, and since when."""
    rows = await session.execute(
        select(MessageRow.id, waits_since())
        .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
        .where(MessageRow.id.in_(messages), MessageRow.direction == "out", is_late(at))
    )
    return {message: since for message, since in rows}


def say_late(since: datetime, reason: str | None) -> str:
    """What the operator reads under such a message. Pure."""
    return f"Chờ gửi từ {say_moment(since)}: {reason or BEHIND_VI}"
