"""What our people, and citizens, see of tickets: frozen, ready to show, with rights already applied."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.contracts.ids import AccountId, ConversationId, SubjectId, TicketCode, TicketId, UnitCode
from handoff.rights import Action
from handoff.ticket import Priority, Reason, State, Ticket, TicketKind


@dataclass(frozen=True, slots=True)
class Holder:
    """The person who holds a conversation: the bot is silent for as long."""

    conversation: ConversationId
    account: AccountId
    display_name: str
    ticket: TicketId
    since: datetime


@dataclass(frozen=True, slots=True)
class TicketView:
    """One line of a list of tickets; no phone number, no full history."""

    id: TicketId
    code: TicketCode
    kind: TicketKind
    state: State
    priority: Priority
    reason: Reason
    conversation: ConversationId
    question: str
    subject: SubjectId | None
    subject_name: str | None
    unit: UnitCode | None
    """In force today."""
    unit_name: str | None
    forwarded_to: UnitCode | None
    """In force today."""
    forwarded_to_name: str | None
    taken_by: AccountId | None
    taken_by_name: str | None
    place: str | None
    created_at: datetime
    promised_at: datetime
    due_at: datetime
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class TicketEvent:
    """Something that happened to a ticket."""

    what: str
    """A `Move`, or "opened", "question_added", "replied", "triaged", "noted", "taught"."""
    by: str | None
    """Display name; None for the citizen or the bot."""
    at: datetime
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """An internal note; never shown to the citizen."""

    by: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TicketDetail:
    """All that the reader may see of one ticket."""

    ticket: Ticket
    view: TicketView
    phone: str | None
    """In full: who may open the ticket may call the citizen."""
    candidates: tuple[dict[str, Any], ...]
    """As `open_ticket` got them, best first."""
    answer: str | None
    events: tuple[TicketEvent, ...]
    notes: tuple[Note, ...]
    holder: Holder | None
    may: frozenset[Action]
    """What the reader may do now, by role and state: a page shows these buttons and no others."""


@dataclass(frozen=True, slots=True)
class PublicStatus:
    """What anybody who knows the code may read: nothing about the person or the question."""

    code: TicketCode
    state: State
    state_vi: str
    kind_vi: str
    unit_name: str | None
    created_at: datetime
    promised_at: datetime
    closed_at: datetime | None
    answer: str | None = None
    """Only in the citizen's own conversation, never on the public page."""


@dataclass(frozen=True, slots=True)
class UnansweredQuestion:
    """A question that the question banks had no answer for, for an editor to write one."""

    ticket: TicketId
    code: TicketCode
    questions: tuple[str, ...]
    """In the citizen's words, oldest first; more than one if further questions joined the ticket."""
    reason: Reason
    subject: SubjectId | None
    subject_name: str | None
    unit: UnitCode | None
    created_at: datetime
    candidates: tuple[dict[str, Any], ...]
    answer: str | None
    """What the unit or the desk answered through the ticket since: a first draft of the entry."""
    state: State


@dataclass(frozen=True, slots=True)
class ShiftNote:
    """What one shift tells the next."""

    by: str
    text: str
    at: datetime
