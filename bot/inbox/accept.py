"""Accept once: what came in becomes a row before anything else happens to it.

`accept` writes the row and defers the job in the caller's transaction; a second delivery of the same message finds the
unique key and changes nothing.
"""

from dataclasses import asdict, fields, replace
from typing import Any, TypeVar

import structlog
from procrastinate.tasks import Task
from sqlalchemy import DateTime, Text, bindparam, case, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base import jobs
from bot.base.db import table_of
from bot.base.notify import notify, telling
from bot.contracts.ids import Channel, ConversationId, MessageId
from bot.contracts.messages import Attachment, Author, DeliveryState, Echo, Inbound, Kind, Receipt, ReceiptState
from bot.conversation.tables import ConversationRow, MessageRow

log = structlog.get_logger(__name__)

_Event = TypeVar("_Event", Inbound, Receipt, Echo)

MAX_TEXT = 20_000
"""Characters of one message that are kept; platforms allow far less."""


_conversations, _messages = table_of(ConversationRow), table_of(MessageRow)
_made = insert(_conversations).values(
    channel=bindparam("channel", type_=Text),
    citizen_ref=bindparam("citizen_ref", type_=Text),
    citizen_name=bindparam("citizen_name", type_=Text),
    phone=bindparam("phone", type_=Text),
    last_inbound_at=bindparam("moment", type_=DateTime(timezone=True)),
    last_message_at=func.now(),
)
_conversation = (
    _made.on_conflict_do_update(
        index_elements=["channel", "citizen_ref"],
        set_={
            "last_inbound_at": func.greatest(_conversations.c.last_inbound_at, _made.excluded.last_inbound_at),
            "last_message_at": func.now(),
            "citizen_name": func.coalesce(_made.excluded.citizen_name, _conversations.c.citizen_name),
            "phone": func.coalesce(_made.excluded.phone, _conversations.c.phone),
        },
    )
    .returning(_conversations.c.id)
    .cte("conversation")
)
_written = {
    "conversation_id": _conversation.c.id,
    "channel": bindparam("channel", type_=Text),
    "direction": literal("in"),
    "author": literal(Author.CITIZEN.value),
    "kind": bindparam("kind", type_=Text),
    "text": bindparam("text", type_=Text),
    "payload": bindparam("payload", type_=Text),
    "attachments": bindparam("attachments", type_=JSONB),
    "extra": bindparam("extra", type_=JSONB),
    "provider_message_id": bindparam("provider_message_id", type_=Text),
    "said_at": bindparam("said_at", type_=DateTime(timezone=True)),
}
# Conversation, message and the news of it in one round trip; built once, because every message needs it.
_message = (
    insert(_messages)
    .from_select(list(_written), select(*_written.values()), include_defaults=False)
    .on_conflict_do_nothing(index_elements=["channel", "provider_message_id"])
    .returning(_messages.c.id, _messages.c.conversation_id)
    .cte("message")
)
_ACCEPT = select(
    _message.c.id,
    _message.c.conversation_id,
    telling(
        "conversation",
        conversation=_message.c.conversation_id,
        citizen_ref=bindparam("citizen_ref", type_=Text),
        message=_message.c.id,
    ),
)


async def accept(session: AsyncSession, inbound: Inbound, converse: Task[Any, Any, Any]) -> tuple[MessageId, bool]:
    """The message's id, and whether it is new. A new one has its job; both exist exactly if the caller commits."""
    inbound = storable(inbound)
    row = (
        await session.execute(
            _ACCEPT,
            {
                "channel": inbound.channel,
                "citizen_ref": inbound.citizen_ref,
                "citizen_name": inbound.citizen_name,
                "phone": inbound.phone,
                # leaving opens no messaging window
                "moment": None if inbound.kind is Kind.UNFOLLOW else inbound.sent_at,
                "kind": str(inbound.kind),
                "text": inbound.text[:MAX_TEXT],
                "payload": inbound.payload,
                "attachments": [asdict(one) for one in inbound.attachments],
                "extra": _extra(inbound),
                "provider_message_id": inbound.provider_message_id,
                "said_at": inbound.sent_at,
            },
        )
    ).one_or_none()
    if row is None:
        known = await session.execute(
            select(MessageRow.id).where(
                MessageRow.channel == inbound.channel, MessageRow.provider_message_id == inbound.provider_message_id
            )
        )
        return known.scalar_one(), False
    new, conversation_id, _ = row
    await jobs.defer(session, converse, lock=f"conversation:{conversation_id}", message=new)
    log.info(
        "message.accepted", channel=inbound.channel, message=new, conversation=conversation_id, chars=len(inbound.text)
    )
    return new, True


async def accept_receipt(session: AsyncSession, receipt: Receipt) -> int:
    """Mark messages of ours as delivered or seen; returns how many changed. A receipt never takes a state back."""
    receipt = storable(receipt)
    column = MessageRow.seen_at if receipt.state is ReceiptState.SEEN else MessageRow.delivered_at
    settled = [DeliveryState.SENT]
    if receipt.state is ReceiptState.SEEN:
        settled.append(DeliveryState.DELIVERED)
    # Not settled yet: a part may have arrived while others must still go out, so only the time is noted.
    under_way = [DeliveryState.SENDING, DeliveryState.UNCERTAIN]
    conversation = select(ConversationRow.id).where(
        ConversationRow.channel == receipt.channel, ConversationRow.citizen_ref == receipt.citizen_ref
    )
    wanted = [
        MessageRow.direction == "out",
        MessageRow.status.in_([*settled, *under_way]),
        MessageRow.conversation_id.in_(conversation.scalar_subquery()),
    ]
    if receipt.provider_message_ids:
        wanted.append(func.jsonb_exists_any(MessageRow.provider_ids, list(receipt.provider_message_ids)))
    elif receipt.up_to:
        wanted.append(MessageRow.sent_at <= receipt.up_to)
    else:
        return 0
    changed = await session.execute(
        update(MessageRow)
        .where(*wanted)
        .values(
            {
                "status": case((MessageRow.status.in_(settled), receipt.state.value), else_=MessageRow.status),
                column: receipt.at,
            }
        )
        .returning(MessageRow.id, MessageRow.conversation_id)
    )
    rows = changed.all()
    for conversation_id in {row.conversation_id for row in rows}:
        await notify(session, "conversation", conversation=conversation_id, receipt=True)
    return len(rows)


async def accept_echo(session: AsyncSession, echo: Echo) -> None:
    """The platform's copy of a message in our name: settles an uncertain send, or is a person's own answer.

    A person who answers in the platform's own inbox takes the conversation over; their words join the history.
    """
    echo = storable(echo)
    ours = await _settle_echo(session, echo)
    if ours or not echo.by_human:
        return
    conversation = await _conversation_id(session, echo.channel, echo.citizen_ref)
    if conversation is None:
        return
    written = await session.execute(
        insert(MessageRow)
        .values(
            conversation_id=conversation,
            channel=echo.channel,
            direction="out",
            author=Author.OPERATOR,
            kind=Kind.TEXT,
            text=echo.text,
            attachments=[asdict(one) for one in echo.attachments],
            extra={"outside": True},
            provider_message_id=echo.provider_message_id,
            provider_ids=[echo.provider_message_id],
            status=DeliveryState.SENT,
            sent_at=echo.sent_at,
            said_at=echo.sent_at,
        )
        .on_conflict_do_nothing(index_elements=["channel", "provider_message_id"])
        .returning(MessageRow.id)
    )
    new = written.scalar_one_or_none()
    if new is not None:
        await session.execute(
            update(ConversationRow)
            .where(ConversationRow.id == conversation)
            .values(answered_outside_at=echo.sent_at, last_message_at=func.now())
        )
        await notify(session, "conversation", conversation=conversation, citizen_ref=echo.citizen_ref, message=new)
        log.info("conversation.taken_outside", channel=echo.channel, conversation=conversation)


async def _settle_echo(session: AsyncSession, echo: Echo) -> bool:
    known = await session.execute(
        select(MessageRow.id)
        .where(
            MessageRow.channel == echo.channel,
            MessageRow.direction == "out",
            func.jsonb_exists(MessageRow.provider_ids, echo.provider_message_id),
        )
        .limit(1)
    )
    if known.scalar_one_or_none() is not None:
        return True
    if echo.outbound is None:
        return False
    row = await session.get(MessageRow, echo.outbound, with_for_update=True)
    if row is None or row.channel != echo.channel or row.direction != "out":
        return False
    if echo.provider_message_id not in row.provider_ids:  # the same echo, delivered twice at once, waits at the lock
        row.provider_ids = [*row.provider_ids, echo.provider_message_id]
    return True


async def _conversation_id(session: AsyncSession, channel: Channel, citizen_ref: str) -> ConversationId | None:
    found = await session.execute(
        select(ConversationRow.id).where(ConversationRow.channel == channel, ConversationRow.citizen_ref == citizen_ref)
    )
    return found.scalar_one_or_none()


def storable(event: _Event) -> _Event:
    """The same event without what PostgreSQL can't keep: NUL characters and halves of a surrogate pair."""
    return replace(event, **{field.name: _clean(getattr(event, field.name)) for field in fields(event)})


def _clean(value: Any) -> Any:
    if type(value) is str:
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, tuple):
        return tuple(_clean(one) for one in value)
    if isinstance(value, Attachment):
        return replace(value, **{field.name: _clean(getattr(value, field.name)) for field in fields(value)})
    return value


def _extra(inbound: Inbound) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if inbound.location:
        extra["location"] = asdict(inbound.location)
    if inbound.phone:
        extra["phone"] = inbound.phone
    if inbound.context:
        extra["context"] = inbound.context
    return extra
