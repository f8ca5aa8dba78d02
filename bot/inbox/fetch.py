"""Fetch what citizens sent beside words into our own storage, before the platform's links die."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import structlog

from bot.base.db import Database
from bot.base.notify import notify
from bot.contracts.ids import Channel, MessageId
from bot.contracts.messages import Attachment, Kind
from bot.conversation.tables import MessageRow
from connectors.attachments import FetchRefused, Sources, fetch

log = structlog.get_logger(__name__)
FETCHED = frozenset({Kind.IMAGE, Kind.GIF, Kind.AUDIO, Kind.VIDEO, Kind.FILE})


async def fetch_attachments(
    database: Database, sources: Mapping[Channel, Sources], storage: Path, message: MessageId
) -> None:
    """The job: fetch every attachment of `message` that has none of ours yet. What is refused keeps its link only."""
    async with database.transaction() as session:
        row = await session.get(MessageRow, message)
        if row is None:
            return
        allowed = sources.get(Channel(row.channel))
        known = [Attachment(**one) for one in row.attachments]
    if allowed is None:
        return
    fetched: list[Attachment] = []
    for one in known:
        wanted = one.url is not None and one.path is None and one.kind in FETCHED
        fetched.append(await _fetch_one(one, allowed, storage, message) if wanted else one)
    if fetched == known:
        return
    async with database.transaction() as session:
        row = await session.get_one(MessageRow, message, with_for_update=True)
        row.attachments = [asdict(one) for one in fetched]
        await notify(session, "conversation", conversation=row.conversation_id, receipt=True)


async def _fetch_one(one: Attachment, sources: Sources, storage: Path, message: MessageId) -> Attachment:
    try:
        return await fetch(one, sources, storage)
    except FetchRefused as refused:
        log.warning("attachment.refused", message=message, why=str(refused))
        return one
