"""Which imports were applied, what each did, the mappings a unit settled. Reads and writes this room's tables."""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.base.clock import now
from bot.base.db import table_of
from bot.contracts.errors import NotFound
from bot.contracts.ids import AccountId, BankId, EntryId, UnitCode
from kb_import.columns import Mapping, MappingRefused, Word, parse_mapping
from kb_import.header import SheetLayout
from kb_import.layout import SkippedSheet, skip_signature
from kb_import.tables import ImportChangeRow, ImportMappingRow, ImportPhrasingsRow, ImportRow

_ROWS_AT_ONCE = 500
"""Their parameters are made ready in Python, and meanwhile this process does nothing else."""
_LOCK_CLASS = 1_022_004
"""First key of the advisory lock under which one bank is imported into; the second is the bank's number."""


@dataclass(frozen=True, slots=True)
class PastImport:
    """One applied import, for the history."""

    id: int
    unit: UnitCode
    bank: BankId
    bank_name: str
    file_name: str
    sha256: str
    applied_at: datetime
    by: AccountId | None
    added: int
    changed: int
    retired: int
    unchanged: int
    problems: int
    undone_at: datetime | None
    undone_by: AccountId | None


@dataclass(frozen=True, slots=True)
class PastChange:
    """What an import did to one entry."""

    entry: EntryId
    kind: str
    """ "add", "change" or "retire"."""
    before: dict[str, Any] | None
    version: int


async def lock_bank(session: AsyncSession, bank: BankId) -> None:
    """Wait until nobody else imports into this bank; held until the transaction ends."""
    await session.execute(text("select pg_advisory_xact_lock(:room, :bank)"), {"room": _LOCK_CLASS, "bank": bank})


async def record_import(session: AsyncSession, row: ImportRow, changes: Sequence[PastChange]) -> int:
    """Write down an import and what it did; its number."""
    session.add(row)
    await session.flush()
    await _write_in_slices(
        session,
        table_of(ImportChangeRow),
        [
            {"import_id": row.id, "entry": one.entry, "kind": one.kind, "before": one.before, "version": one.version}
            for one in changes
        ],
    )
    return row.id


async def load_history(session: AsyncSession, unit: UnitCode | None, limit: int = 200) -> list[PastImport]:
    """Imports of one unit or all, newest first."""
    wanted = select(ImportRow).order_by(ImportRow.applied_at.desc(), ImportRow.id.desc()).limit(limit)
    if unit is not None:
        wanted = wanted.where(ImportRow.unit == unit)
    return [_past(row) for row in await session.scalars(wanted)]


async def get_import(session: AsyncSession, import_id: int) -> PastImport:
    """One import. Raises NotFound."""
    row = await session.get(ImportRow, import_id)
    if row is None:
        raise NotFound(what="lần nạp này")
    return _past(row)


async def load_changes(session: AsyncSession, import_id: int) -> list[PastChange]:
    """What one import did."""
    rows = await session.scalars(
        select(ImportChangeRow).where(ImportChangeRow.import_id == import_id).order_by(ImportChangeRow.entry)
    )
    return [PastChange(row.entry, row.kind, row.before, row.version) for row in rows]


async def record_phrasings(
    session: AsyncSession, import_id: int, phrasings: AnyMapping[EntryId, tuple[str, ...]]
) -> None:
    """Write down which ways to ask the file of this import held."""
    rows = [{"import_id": import_id, "entry": entry, "phrasings": list(held)} for entry, held in phrasings.items()]
    await _write_in_slices(session, table_of(ImportPhrasingsRow), rows)


async def load_file_phrasings(session: AsyncSession, bank: BankId) -> dict[EntryId, tuple[str, ...]]:
    """By entry of a bank: the ways to ask that came from the unit's files, as the last import that stands says."""
    rows = await session.execute(
        select(ImportPhrasingsRow.entry, ImportPhrasingsRow.phrasings)
        .join(ImportRow, ImportRow.id == ImportPhrasingsRow.import_id)
        .where(ImportRow.bank == bank, ImportRow.undone_at.is_(None))
        .ext(distinct_on(ImportPhrasingsRow.entry))
        .order_by(ImportPhrasingsRow.entry, ImportPhrasingsRow.import_id.desc())
    )
    return {entry: tuple(held) for entry, held in rows}


async def has_later_import(session: AsyncSession, past: PastImport) -> bool:
    """Was the same bank imported into again after this, and not undone?"""
    count = await session.scalar(
        select(func.count())
        .select_from(ImportRow)
        .where(ImportRow.bank == past.bank, ImportRow.id > past.id, ImportRow.undone_at.is_(None))
    )
    return bool(count)


async def follow_undo(session: AsyncSession, past: PastImport) -> None:
    """An import and its undoing gave each entry two versions; to earlier imports it is as if neither had been.

    So they can be undone in their turn, unless somebody edited an entry meanwhile: that still counts.
    """
    undone, earlier = aliased(ImportChangeRow), select(ImportRow.id)
    earlier = earlier.where(ImportRow.bank == past.bank, ImportRow.id < past.id, ImportRow.undone_at.is_(None))
    await session.execute(
        update(ImportChangeRow)
        .where(
            undone.import_id == past.id,
            undone.entry == ImportChangeRow.entry,
            ImportChangeRow.import_id.in_(earlier),
        )
        .values(version=ImportChangeRow.version + 2)
        .execution_options(synchronize_session=False)
    )


async def mark_undone(session: AsyncSession, import_id: int, by: AccountId | None) -> None:
    """Note that an import was taken back."""
    row = await session.get(ImportRow, import_id, with_for_update=True)
    if row is None:
        raise NotFound(what="lần nạp này")
    row.undone_at, row.undone_by = now(), by


async def load_mappings(session: AsyncSession, unit: UnitCode) -> tuple[tuple[str, Mapping], ...]:
    """(signature, mapping) of every layout the unit has settled."""
    rows = await session.scalars(select(ImportMappingRow).where(ImportMappingRow.unit == unit))
    found = []
    for row in rows:
        try:
            found.append((row.signature, parse_mapping(row.mapping)[0]))
        except (MappingRefused, IndexError):  # written by an older version: ask again
            continue
    return tuple(found)


async def remember_mappings(
    session: AsyncSession,
    unit: UnitCode,
    layouts: Sequence[SheetLayout],
    skipped: Sequence[SkippedSheet],
    by: AccountId | None,
) -> None:
    """Keep how these layouts were settled and which sheets are left out, for the unit's next file with the same
    headers. A sheet that is read now is no longer left out."""
    read_again = [skip_signature(one.sheet, one.signature) for one in layouts]
    await session.execute(
        delete(ImportMappingRow).where(ImportMappingRow.unit == unit, ImportMappingRow.signature.in_(read_again))
    )
    spoken = {one.signature: Mapping((), word=Word.SKIP).say() for one in skipped}
    for layout in layouts:
        mapping = layout.as_mapping()
        spoken[layout.signature] = Mapping(mapping.columns, 0 if layout.header is None else None).say()
    for signature, text_of_mapping in spoken.items():
        values = {"unit": unit, "signature": signature, "mapping": text_of_mapping, "at": now(), "by": by}
        statement = insert(ImportMappingRow).values(values)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["unit", "signature"], set_={name: values[name] for name in ("mapping", "at", "by")}
            )
        )


async def _write_in_slices(session: AsyncSession, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        await session.execute(insert(table), rows[start : start + _ROWS_AT_ONCE])


def _past(row: ImportRow) -> PastImport:
    return PastImport(
        row.id,
        row.unit,
        row.bank,
        row.bank_name,
        row.file_name,
        row.sha256,
        row.applied_at,
        row.by,
        row.added,
        row.changed,
        row.retired,
        row.unchanged,
        row.problems,
        row.undone_at,
        row.undone_by,
    )
