"""What the console needs from the other rooms; `bot.app` joins the real ones in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.base.db import Database
from bot.base.notify import Listener
from bot.contracts.connector import Connector
from bot.contracts.ids import Channel
from bot.conversation.staff import StaffDesk
from faq.embed import Embedder
from faq.engine import FaqEngine


@dataclass(frozen=True, slots=True)
class ConsoleServices:
    """Everything a page may reach."""

    database: Database
    staff: StaffDesk
    engine: FaqEngine
    embedder: Embedder
    listener: Listener
    https: bool
    """True when browsers reach us over TLS: cookies are then `Secure`."""
    channel_notes: Callable[[], Sequence[str]]
    """One Vietnamese sentence per channel: on, or off and why."""
    connectors: Mapping[Channel, Connector]
    """Channels that are on: asked for warnings and for how long we may still write to somebody."""
