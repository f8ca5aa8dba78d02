"""The web chat as a connector: the page fetches rows itself, so delivering is committing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.base.db import Database
from bot.base.notify import notify
from bot.contracts.connector import Capabilities, MessagingWindow, WindowState
from bot.contracts.errors import PayloadRefused, SignatureRefused
from bot.contracts.ids import Channel
from bot.contracts.messages import Author, Event, Outbound, Sent
from connectors.webchat.parse import WEBCHAT

log = structlog.get_logger(__name__)


class WebchatConnector:
    """What the outbox and the console need to know about the web chat."""

    name: ClassVar[Channel] = WEBCHAT
    capabilities: ClassVar[Capabilities] = Capabilities(
        max_chars=20_000, max_buttons=10, max_button_title=200, images=True, files=True, typing=True, pulls=True
    )

    def __init__(self, database: Database) -> None:
        self._database = database

    def verify(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """There is no web chat webhook (citizens come through `routes.py`), so nothing can be rightly signed."""
        raise SignatureRefused("the web chat has no webhook")

    def parse(self, raw: bytes) -> Sequence[Event]:
        """There is no web chat webhook, so no body is documented."""
        raise PayloadRefused("the web chat has no webhook")

    def window(self, last_inbound: datetime | None, author: Author, now: datetime) -> MessagingWindow:
        """Always open: the citizen reads it when they open the page."""
        return MessagingWindow(WindowState.OPEN)

    async def send(self, outbound: Outbound) -> Sent:
        """Nothing to do: the row is committed, and that is where the page reads. The outbox skips pulling channels."""
        return Sent((str(outbound.message),))

    async def find_sent(self, outbound: Outbound) -> Sent | None:
        """A row that exists is a message sent."""
        return Sent((str(outbound.message),))

    async def show_typing(self, citizen_ref: str) -> None:
        """Tell open pages of this citizen that an answer is being written. Lost if none is open; never raises."""
        try:
            async with self._database.transaction() as session:
                await notify(session, "typing", citizen_ref=citizen_ref)
        except (SQLAlchemyError, OSError) as error:
            log.warning("webchat.typing_not_shown", error=type(error).__name__)

    async def close(self) -> None:
        """Holds no connection of its own."""
