"""One inbound message as the conversation sees it: a snapshot, read once. Frozen."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

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
    unhelpful: frozenset[EntryId]
    """Entries this person was given lately and said did not help."""
    with_person: bool
    """A person has the conversation: the bot is silent."""
    told_core: bool
    """An earlier run of this job was about to give the message to Rasa's dialogue."""


async def load_turn(session: AsyncSession, message: MessageId, now: datetime) -> Turn | None:
    """The message and its conversation, or None when it was handled before (or is not a citizen's)."""
    unhelpful = aliased(MessageRow)
    found = (
        await session.execute(
            select(
                MessageRow,
                ConversationRow,
                HoldRow.conversation_id.is_not(None).label("held"),
                select(func.array_agg(unhelpful.entry))
                .where(
                    unhelpful.conversation_id == MessageRow.conversation_id,
                    unhelpful.helpful.is_(False),
                    unhelpful.entry.is_not(None),
                    unhelpful.created_at > now - BAD_ANSWER_MEMORY,
                )
                .scalar_subquery()
                .label("unhelpful"),
            )
            .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
            .outerjoin(HoldRow, HoldRow.conversation_id == MessageRow.conversation_id)
            .where(MessageRow.id == message, MessageRow.direction == "in", MessageRow.handled_at.is_(None))
        )
    ).one_or_none()
    if found is None:
        return None
    row, conversation = found[0], found[1]
    location = row.extra.get("location")
    return Turn(
        message=row.id,
        conversation=row.conversation_id,
        channel=Channel(row.channel),
        citizen_ref=conversation.citizen_ref,
        kind=Kind(row.kind),
        text=row.text.strip(),
        payload=row.payload,
        has_photo=row.kind == Kind.IMAGE or any(one.get("kind") == Kind.IMAGE for one in row.attachments),
        location=(location["latitude"], location["longitude"]) if location else None,
        created_at=row.created_at,
        offered=tuple(Choice(one["title"], one["payload"]) for one in conversation.last_choices),
        in_dialogue=conversation.in_dialogue,
        previous=conversation.last_question,
        place=conversation.last_place,
        phone=conversation.phone,
        unhelpful=frozenset(EntryId(one) for one in found.unhelpful or ()),
        with_person=found.held or answered_outside(conversation.answered_outside_at, now),
        told_core="core_at" in row.extra,
    )


def answered_outside(at: datetime | None, now: datetime) -> bool:
    """True while a colleague's answer in the platform's own inbox keeps the bot silent. Pure."""
    return at is not None and now - at < OUTSIDE_SILENCE
