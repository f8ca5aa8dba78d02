"""What the web chat may do and see: the ports of connectors/webchat, over the real rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from procrastinate.tasks import Task
from sqlalchemy import Row, bindparam, or_, select, update

from bot.base.clock import in_vietnam, now
from bot.base.db import Database, table_of
from bot.base.metrics import MESSAGES
from bot.contracts.errors import NotFound
from bot.contracts.ids import MessageId, TicketCode
from bot.contracts.messages import Attachment, Author, Choice, Inbound, Kind
from bot.conversation.converse import rated
from bot.conversation.tables import ConversationRow, MessageRow
from bot.inbox.accept import accept
from bot.outbox.post import Outbox
from connectors.webchat.connector import WebchatConnector
from connectors.webchat.messages import ChatMessage, PublicTicket
from faq.tables import EntryRow
from handoff.journal import lock_conversation
from handoff.reading import ticket_status_for_citizen
from handoff.tables import SubjectRow, TicketRow

WEBCHAT = WebchatConnector.name
SUGGESTIONS = 4


_messages, _conversations = table_of(MessageRow), table_of(ConversationRow)
# Built once: every open page looks at each message.
_HISTORY = (
    select(_messages)
    .join(_conversations, _conversations.c.id == _messages.c.conversation_id)
    .where(
        _conversations.c.channel == WEBCHAT,
        _conversations.c.citizen_ref == bindparam("citizen_ref"),
        _messages.c.id > bindparam("after"),
    )
    .order_by(_messages.c.id)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class WebchatSide:
    """Implements `connectors.webchat.messages.WebchatPorts`."""

    database: Database
    converse: Task[Any, Any, Any]
    outbox: Outbox

    async def accept(self, inbound: Inbound) -> MessageId:
        """Row and job in one transaction; the same message again is the same row."""
        async with self.database.transaction() as session:
            message, is_new = await accept(session, inbound, self.converse)
        if is_new:
            MESSAGES.labels(inbound.channel).inc()
        return message

    async def history(self, citizen_ref: str, after: int, limit: int) -> Sequence[ChatMessage]:
        """Messages of this citizen with an id above `after`, oldest first."""
        async with self.database.reading() as session:
            page = await session.execute(_HISTORY, {"citizen_ref": citizen_ref, "after": after, "most": limit})
            return [_chat_message(row, citizen_ref) for row in page]

    async def rate(self, citizen_ref: str, message_id: int, helped: bool) -> None:
        """Note whether an answer helped; an answer that did not is followed by a way to a person, once."""
        async with self.database.transaction() as session:
            found = await session.execute(
                select(MessageRow, ConversationRow.id)
                .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
                .where(
                    MessageRow.id == message_id,
                    MessageRow.direction == "out",
                    ConversationRow.channel == WEBCHAT,
                    ConversationRow.citizen_ref == citizen_ref,
                )
                .with_for_update(of=MessageRow)
            )
            one = found.one_or_none()
            if one is None or not one[0].ask_helpful:
                raise NotFound(what="tin nhắn")
            row, conversation = one
            first_no = row.helpful is None and not helped
            row.helpful = helped
            if first_no:
                await lock_conversation(session, conversation)
                done = rated(helped=False)
                for reply in done.replies:
                    await self.outbox.post(session, conversation, reply, author=Author.BOT)
                await session.execute(
                    update(ConversationRow)
                    .where(ConversationRow.id == conversation)
                    .values(last_choices=[one.as_json() for one in done.offered])
                )

    async def ticket_status(self, code: str) -> PublicTicket:
        """Where a ticket stands, for whoever knows its code. Raises NotFound."""
        async with self.database.transaction() as session:
            status = await ticket_status_for_citizen(session, TicketCode(code), None, now=now())
            subject = await session.scalar(
                select(SubjectRow.name)
                .join(TicketRow, TicketRow.subject == SubjectRow.id)
                .where(TicketRow.code == code)
            )
        return PublicTicket(
            code=status.code,
            state_vi=status.state_vi,
            subject=subject or "Đang phân loại",
            unit=status.unit_name or "Bộ phận Thường trực 1022",
            opened_at=status.created_at,
            promised_at=status.promised_at,
            answered=status.closed_at is not None or status.state == "answered",
        )

    async def suggestions(self) -> Sequence[str]:
        """Questions of the entries that were confirmed last and may be answered today."""
        today = in_vietnam(now()).date()
        async with self.database.transaction() as session:
            asked = (
                select(EntryRow.question)
                .where(
                    EntryRow.retired_at.is_(None),
                    or_(EntryRow.valid_from.is_(None), EntryRow.valid_from <= today),
                    or_(EntryRow.valid_until.is_(None), EntryRow.valid_until >= today),
                )
                .order_by(EntryRow.confirmed_on.desc().nulls_last(), EntryRow.id)
                .limit(SUGGESTIONS)
            )
            return list(await session.scalars(asked))


def _chat_message(row: Row[Any], citizen_ref: str) -> ChatMessage:
    own = (row.provider_message_id or "").removeprefix(f"{citizen_ref}:") if row.direction == "in" else None
    attachments = tuple(
        Attachment(Kind(one["kind"]), name=one.get("name"), size=one.get("size"), mime=one.get("mime"))
        for one in row.attachments
    )
    return ChatMessage(
        id=row.id,
        author=Author(row.author),
        text=row.text,
        created_at=row.created_at,
        choices=tuple(Choice(one["title"], one["payload"]) for one in row.choices),
        ticket=TicketCode(row.ticket) if row.ticket else None,
        ask_helpful=row.ask_helpful,
        helpful=row.helpful,
        attachments=attachments,
        client_message_id=own,
    )
