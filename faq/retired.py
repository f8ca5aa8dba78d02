"""Entries out of use, for those who may bring them back (`store.restore_entry`)."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contracts.ids import EntryId, UnitCode
from faq.tables import BankRow, EntryRow


@dataclass(frozen=True, slots=True)
class RetiredEntry:
    """An entry out of use."""

    id: EntryId
    unit: UnitCode
    question: str


async def load_retired(session: AsyncSession, *, limit: int = 500) -> list[RetiredEntry]:
    """Entries out of use, those retired last first."""
    rows = await session.execute(
        select(EntryRow.id, BankRow.unit, EntryRow.question)
        .join(BankRow, BankRow.id == EntryRow.bank)
        .where(EntryRow.retired_at.is_not(None))
        .order_by(EntryRow.retired_at.desc())
        .limit(limit)
    )
    return [RetiredEntry(*row) for row in rows]
