"""Conversations and all that was said in them. The rows of `messages` are inbox, history and outbox in one."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.db import Base
from bot.contracts.ids import ConversationId, MessageId


class ConversationRow(Base):
    """One citizen on one channel, for good: history stays together however often they come back."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("channel", "citizen_ref"),
        Index("ix_conversations_unnamed", "channel", "last_inbound_at", postgresql_where="citizen_name is null"),
    )

    id: Mapped[ConversationId] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    channel: Mapped[str]
    citizen_ref: Mapped[str] = mapped_column(Text)
    citizen_name: Mapped[str | None]
    name_asked_at: Mapped[datetime | None]
    """When the platform was last asked for the name; after an erasure nobody asks until they write again."""
    phone: Mapped[str | None]
    person: Mapped[int | None] = mapped_column(index=True)
    """Conversations of the same person on several channels carry the same number: the lowest conversation id."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_inbound_at: Mapped[datetime | None]
    last_message_at: Mapped[datetime | None] = mapped_column(index=True)
    in_dialogue: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Rasa has a form under way: the next message belongs to Core, whatever it says."""
    last_question: Mapped[str | None] = mapped_column(Text)
    last_choices: Mapped[list[Any]] = mapped_column(server_default="[]", default=list)
    """Choices on offer: [{"title", "payload"}]; a number or the words of one pick it."""
    last_place: Mapped[str | None]
    answered_outside_at: Mapped[datetime | None]
    """When a colleague last answered in the platform's own inbox: the bot stays silent for a while after that."""


class MessageRow(Base):
    """One message, in or out."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("channel", "provider_message_id"),  # delivered twice is one message
        Index("ix_messages_conversation_id_id", "conversation_id", "id"),
        Index("ix_messages_provider_ids", "provider_ids", postgresql_using="gin"),
        Index(
            "ix_messages_open",
            "status",
            postgresql_where="status in ('queued','sending','uncertain','held','failed')",
        ),
        CheckConstraint("direction in ('in','out')", name="direction"),
    )

    id: Mapped[MessageId] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    conversation_id: Mapped[ConversationId] = mapped_column(BigInteger, ForeignKey("conversations.id"))
    channel: Mapped[str]
    direction: Mapped[str]
    author: Mapped[str]
    account: Mapped[int | None]
    """The account of the operator or unit officer who wrote it."""
    kind: Mapped[str] = mapped_column(default="text", server_default="text")
    text: Mapped[str] = mapped_column(Text, default="")
    payload: Mapped[str | None] = mapped_column(Text)
    choices: Mapped[list[Any]] = mapped_column(server_default="[]", default=list)
    attachments: Mapped[list[Any]] = mapped_column(server_default="[]", default=list)
    extra: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    """Location, phone, context and the like, as the contract types name them."""
    ticket: Mapped[str | None]
    entry: Mapped[int | None]
    """The approved entry this text is, when it is one."""
    answers: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    """The inbound message this answers."""
    ask_helpful: Mapped[bool] = mapped_column(default=False, server_default="false")
    helpful: Mapped[bool | None]
    provider_message_id: Mapped[str | None]
    """The platform's id of an inbound message; outbound ones keep theirs in provider_ids, one per part."""
    provider_ids: Mapped[list[Any]] = mapped_column(server_default="[]", default=list)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    said_at: Mapped[datetime | None]
    """When the platform says it was written."""
    handled_at: Mapped[datetime | None]
    """Inbound: when the bot or a person's screen had it. Set in the transaction that writes the replies."""
    status: Mapped[str | None]
    """Outbound: a DeliveryState."""
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    sending_since: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    """Outbound: when the first try of the present series of tries failed."""
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(Text)
    """What the operator reads when it could not be sent."""


class DecisionRow(Base):
    """Why the bot did what it did with an inbound message: the evidence, so that staff can open "vì sao"."""

    __tablename__ = "decisions"

    message: Mapped[MessageId] = mapped_column(BigInteger, ForeignKey("messages.id"), primary_key=True)
    outcome: Mapped[str]
    intent: Mapped[str | None]
    evidence: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
