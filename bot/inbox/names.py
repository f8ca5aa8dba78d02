"""What citizens are called, for the people at the desk: asked of the platforms behind the message path, once.

Webhooks carry ids only. The name lands in the conversation's row; a message never waits for it, and a platform that
doesn't tell (the permission is optional) is not asked again for a day.
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select, update

from bot.base.clock import now
from bot.base.db import Database
from bot.base.notify import notify
from bot.contracts.connector import Connector, KnowsNames
from bot.contracts.errors import RetryLater
from bot.contracts.ids import Channel, ConversationId
from bot.conversation.tables import ConversationRow

log = structlog.get_logger(__name__)
FRESH = timedelta(days=1)
"""Only who wrote within it is asked about; and who was asked about in vain, not again within it."""
AT_ONCE = 20
"""Names asked for in one round: lookups count against the platform's call limits too."""
LONGEST_NAME = 100


class NameLookup:
    """Gives conversations their names, round by round."""

    def __init__(self, database: Database, connectors: Mapping[Channel, Connector], pause_s: float = 60.0) -> None:
        """`pause_s`: how long a channel is left alone after it could not be reached."""
        self._database, self._pause = database, timedelta(seconds=pause_s)
        self._sources = {channel: one for channel, one in connectors.items() if isinstance(one, KnowsNames)}
        self._quiet_until: dict[Channel, datetime] = {}

    async def round(self) -> int:
        """Ask for the names that are missing, newest message first; how many were found."""
        at, found = now(), 0
        for channel, source in self._sources.items():
            if at < self._quiet_until.get(channel, at):
                continue
            for conversation, citizen_ref, asked_at in await self._unnamed(channel, at):
                try:
                    name = await source.citizen_name(citizen_ref)
                except RetryLater as error:
                    self._quiet_until[channel] = at + self._pause
                    log.info("citizen.name_not_asked", channel=channel, error=type(error).__name__)
                    break
                found += await self._keep(conversation, presentable(name or ""), asked_at, at)
        return found

    async def _unnamed(self, channel: Channel, at: datetime) -> list[tuple[ConversationId, str, datetime | None]]:
        asked = ConversationRow.name_asked_at
        wanted = (
            select(ConversationRow.id, ConversationRow.citizen_ref, asked)
            .where(
                ConversationRow.channel == channel,
                ConversationRow.citizen_name.is_(None),
                ConversationRow.last_inbound_at > at - FRESH,
                or_(asked.is_(None), (asked < at - FRESH) & (ConversationRow.last_inbound_at > asked)),
            )
            .order_by(ConversationRow.last_inbound_at.desc())
            .limit(AT_ONCE)
        )
        async with self._database.transaction() as session:
            return [(row[0], row[1], row[2]) for row in await session.execute(wanted)]

    async def _keep(self, conversation: ConversationId, name: str, asked_at: datetime | None, at: datetime) -> bool:
        """False when there is no name, or the citizen was erased or gave a name in the meantime."""
        async with self._database.transaction() as session:
            kept = await session.execute(
                update(ConversationRow)
                .where(
                    ConversationRow.id == conversation,
                    ConversationRow.citizen_name.is_(None),
                    ConversationRow.name_asked_at.is_not_distinct_from(asked_at),
                )
                .values(citizen_name=name or None, name_asked_at=at)
                .returning(ConversationRow.id)
            )
            if kept.scalar_one_or_none() is None or not name:
                return False
            await notify(session, "conversation", conversation=conversation, receipt=True)
            return True


def presentable(name: str) -> str:
    """A name that people chose for themselves, fit for a line of the console: no control characters, not too long."""
    shown = "".join(one if unicodedata.category(one)[0] != "C" else " " for one in unicodedata.normalize("NFC", name))
    return " ".join(shown.split())[:LONGEST_NAME].strip()
