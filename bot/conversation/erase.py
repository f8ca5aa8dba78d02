"""Erase a citizen's data on their wish: the rows stay as numbers, their words, names and phones go."""

from datetime import datetime

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contracts.ids import Channel
from bot.conversation.tables import ConversationRow, DecisionRow, MessageRow
from connectors.condition import forget_citizen
from handoff.erase import erase_conversation

log = structlog.get_logger(__name__)
ERASED = "(đã xoá theo yêu cầu)"


async def erase_citizen(session: AsyncSession, channel: Channel, citizen_ref: str, moment: datetime) -> bool:
    """Erase what this citizen said and who they are. False if there is no such citizen."""
    conversation = await session.scalar(
        select(ConversationRow)
        .where(ConversationRow.channel == channel, ConversationRow.citizen_ref == citizen_ref)
        .with_for_update()
    )
    if conversation is None:
        return False
    of_it = MessageRow.conversation_id == conversation.id
    await session.execute(
        update(MessageRow)
        .where(of_it, MessageRow.direction == "in")
        .values(
            text=ERASED,
            attachments=[],
            extra={},
            payload=None,
            handled_at=func.coalesce(MessageRow.handled_at, moment),  # nothing is left to answer
        )
    )
    messages = select(MessageRow.id).where(of_it).scalar_subquery()
    await session.execute(update(DecisionRow).where(DecisionRow.message.in_(messages)).values(evidence={}))
    await erase_conversation(session, conversation.id)
    await forget_citizen(session, channel, citizen_ref)
    conversation.last_choices = []
    conversation.citizen_name = conversation.phone = conversation.last_question = conversation.last_place = None
    conversation.name_asked_at = moment
    log.info("citizen.erased", channel=channel, conversation=conversation.id, at=moment.isoformat())
    return True
