"""What the web chat shows: messages and tickets as a citizen may see them, and the port that fetches them.

`WebchatPorts` is implemented in `bot/app.py`: the rooms that own the rows stand above this one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.contracts.ids import MessageId, TicketCode
from bot.contracts.messages import Attachment, Author, Choice, Inbound


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One row of a conversation, as its citizen sees it. Internal notes never become one."""

    id: MessageId
    author: Author
    text: str
    created_at: datetime
    choices: tuple[Choice, ...] = ()
    ticket: TicketCode | None = None
    ask_helpful: bool = False
    """Ask "Câu trả lời có giúp được bạn không?" under it."""
    helpful: bool | None = None
    """What the citizen said to that; None while they have not."""
    attachments: tuple[Attachment, ...] = ()
    client_message_id: str | None = None
    """The citizen's own id of it (what follows `citizen_ref:` in the provider's id), so that a page can
    recognise what it sent when the 202 was lost on the way."""


@dataclass(frozen=True, slots=True)
class PublicTicket:
    """What anybody who knows a ticket's code may see: no names, no text, no phone numbers."""

    code: TicketCode
    state_vi: str
    subject: str
    unit: str
    opened_at: datetime
    promised_at: datetime | None
    answered: bool


class WebchatPorts(Protocol):
    """What the web chat needs from the rooms above it."""

    async def accept(self, inbound: Inbound) -> MessageId:
        """Store the row and its job in one transaction; told the same thing twice, returns the same id."""
        ...

    async def history(self, citizen_ref: str, after: int, limit: int) -> Sequence[ChatMessage]:
        """Messages of this citizen with an id above `after`, oldest first, at most `limit`."""
        ...

    async def rate(self, citizen_ref: str, message_id: int, helped: bool) -> None:
        """Note whether an answer helped. Raises NotFound if the message is not this citizen's."""
        ...

    async def ticket_status(self, code: str) -> PublicTicket:
        """The ticket with this code. Raises NotFound."""
        ...

    async def suggestions(self) -> Sequence[str]:
        """A few questions to start with, best first."""
        ...
