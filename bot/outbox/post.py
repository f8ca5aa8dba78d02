"""Say something to a citizen: a row and its delivery job in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from procrastinate.tasks import Task
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    DateTime,
    Text,
    any_,
    bindparam,
    case,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base import jobs
from bot.base.clock import now
from bot.base.db import table_of
from bot.base.notify import telling
from bot.contracts.connector import Capabilities
from bot.contracts.ids import AccountId, Channel, ConversationId, MessageId
from bot.contracts.messages import Author, DeliveryState, Reply
from bot.conversation.tables import ConversationRow, MessageRow

log = structlog.get_logger(__name__)


_conversations, _messages = table_of(ConversationRow), table_of(MessageRow)
_recipient = (
    update(_conversations)
    .where(_conversations.c.id == bindparam("conversation"))
    .values(last_message_at=func.now())
    .returning(_conversations.c.channel, _conversations.c.citizen_ref)
    .cte("recipient")
)
_pulls = _recipient.c.channel == any_(bindparam("pulling", type_=ARRAY(Text)))
_written = {
    "conversation_id": bindparam("conversation", type_=BigInteger),
    "channel": _recipient.c.channel,
    "direction": literal("out"),
    "author": bindparam("author", type_=Text),
    "account": bindparam("account", type_=BigInteger),
    "text": bindparam("text", type_=Text),
    "choices": bindparam("choices", type_=JSONB),
    "ticket": bindparam("ticket", type_=Text),
    "entry": bindparam("entry", type_=BigInteger),
    "ask_helpful": bindparam("ask_helpful", type_=Boolean),
    "answers": bindparam("answers", type_=BigInteger),
    "status": case((_pulls, DeliveryState.SENT.value), else_=DeliveryState.QUEUED.value),
    "sent_at": case((_pulls, bindparam("now", type_=DateTime(timezone=True)))),
}
# Row, recipient, the conversation's time and the news in one round trip; built once, because every answer needs it.
_message = (
    insert(_messages)
    .from_select(list(_written), select(*_written.values()), include_defaults=False)
    .returning(_messages.c.id, _messages.c.status, _messages.c.conversation_id)
    .cte("message")
)
_POST = select(
    _message.c.id,
    _message.c.status,
    telling(
        "conversation",
        conversation=_message.c.conversation_id,
        citizen_ref=select(_recipient.c.citizen_ref).scalar_subquery(),
        message=_message.c.id,
    ),
)


@dataclass(frozen=True, slots=True)
class Outbox:
    """How messages leave: the delivery job, and what each channel can do."""

    deliver: Task[Any, Any, Any]
    capabilities: Mapping[Channel, Capabilities]

    async def post(
        self,
        session: AsyncSession,
        conversation: ConversationId,
        reply: Reply,
        *,
        author: Author,
        account: AccountId | None = None,
        answers: MessageId | None = None,
    ) -> MessageId:
        """Write the message and defer its delivery; on a channel that pulls, the committed row is the delivery."""
        pulling = [name for name, one in self.capabilities.items() if one.pulls]
        row = (
            await session.execute(
                _POST,
                {
                    "conversation": conversation,
                    "author": author.value,
                    "account": account,
                    "text": reply.text,
                    "choices": [one.as_json() for one in reply.choices],
                    "ticket": reply.ticket,
                    "entry": reply.entry,
                    "ask_helpful": reply.ask_helpful,
                    "answers": answers,
                    "pulling": pulling,
                    "now": now(),
                },
            )
        ).one()
        if row.status == DeliveryState.QUEUED:
            await self.defer_delivery(session, row.id, conversation)
        return MessageId(row.id)

    async def defer_delivery(self, session: AsyncSession, message: MessageId, conversation: ConversationId) -> None:
        """The job that sends `message`; messages to one citizen go out in the order of their rows."""
        await jobs.defer(session, self.deliver, lock=f"deliver:{conversation}", message=message)

    async def release_held(self, session: AsyncSession, conversation: ConversationId) -> int:
        """The citizen wrote again, so the window is open: send what was kept for them, oldest first."""
        held = await session.execute(
            update(MessageRow)
            .where(MessageRow.conversation_id == conversation, MessageRow.status == DeliveryState.HELD)
            .values(status=DeliveryState.QUEUED, failure=None, attempts=0)
            .returning(MessageRow.id)
        )
        ids = sorted(held.scalars())
        for one in ids:
            await self.defer_delivery(session, one, conversation)
        return len(ids)

    async def retry(self, session: AsyncSession, message: MessageId) -> bool:
        """An operator asks to send a failed, held or uncertain message again. False if it is not in such a state.

        An uncertain one stays uncertain: the job asks the platform first whether it went out.
        """
        row = await session.get(MessageRow, message, with_for_update=True)
        again = {DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.UNCERTAIN}
        if row is None or row.direction != "out" or row.status not in again:
            return False
        if row.status != DeliveryState.UNCERTAIN:
            row.status = DeliveryState.QUEUED
        row.failure, row.attempts = None, 0
        await self.defer_delivery(session, message, row.conversation_id)
        return True
