"""Where else a person may be written to now, for the people at the desk: the channel here is shut."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contracts.connector import Connector
from bot.contracts.ids import Channel, ConversationId
from bot.contracts.messages import Author
from bot.conversation import people
from bot.conversation.tables import ConversationRow
from bot.outbox.elsewhere import may_write


@dataclass(frozen=True, slots=True)
class OpenElsewhere:
    """Channels on which this person may be written to now."""

    linked: Channel | None
    """Of a conversation that an operator linked: an answer goes there by itself."""
    alike: Channel | None
    """Of a conversation with the same phone number that nobody has linked: an operator may."""


async def find_open_elsewhere(
    session: AsyncSession,
    connectors: Mapping[Channel, Connector],
    conversation: ConversationId,
    author: Author,
    at: datetime,
) -> OpenElsewhere:
    """Raises NotFound."""
    linked = await _open(session, connectors, await people.same_person(session, conversation), author, at)
    alike = None
    if linked is None:
        proposed = [one.id for one in await people.suggest(session, conversation)]
        alike = await _open(session, connectors, proposed, author, at)
    return OpenElsewhere(linked, alike)


async def _open(
    session: AsyncSession,
    connectors: Mapping[Channel, Connector],
    conversations: Collection[ConversationId],
    author: Author,
    at: datetime,
) -> Channel | None:
    if not conversations:
        return None
    rows = await session.scalars(
        select(ConversationRow)
        .where(ConversationRow.id.in_(conversations), ConversationRow.last_inbound_at.is_not(None))
        .order_by(ConversationRow.last_inbound_at.desc())
    )
    return next((Channel(row.channel) for row in rows if may_write(connectors, row, author, at)), None)
