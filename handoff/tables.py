"""Tables of the handoff room: units and subjects, accounts, tickets and who holds a conversation, the audit log.

Only this room writes them. `conversation_id` and `message_id` are plain numbers: those tables belong to rooms above.
"""

from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    Date,
    Enum,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.db import Base
from bot.contracts.ids import AccountId, ConversationId, EntryId, MessageId, SubjectId, TicketCode, TicketId, UnitCode
from handoff.call import CallOutcome
from handoff.role import Role
from handoff.ticket import Outcome, Priority, Reason, State, TicketKind
from handoff.unit import UnitKind


def _run_after_create(statement: str) -> Callable[..., None]:
    def run(_table: object, connection: Connection, **_options: object) -> None:
        connection.exec_driver_sql(statement)

    return run


def words(enum: type[StrEnum], name: str) -> Enum:
    """A column that holds the words of `enum` as text; PostgreSQL refuses any other."""
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda one: [word.value for word in one],
    )


class UnitRow(Base):
    """A department, mass organisation, former district, commune or desk; who takes over from it when it ends."""

    __tablename__ = "units"
    __table_args__ = (CheckConstraint("valid_until is null or valid_until >= valid_from", "ends_after_start"),)

    code: Mapped[UnitCode] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    short_name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[UnitKind] = mapped_column(words(UnitKind, "kind"))
    hotline: Mapped[str | None] = mapped_column(String(40))
    email: Mapped[str | None] = mapped_column(String(200))
    hours: Mapped[str | None] = mapped_column(String(200))
    """When somebody is there, in words: "7:30–11:30, 13:30–17:00, thứ Hai đến thứ Sáu"."""
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    """Last day in force."""
    successor: Mapped[UnitCode | None] = mapped_column(String(20), ForeignKey("units.code"))
    aliases: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    """Other names people use for it."""


class SubjectRow(Base):
    """A subject field of the province's plan."""

    __tablename__ = "subjects"

    id: Mapped[SubjectId] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(300), unique=True)
    lead_unit: Mapped[UnitCode | None] = mapped_column(String(20), ForeignKey("units.code"))
    """None when every place has its own: the commune's People's Committee leads (`local`)."""
    coordinating_units: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    local: Mapped[bool] = mapped_column(server_default=text("false"))
    """True when the unit of the place leads, if the place is known."""


class UnitContactRow(Base):
    """Who receives at a unit (the plan's contact list)."""

    __tablename__ = "unit_contacts"
    __table_args__ = (UniqueConstraint("unit", "full_name"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    unit: Mapped[UnitCode] = mapped_column(String(20), ForeignKey("units.code"))
    full_name: Mapped[str] = mapped_column(String(200))
    hotline: Mapped[str | None] = mapped_column(String(40))
    email: Mapped[str | None] = mapped_column(String(200))


class AccountRow(Base):
    """A person on our side who may log in."""

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("role <> 'unit_officer' or unit is not null", "officer_has_unit"),)

    id: Mapped[AccountId] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    """What is typed at login, lower case."""
    display_name: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(words(Role, "role"))
    unit: Mapped[UnitCode | None] = mapped_column(String(20), ForeignKey("units.code"))
    password_hash: Mapped[str] = mapped_column(String(300))
    must_change_password: Mapped[bool] = mapped_column(server_default=text("true"))
    failed_logins: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    locked_until: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class LoginRow(Base):
    """One browser in which somebody logged in."""

    __tablename__ = "logins"
    __table_args__ = (Index("ix_logins_account_id", "account_id", postgresql_where=text("ended_at is null")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[AccountId] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    device: Mapped[str] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(String(64))
    begun_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class TicketRow(Base):
    """One matter that a person must look at."""

    __tablename__ = "tickets"
    __table_args__ = (
        Index("ix_tickets_conversation_id", "conversation_id"),
        Index("ix_tickets_state_priority", "state", "priority"),
        Index("ix_tickets_forwarded_to", "forwarded_to"),
        CheckConstraint("(state = 'closed') = (closed_at is not null)", "closed_has_time"),
        CheckConstraint("state <> 'forwarded' or forwarded_to is not null", "forwarded_has_unit"),
    )

    id: Mapped[TicketId] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[TicketCode] = mapped_column(String(12), unique=True)
    kind: Mapped[TicketKind] = mapped_column(words(TicketKind, "kind"))
    state: Mapped[State] = mapped_column(words(State, "state"))
    priority: Mapped[Priority] = mapped_column(words(Priority, "priority"))
    reason: Mapped[Reason] = mapped_column(words(Reason, "reason"))
    subject: Mapped[SubjectId | None] = mapped_column(SmallInteger, ForeignKey("subjects.id"))
    unit: Mapped[UnitCode | None] = mapped_column(String(20), ForeignKey("units.code"))
    forwarded_to: Mapped[UnitCode | None] = mapped_column(String(20), ForeignKey("units.code"))
    conversation_id: Mapped[ConversationId] = mapped_column(BigInteger)
    question_message_id: Mapped[MessageId | None] = mapped_column(BigInteger, unique=True)
    """At most one ticket comes from one inbound message."""
    question: Mapped[str]
    candidates: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    phone: Mapped[str | None] = mapped_column(String(40))
    place: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime]
    promised_at: Mapped[datetime]
    due_at: Mapped[datetime]
    first_reply_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    taken_by: Mapped[AccountId | None] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    answer: Mapped[str | None]
    """What the unit answered, when it answered through the ticket."""
    outcome: Mapped[Outcome | None] = mapped_column(words(Outcome, "outcome"))
    taught_entry: Mapped[EntryId | None] = mapped_column(BigInteger)
    """The entry that an editor wrote or widened because of this question."""
    taught_at: Mapped[datetime | None]


class TicketEventRow(Base):
    """What happened to a ticket, in order. Rows are only added."""

    __tablename__ = "ticket_events"
    __table_args__ = (Index("ix_ticket_events_ticket_id", "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    ticket_id: Mapped[TicketId] = mapped_column(BigInteger, ForeignKey("tickets.id"))
    what: Mapped[str] = mapped_column(String(40))
    account_id: Mapped[AccountId | None] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    """Who did it; None for the citizen or the bot."""
    at: Mapped[datetime]
    message_id: Mapped[MessageId | None] = mapped_column(BigInteger, unique=True)
    """The inbound message that a further question came in: the same message never adds it twice."""
    fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))


class NoteRow(Base):
    """An internal note on a ticket; never shown to the citizen."""

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_ticket_id", "ticket_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    ticket_id: Mapped[TicketId] = mapped_column(BigInteger, ForeignKey("tickets.id"))
    account_id: Mapped[AccountId] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    text: Mapped[str]
    at: Mapped[datetime]


class HoldRow(Base):
    """The one person who holds a conversation: while this row is there, the bot is silent."""

    __tablename__ = "holds"

    conversation_id: Mapped[ConversationId] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[AccountId] = mapped_column(BigInteger, ForeignKey("accounts.id"), index=True)
    ticket_id: Mapped[TicketId] = mapped_column(BigInteger, ForeignKey("tickets.id"))
    since: Mapped[datetime]
    last_reply_at: Mapped[datetime | None]


class CallRow(Base):
    """A message that could not be sent and is told by phone."""

    __tablename__ = "calls"
    __table_args__ = (CheckConstraint("(outcome is null) = (called_at is null)", "outcome_has_time"),)

    message_id: Mapped[MessageId] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    conversation_id: Mapped[ConversationId] = mapped_column(BigInteger)
    asked_by: Mapped[AccountId] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    asked_at: Mapped[datetime]
    outcome: Mapped[CallOutcome | None] = mapped_column(words(CallOutcome, "outcome"))
    called_by: Mapped[AccountId | None] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    called_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(SmallInteger)
    """Calls that reached nobody."""


class ShiftNoteRow(Base):
    """What one shift tells the next."""

    __tablename__ = "shift_notes"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[AccountId] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


class CannedReplyRow(Base):
    """A text that operators send often."""

    __tablename__ = "canned_replies"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    title: Mapped[str] = mapped_column(String(100), unique=True)
    text: Mapped[str]


class AuditRow(Base):
    """Every action of our people: ids only, never texts or phone numbers, so that nothing here must ever be erased."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_account_id_at", "account_id", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    account_id: Mapped[AccountId | None] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    """None for what the system does by itself or from the command line."""
    what: Mapped[str] = mapped_column(String(40))
    ticket_id: Mapped[TicketId | None] = mapped_column(BigInteger, ForeignKey("tickets.id"), index=True)
    conversation_id: Mapped[ConversationId | None] = mapped_column(BigInteger)
    fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))


AUDIT_IS_APPEND_ONLY = (
    """
    create or replace function refuse_change() returns trigger language plpgsql as $$
    begin
        raise exception using message = tg_table_name || ' is append-only', errcode = 'insufficient_privilege';
    end $$
    """,
    """
    create or replace trigger audit_log_is_append_only before update or delete on audit_log
    for each row execute function refuse_change()
    """,
    """
    create or replace trigger audit_log_is_not_truncated before truncate on audit_log
    for each statement execute function refuse_change()
    """,
)
"""In this order; `metadata.create_all` runs them, migration 0002 has them as they were then."""

for statement in AUDIT_IS_APPEND_ONLY:
    event.listen(AuditRow.__table__, "after_create", _run_after_create(statement))
