"""What a channel must be able to do. What is special about a channel, the channel says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from bot.contracts.ids import Channel
from bot.contracts.messages import Author, Event, Outbound, Sent


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Limits of a channel; the outbox and the console read them, never the channel's name."""

    max_chars: int
    """Longest text of one message; the connector splits longer ones."""
    max_buttons: int
    max_button_title: int = 100
    images: bool = False
    files: bool = False
    location: bool = False
    typing: bool = False
    pulls: bool = False
    """True when the citizen's side fetches rows itself (web chat): a committed row is a sent message."""
    max_webhook_bytes: int = 256 * 1024
    """Longest webhook body that is read; what the platform may send in one request must fit."""


class WindowState(StrEnum):
    """May this author write to this citizen now?"""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class MessagingWindow:
    """A pure function's answer: may we still write, until when, and under which of the platform's labels."""

    state: WindowState
    until: datetime | None = None
    label: str | None = None
    """The platform's word for this lane, e.g. "RESPONSE" or "HUMAN_AGENT"."""
    note_vi: str = ""
    """What an operator should know about this lane, e.g. that a message in it costs money. A sentence, or empty."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What the platform last said about how much may still be written to one citizen, or from one account."""

    kind: str
    """The platform's word, e.g. "reply" or "sub_quota"; "" when nothing covered the message: it was charged."""
    seen_at: datetime
    left: int | None = None
    """Messages; None when the platform names no number."""
    total: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What stands beside an operator's reply box: may I write now, until when, how often still."""

    window: MessagingWindow
    quota: Quota | None
    vi: str
    """The same in Vietnamese; empty on a channel without limits."""
    is_urgent: bool
    """The window is closed or ends within two hours, or hardly any message is left."""


class Connector(Protocol):
    """One channel."""

    name: ClassVar[Channel]
    capabilities: ClassVar[Capabilities]

    def verify(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """Check that the platform sent these bytes. Raises SignatureRefused. Header names are lower case."""
        ...

    def parse(self, raw: bytes) -> Sequence[Event]:
        """The events in a verified body, in order; unknown ones are left out. Raises PayloadRefused."""
        ...

    def window(self, last_inbound: datetime | None, author: Author, now: datetime) -> MessagingWindow:
        """May `author` write to a citizen who last acted at `last_inbound`? Pure."""
        ...

    async def send(self, outbound: Outbound) -> Sent:
        """Send once. Raises RetryLater, Ambiguous or GiveUp."""
        ...

    async def find_sent(self, outbound: Outbound) -> Sent | None:
        """After an interrupted send: its ids if it went out, None if it surely did not. Raises CannotTell."""
        ...

    async def show_typing(self, citizen_ref: str) -> None:
        """Show "đang soạn tin" where the channel can; never raises."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class Warns(Protocol):
    """A connector that knows what is wrong with its account."""

    async def warnings(self) -> tuple[str, ...]:
        """Sentences in Vietnamese for operators and administrators, the most urgent first; empty when all is well.

        From what all processes know (PostgreSQL): no request to the platform, milliseconds. Raises what a database
        that is away raises; `connectors.condition.warnings_of` asks every channel and says so instead.
        """
        ...


@runtime_checkable
class CountsMessages(Protocol):
    """A connector whose platform counts what we write to a citizen."""

    async def quota(self, citizen_ref: str) -> Quota | None:
        """What the platform said with the last message to this citizen; None when nothing is known."""
        ...


@runtime_checkable
class KnowsNames(Protocol):
    """A connector that can ask its platform what a citizen is called."""

    async def citizen_name(self, citizen_ref: str) -> str | None:
        """The name on the person's profile; None when the platform doesn't tell. Raises RetryLater."""
        ...
