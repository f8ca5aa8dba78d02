"""One inbound message as the conversation sees it: a snapshot, read once. Frozen."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.db import table_of
from bot.contracts.ids import Channel, ConversationId, EntryId, MessageId
from bot.contracts.messages import Choice, Kind
from bot.conversation.tables import ConversationRow, MessageRow
from handoff.tables import HoldRow

OUTSIDE_SILENCE = timedelta(minutes=30)
"""How long the bot stays silent after a colleague answered in the platform's own inbox."""
BAD_ANSWER_MEMORY = timedelta(hours=24)
"""How long an answer that did not help is not given again to the same person."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What is known when a message's job begins."""

    message: MessageId
    conversation: ConversationId
    channel: Channel
    citizen_ref: str
    kind: Kind
    text: str
    payload: str | None
    has_photo: bool
    location: tuple[float, float] | None
    created_at: datetime
    offered: tuple[Choice, ...]
    in_dialogue: bool
    previous: str | None
    """The last question of this conversation."""
    place: str | None
    phone: str | None
    """The person's number, as far as it is known."""
    shared_phone: str | None
    """The number that this message shares with a button of the platform."""
    unhelpful: frozenset[EntryId]
    """Entries this person was given lately and said did not help."""
    with_person: bool
    """A person has the conversation: the bot is silent."""
    told_core: bool
    """An earlier run of this job was about to give the message to Rasa's dialogue."""


_messages, _conversations, _holds = table_of(MessageRow), table_of(ConversationRow), table_of(HoldRow)
_message, _conversation = _messages.c, _conversations.c
_rated = _messages.alias("rated")
_unhelpful = select(func.array_agg(_rated.c.entry)).where(
    _rated.c.conversation_id == _message.conversation_id,
    _rated.c.helpful.is_(False),
    _rated.c.entry.is_not(None),
    _rated.c.created_at > bindparam("since"),
)
# Built once: a statement of this size costs more to build than to run, and every message needs it.
_TURN = (
    select(
        _message.id,
        _message.conversation_id,
        _message.channel,
        _message.kind,
        _message.text,
        _message.payload,
        _message.attachments,
        _message.extra,
        _message.created_at,
        _conversation.citizen_ref,
        _conversation.last_choices,
        _conversation.in_dialogue,
        _conversation.last_question,
        _conversation.last_place,
        _conversation.phone,
        _conversation.answered_outside_at,
        _holds.c.conversation_id.is_not(None).label("held"),
        _unhelpful.scalar_subquery().label("unhelpful"),
    )
    .join(_conversations, _conversation.id == _message.conversation_id)
    .outerjoin(_holds, _holds.c.conversation_id == _message.conversation_id)
    .where(_message.id == bindparam("message"), _message.direction == "in", _message.handled_at.is_(None))
)


async def load_turn(session: AsyncSession, message: MessageId, now: datetime) -> Turn | None:
    """The message and its conversation, or None when it was handled before (or is not a citizen's)."""
    since = now - BAD_ANSWER_MEMORY
    row = (await session.execute(_TURN, {"message": message, "since": since})).one_or_none()
    if row is None:
        return None
    location = row.extra.get("location")
    return Turn(
        message=row.id,
        conversation=row.conversation_id,
        channel=Channel(row.channel),
        citizen_ref=row.citizen_ref,
        kind=Kind(row.kind),
        text=row.text.strip(),
        payload=row.payload,
        has_photo=row.kind == Kind.IMAGE or any(one.get("kind") == Kind.IMAGE for one in row.attachments),
        location=(location["latitude"], location["longitude"]) if location else None,
        created_at=row.created_at,
        offered=tuple(Choice(one["title"], one["payload"]) for one in row.last_choices),
        in_dialogue=row.in_dialogue,
        previous=row.last_question,
        place=row.last_place,
        phone=row.phone,
        shared_phone=row.extra.get("phone"),
        unhelpful=frozenset(EntryId(one) for one in row.unhelpful or ()),
        with_person=row.held or answered_outside(row.answered_outside_at, now),
        told_core="core_at" in row.extra,
    )


def answered_outside(at: datetime | None, now: datetime) -> bool:
    """True while a colleague's answer in the platform's own inbox keeps the bot silent. Pure."""
    return at is not None and now - at < OUTSIDE_SILENCE
