"""What flows between the rooms: what a citizen said, what we say back, and what became of it.

Frozen types, standard library only. All times are aware and in UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.contracts.ids import Channel, EntryId, MessageId, TicketCode


class Author(StrEnum):
    """Who wrote a message."""

    CITIZEN = "citizen"
    BOT = "bot"
    OPERATOR = "operator"
    """A person on our side: a duty operator or a unit officer."""
    SYSTEM = "system"


class Kind(StrEnum):
    """What a citizen sent. Anything but TEXT and BUTTON may have an empty text."""

    TEXT = "text"
    BUTTON = "button"
    """A tapped button or quick reply; `Inbound.payload` says which."""
    IMAGE = "image"
    GIF = "gif"
    STICKER = "sticker"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"
    LINK = "link"
    LOCATION = "location"
    CONTACT = "contact"
    FOLLOW = "follow"
    UNFOLLOW = "unfollow"
    REACTION = "reaction"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file, picture, voice note or the like, as the platform names it."""

    kind: Kind
    url: str | None = None
    name: str | None = None
    size: int | None = None
    """Bytes, as the platform says; not to be trusted."""
    mime: str | None = None
    path: str | None = None
    """Where it lies in our own storage, relative to the data folder, once fetched."""


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the map, WGS84 degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Choice:
    """A button under a message. A payload can be typed by anyone: it never authorises anything."""

    title: str
    payload: str

    def as_json(self) -> dict[str, str]:
        """As rows keep it and the chat's API gives it; `Choice(**stored)` reads it back."""
        return {"title": self.title, "payload": self.payload}


@dataclass(frozen=True, slots=True)
class Inbound:
    """One thing a citizen sent, in our words."""

    channel: Channel
    provider_message_id: str
    citizen_ref: str
    """The platform's id of the person, as text."""
    sent_at: datetime
    text: str = ""
    kind: Kind = Kind.TEXT
    payload: str | None = None
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None
    phone: str | None = None
    citizen_name: str | None = None
    context: str | None = None
    """Where it was said when that matters, e.g. the comment a private reply must answer ("comment:<id>")."""


class ReceiptState(StrEnum):
    """How far an outbound message came, as the platform tells us."""

    DELIVERED = "delivered"
    SEEN = "seen"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform's word that messages of ours arrived or were seen: by id, or all up to a time."""

    channel: Channel
    citizen_ref: str
    state: ReceiptState
    at: datetime
    provider_message_ids: tuple[str, ...] = ()
    up_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Echo:
    """The platform's copy of a message sent in our name: by us, or by a person in the platform's own tool."""

    channel: Channel
    citizen_ref: str
    provider_message_id: str
    sent_at: datetime
    text: str = ""
    by_human: bool = False
    """True when a person wrote it in the platform's own inbox: that counts as a takeover."""
    outbound: MessageId | None = None
    """Our own row's id, where the platform carries it back."""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class ErasureAsked:
    """The person withdrew consent on the platform: their data is to be erased."""

    channel: Channel
    citizen_ref: str
    at: datetime


Event = Inbound | Receipt | Echo | ErasureAsked


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message of ours on its way out."""

    message: MessageId
    channel: Channel
    citizen_ref: str
    author: Author
    text: str
    created_at: datetime
    choices: tuple[Choice, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    ticket: TicketCode | None = None
    reply_to: str | None = None
    """Provider's id of the inbound message this answers."""
    context: str | None = None
    last_inbound_at: datetime | None = None
    sent_parts: tuple[str, ...] = ()
    """Provider's ids of the parts of a long text that already went out: a retry starts after them."""
    others: frozenset[str] = frozenset()
    """Provider's ids of other messages to this citizen, for `find_sent`: with the same words, still not this one."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took it; its ids, one per part."""

    provider_message_ids: tuple[str, ...]


class DeliveryState(StrEnum):
    """Where an outbound message stands. Nothing is shown as sent that was not."""

    QUEUED = "queued"
    SENDING = "sending"
    """The request may be under way; if its process died, the row becomes UNCERTAIN."""
    UNCERTAIN = "uncertain"
    SENT = "sent"
    DELIVERED = "delivered"
    SEEN = "seen"
    HELD = "held"
    """The messaging window is closed: kept for the citizen's next message."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bot says to one inbound message, before it becomes a row."""

    text: str
    choices: tuple[Choice, ...] = ()
    ticket: TicketCode | None = None
    entry: EntryId | None = None
    """The approved entry this text is, when it is one."""
    ask_helpful: bool = False
