"""An answer whose channel is closed goes over another channel of the same person, where one is open.

Who is the same person was said by an operator; the answer then stands in both conversations, and the one that could not
be sent says so.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now
from bot.base.db import Database
from bot.base.notify import notify
from bot.contracts.connector import Connector, WindowState
from bot.contracts.ids import AccountId, Channel, EntryId, TicketCode
from bot.contracts.messages import Author, Choice, DeliveryState, Outbound, Reply
from bot.conversation.tables import ConversationRow, MessageRow
from bot.outbox.post import Outbox

log = structlog.get_logger(__name__)

ELSEWHERE: Final = "elsewhere"
"""Key in a message's extra facts: the message that carries the same answer on another channel."""
ELSEWHERE_VI: Final = "Hết khung trả lời trên kênh này; đã gửi qua {channel}."
LOOKED_AT_LATELY: Final = timedelta(hours=24)
"""A channel that the citizen's page pulls from counts as open for so long after they last wrote."""
NAMES_VI: Final = {"webchat": "trang trò chuyện", "zalo": "Zalo", "messenger": "Messenger"}


async def send_elsewhere(
    database: Database, connectors: Mapping[Channel, Connector], outbox: Outbox, outbound: Outbound
) -> bool:
    """Post the answer in another open conversation of this person. False if there is none: then it must be kept."""
    if outbound.attachments or outbound.sent_parts:  # files are kept per channel, parts stay where they are
        return False
    async with database.transaction() as session:
        row = await session.get_one(MessageRow, outbound.message, with_for_update=True)
        if row.status not in {DeliveryState.QUEUED, DeliveryState.UNCERTAIN}:
            return True  # somebody else has settled it
        other = await _open_conversation(session, connectors, row, outbound.author, now())
        if other is None:
            return False
        reply = Reply(
            row.text,
            tuple(Choice(**one) for one in row.choices),
            ticket=TicketCode(row.ticket) if row.ticket else None,
            entry=EntryId(row.entry) if row.entry else None,
        )
        account = AccountId(row.account) if row.account else None
        sent = await outbox.post(session, other.id, reply, author=outbound.author, account=account)
        name = NAMES_VI.get(other.channel, other.channel)
        row.status, row.failure = DeliveryState.FAILED, ELSEWHERE_VI.format(channel=name)
        row.extra = {**row.extra, ELSEWHERE: sent}
        await notify(session, "conversation", conversation=row.conversation_id, receipt=True)
    log.info("message.sent_elsewhere", message=outbound.message, channel=outbound.channel, instead=sent)
    return True


async def _open_conversation(
    session: AsyncSession, connectors: Mapping[Channel, Connector], row: MessageRow, author: Author, at: datetime
) -> ConversationRow | None:
    """The person's other conversation in which they wrote last, of those that may be written to now."""
    person = select(ConversationRow.person).where(ConversationRow.id == row.conversation_id).scalar_subquery()
    others = await session.scalars(
        select(ConversationRow)
        .where(
            ConversationRow.person == person,
            ConversationRow.id != row.conversation_id,
            ConversationRow.last_inbound_at.is_not(None),
        )
        .order_by(ConversationRow.last_inbound_at.desc())
    )
    return next((other for other in others if may_write(connectors, other, author, at)), None)


def may_write(
    connectors: Mapping[Channel, Connector], conversation: ConversationRow, author: Author, at: datetime
) -> bool:
    """Does what `author` writes in this conversation reach the citizen now?"""
    connector, last = connectors.get(Channel(conversation.channel)), conversation.last_inbound_at
    if connector is None or last is None:
        return False
    if connector.capabilities.pulls and at - last > LOOKED_AT_LATELY:
        return False
    return connector.window(last, author, at).state is WindowState.OPEN


def not_elsewhere() -> ColumnElement[bool]:
    """Condition on messages: not those whose answer went over another channel."""
    return func.jsonb_exists(MessageRow.extra, ELSEWHERE).is_(False)
