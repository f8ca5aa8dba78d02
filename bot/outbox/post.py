"""Say something to a citizen: a row and its delivery job in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from procrastinate.tasks import Task
from sqlalchemy import BigInteger, Text, case, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base import jobs
from bot.base.clock import now
from bot.base.notify import notify
from bot.contracts.connector import Capabilities
from bot.contracts.ids import AccountId, Channel, ConversationId, MessageId
from bot.contracts.messages import Author, DeliveryState, Reply
from bot.conversation.tables import ConversationRow, MessageRow

log = structlog.get_logger(__name__)


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
        to = (
            update(ConversationRow)
            .where(ConversationRow.id == conversation)
            .values(last_message_at=func.now())
            .returning(ConversationRow.channel, ConversationRow.citizen_ref)
            .cte("recipient")
        )
        pulls = to.c.channel.in_(pulling)
        written = {
            MessageRow.conversation_id: literal(conversation, BigInteger),
            MessageRow.channel: to.c.channel,
            MessageRow.direction: literal("out"),
            MessageRow.author: literal(author.value),
            MessageRow.account: literal(account, BigInteger),
            MessageRow.text: literal(reply.text),
            MessageRow.choices: literal([{"title": one.title, "payload": one.payload} for one in reply.choices], JSONB),
            MessageRow.ticket: literal(reply.ticket, Text),
            MessageRow.entry: literal(reply.entry, BigInteger),
            MessageRow.ask_helpful: literal(reply.ask_helpful),
            MessageRow.answers: literal(answers, BigInteger),
            MessageRow.status: case((pulls, DeliveryState.SENT.value), else_=DeliveryState.QUEUED.value),
            MessageRow.sent_at: case((pulls, now())),
        }
        statement = insert(MessageRow).from_select(list(written), select(*written.values()), include_defaults=False)
        row = (
            await session.execute(
                statement.returning(MessageRow.id, MessageRow.status, select(to.c.citizen_ref).scalar_subquery())
            )
        ).one()
        if row.status == DeliveryState.QUEUED:
            await self.defer_delivery(session, row.id, conversation)
        await notify(session, "conversation", conversation=conversation, citizen_ref=row[2], message=row.id)
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
