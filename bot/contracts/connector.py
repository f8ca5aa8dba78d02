"""What a channel must be able to do. What is special about a channel, the channel says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

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
