"""What the custom actions need from the other rooms. `bot.app` joins the real ones in."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.contracts.ids import MessageId
from bot.contracts.messages import Reply


class ReportKind(StrEnum):
    """What a citizen brings that is not a question (the plan's three words)."""

    REPORT = "report"
    """phản ánh"""
    PROPOSAL = "proposal"
    """kiến nghị"""
    HELP = "help"
    """yêu cầu hỗ trợ"""


class HandOverReason(StrEnum):
    """Why the dialogue, not the search, gives a message to a person."""

    ASKED = "asked_for_person"


@dataclass(frozen=True, slots=True)
class Report:
    """A finished report form. Empty strings and None mean that the citizen left it out."""

    kind: ReportKind
    what: str
    where: str
    when: str
    photos: tuple[MessageId, ...] = ()
    """The citizen's messages that carry the pictures; the files are theirs."""
    photo_note: str | None = None
    """A link or a description given instead of a picture."""
    phone: str | None = None
    """Ten or eleven digits beginning with 0."""


class ActionServices(Protocol):
    """One call per action. Each is idempotent: the same `message` again gives the same reply and changes nothing."""

    async def answer_question(self, message: MessageId, text: str) -> Sequence[Reply]:
        """Search the bank for `text` and say what was decided: answer, choices, or that a person takes over."""
        ...

    async def open_ticket(self, message: MessageId, kind: str, *, reason: str) -> Reply:
        """Give the conversation to a person; `kind` is a TicketKind's value, `reason` a HandOverReason's."""
        ...

    async def submit_report(self, message: MessageId, report: Report) -> Reply:
        """A ticket from a finished form; the reply carries its code."""
        ...

    async def ticket_status(self, message: MessageId, code: str | None) -> Reply:
        """Where a ticket stands; without a code, the conversation's own latest, or a request for the code."""
        ...

    async def unit_contact(self, message: MessageId, unit_text: str | None) -> Reply:
        """Phone and address of the unit that the citizen's words name; None asks which unit."""
        ...

    async def emergency(self, message: MessageId, text: str) -> Sequence[Reply]:
        """The emergency number first, then a person at once."""
        ...

    async def record_helpful(self, message: MessageId, helped: bool) -> Reply:
        """Did the last answer help?"""
        ...
