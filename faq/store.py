"""Banks, entries and their versions in PostgreSQL. Everything that writes takes the session first and never commits.

Here one entry at a time, as people edit; many at once, as an import brings them: `bulk`.

A change is live for citizens after `publish`, which bumps the generation and tells every process; editors and imports
call it once, at the end of their transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import structlog
from sqlalchemy import ARRAY, BigInteger, any_, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now
from bot.base.notify import notify
from bot.contracts.errors import NotFound, Refused
from bot.contracts.ids import AccountId, BankId, EntryId, SubjectId, UnitCode
from faq.entry import EntryDraft, EntryRecord
from faq.tables import BankRow, EntryRow, EntryVersionRow, FaqIndexRow, PhrasingRow

log = structlog.get_logger(__name__)
TOPIC: Final = "faq_index"
"""Topic of the notification that a new generation is published; field `generation`."""


class Change(StrEnum):
    """What made a version of an entry."""

    ADDED = "added"
    CHANGED = "changed"
    PHRASING = "phrasing"
    RETIRED = "retired"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Bank:
    """A question bank as other rooms see it."""

    id: BankId
    unit: UnitCode
    name: str
    live_entries: int


@dataclass(frozen=True, slots=True)
class EntryVersion:
    """One step in an entry's history."""

    entry: EntryId
    version: int
    change: Change
    draft: EntryDraft
    by: AccountId | None
    at: datetime
    why: str


# --- banks -----------------------------------------------------------------------------------------------------------


async def ensure_bank(session: AsyncSession, unit: UnitCode, name: str) -> BankId:
    """The bank of that unit and name, made if there is none."""
    await session.execute(insert(BankRow).values(unit=unit, name=name, created_at=now()).on_conflict_do_nothing())
    found = await find_bank(session, unit, name)
    if found is None:
        raise NotFound(what="bộ câu hỏi")
    return found


async def find_bank(session: AsyncSession, unit: UnitCode, name: str) -> BankId | None:
    """The bank of that unit and name."""
    return (await session.scalars(select(BankRow.id).where(BankRow.unit == unit, BankRow.name == name))).one_or_none()


async def list_banks(session: AsyncSession) -> list[Bank]:
    """Every bank, by unit and name, with its number of live entries."""
    live = func.count(EntryRow.id).filter(EntryRow.retired_at.is_(None))
    rows = await session.execute(
        select(BankRow.id, BankRow.unit, BankRow.name, live)
        .outerjoin(EntryRow, EntryRow.bank == BankRow.id)
        .group_by(BankRow.id)
        .order_by(BankRow.unit, BankRow.name)
    )
    return [Bank(*row) for row in rows]


# --- reading entries -------------------------------------------------------------------------------------------------


async def load_live_entries(
    session: AsyncSession,
    bank: BankId | None = None,
    *,
    ids: Sequence[EntryId] | None = None,
    unit_names: Mapping[UnitCode, str] | None = None,
) -> list[EntryRecord]:
    """Entries that are not retired, of one bank or all, in the banks' own order; only those of `ids` if given.

    Units belong to a neighbouring room: `unit_name` is what `unit_names` says, else the unit's code.
    """
    wanted = select(EntryRow, BankRow.unit).join(BankRow, BankRow.id == EntryRow.bank)
    wanted = wanted.where(EntryRow.retired_at.is_(None)).order_by(EntryRow.bank, EntryRow.ordinal, EntryRow.id)
    if bank is not None:
        wanted = wanted.where(EntryRow.bank == bank)
    if ids is not None:
        wanted = wanted.where(EntryRow.id == any_of(ids))
    found = (await session.execute(wanted)).all()
    phrasings = await _load_phrasings(session, [row.id for row, _ in found])
    names = unit_names or {}
    return [
        EntryRecord(row.id, row.bank, unit, names.get(unit, unit), row.version, _draft(row, phrasings.get(row.id, ())))
        for row, unit in found
    ]


async def load_live_versions(session: AsyncSession, bank: BankId | None = None) -> dict[EntryId, int]:
    """The version of every live entry, of one bank or all: what an index, or a plan, compares itself with."""
    wanted = select(EntryRow.id, EntryRow.version).where(EntryRow.retired_at.is_(None))
    if bank is not None:
        wanted = wanted.where(EntryRow.bank == bank)
    return {entry: version for entry, version in await session.execute(wanted)}


async def load_drafts(session: AsyncSession, entries: Sequence[EntryId]) -> dict[EntryId, EntryDraft]:
    """What these entries say, retired or not; an unknown one is left out."""
    rows = (await session.scalars(select(EntryRow).where(EntryRow.id == any_of(entries)))).all()
    phrasings = await _load_phrasings(session, entries)
    return {row.id: _draft(row, phrasings.get(row.id, ())) for row in rows}


async def get_entry(
    session: AsyncSession, entry: EntryId, *, unit_names: Mapping[UnitCode, str] | None = None
) -> EntryRecord:
    """One entry, retired or not. Raises NotFound."""
    row = await _get_row(session, entry)
    unit = (await session.scalars(select(BankRow.unit).where(BankRow.id == row.bank))).one()
    phrasings = await _load_phrasings(session, [entry])
    name = (unit_names or {}).get(unit, unit)
    return EntryRecord(row.id, row.bank, unit, name, row.version, _draft(row, phrasings.get(entry, ())))


async def load_homes(
    session: AsyncSession, entries: Collection[EntryId]
) -> dict[EntryId, tuple[SubjectId | None, UnitCode]]:
    """Subject field and unit of each entry, retired or not."""
    query = (
        select(EntryRow.id, EntryRow.subject, BankRow.unit)
        .join(BankRow, BankRow.id == EntryRow.bank)
        .where(EntryRow.id.in_(entries))
    )
    return {row.id: (row.subject, row.unit) for row in await session.execute(query)}


async def is_retired(session: AsyncSession, entry: EntryId) -> bool:
    """Is the entry out of use? Raises NotFound."""
    return (await _get_row(session, entry)).retired_at is not None


async def load_versions(session: AsyncSession, entry: EntryId) -> list[EntryVersion]:
    """An entry's history, newest first."""
    rows = await session.scalars(
        select(EntryVersionRow).where(EntryVersionRow.entry == entry).order_by(EntryVersionRow.version.desc())
    )
    return [
        EntryVersion(row.entry, row.version, Change(row.change), draft_from_json(row.draft), row.by, row.at, row.why)
        for row in rows
    ]


# --- changing entries ------------------------------------------------------------------------------------------------


async def add_entry(
    session: AsyncSession, bank: BankId, draft: EntryDraft, *, by: AccountId | None, why: str
) -> EntryId:
    """A new entry at the end of its bank. Raises Refused if it has no question."""
    draft = checked(draft)
    moment = now()
    last = await session.scalar(select(func.max(EntryRow.ordinal)).where(EntryRow.bank == bank)) or 0
    row = EntryRow(
        bank=bank, version=1, ordinal=last + 1, created_at=moment, created_by=by, updated_at=moment, updated_by=by
    )
    _fill(row, draft)
    session.add(row)
    await session.flush()
    await _write_phrasings(session, row.id, draft.phrasings)
    await _write_version(session, row, draft, Change.ADDED, by, why)
    return row.id


async def change_entry(
    session: AsyncSession, entry: EntryId, draft: EntryDraft, *, by: AccountId | None, why: str
) -> int:
    """Replace what a live or retired entry says; the number of its new version. Raises NotFound, Refused."""
    draft = checked(draft)
    row = await _get_row(session, entry, for_update=True)
    _fill(row, draft)
    await _write_phrasings(session, entry, draft.phrasings)
    return await _next_version(session, row, draft, Change.CHANGED, by, why)


async def add_phrasing(
    session: AsyncSession, entry: EntryId, text: str, *, by: AccountId | None, why: str = "Thêm cách hỏi"
) -> int:
    """One more way to ask; the entry's version after it (the same if it was there). Raises NotFound, Refused."""
    text = text.strip()
    if not text:
        raise Refused(problem="Cách hỏi không được để trống.")
    row = await _get_row(session, entry, for_update=True)
    known = (await _load_phrasings(session, [entry])).get(entry, ())
    if text in known or text == row.question:
        return row.version
    await session.execute(insert(PhrasingRow).values(entry=entry, text=text).on_conflict_do_nothing())
    return await _next_version(session, row, _draft(row, (*known, text)), Change.PHRASING, by, why)


async def retire_entry(session: AsyncSession, entry: EntryId, *, by: AccountId | None, why: str) -> None:
    """Take an entry out of use; it keeps its history. Raises NotFound; retiring twice changes nothing."""
    row = await _get_row(session, entry, for_update=True)
    if row.retired_at is None:
        row.retired_at = now()
        draft = _draft(row, (await _load_phrasings(session, [entry])).get(entry, ()))
        await _next_version(session, row, draft, Change.RETIRED, by, why)


async def restore_entry(session: AsyncSession, entry: EntryId, *, by: AccountId | None, why: str) -> None:
    """Take a retired entry back into use. Raises NotFound; restoring a live entry changes nothing."""
    row = await _get_row(session, entry, for_update=True)
    if row.retired_at is not None:
        row.retired_at = None
        draft = _draft(row, (await _load_phrasings(session, [entry])).get(entry, ()))
        await _next_version(session, row, draft, Change.RESTORED, by, why)


# --- publishing ------------------------------------------------------------------------------------------------------


async def publish(session: AsyncSession) -> int:
    """Make the banks as they are now the ones that are answered from, in every process; the new generation."""
    moment = now()
    statement = insert(FaqIndexRow).values(id=1, generation=1, published_at=moment)
    statement = statement.on_conflict_do_update(
        index_elements=[FaqIndexRow.id],
        set_={"generation": FaqIndexRow.generation + 1, "published_at": moment},
    )
    generation = (await session.scalars(statement.returning(FaqIndexRow.generation))).one()
    await notify(session, TOPIC, generation=generation)
    log.info("faq.published", generation=generation)
    return generation


async def load_generation(session: AsyncSession) -> int:
    """The published generation; 0 before the first."""
    return await session.scalar(select(FaqIndexRow.generation)) or 0


# --- below -----------------------------------------------------------------------------------------------------------


def draft_as_json(draft: EntryDraft) -> dict[str, Any]:
    """A draft for a jsonb column; `draft_from_json` is its inverse."""

    def day(value: date | None) -> str | None:
        return value.isoformat() if value else None

    return {
        "question": draft.question,
        "answer": draft.answer,
        "phrasings": list(draft.phrasings),
        "subject": draft.subject,
        "legal_basis": draft.legal_basis,
        "confirmed_on": day(draft.confirmed_on),
        "valid_from": day(draft.valid_from),
        "valid_until": day(draft.valid_until),
        "place": draft.place,
    }


def draft_from_json(stored: Mapping[str, Any]) -> EntryDraft:
    """The draft that `draft_as_json` wrote."""

    def day(value: str | None) -> date | None:
        return date.fromisoformat(value) if value else None

    return EntryDraft(
        question=stored["question"],
        answer=stored["answer"],
        phrasings=tuple(stored["phrasings"]),
        subject=None if stored["subject"] is None else SubjectId(stored["subject"]),
        legal_basis=stored["legal_basis"],
        confirmed_on=day(stored["confirmed_on"]),
        valid_from=day(stored["valid_from"]),
        valid_until=day(stored["valid_until"]),
        place=stored["place"],
    )


def checked(draft: EntryDraft) -> EntryDraft:
    """The draft as it may be stored: stripped, each phrasing once. Raises Refused: no question, dates that cross."""
    question = draft.question.strip()
    if not question:
        raise Refused(problem="Câu hỏi không được để trống.")
    if draft.valid_from and draft.valid_until and draft.valid_from > draft.valid_until:
        raise Refused(problem="Ngày bắt đầu hiệu lực phải trước ngày hết hiệu lực.")
    phrasings = tuple(dict.fromkeys(text.strip() for text in draft.phrasings if text.strip()))
    return replace(draft, question=question, phrasings=phrasings)


def _fill(row: EntryRow, draft: EntryDraft) -> None:
    row.question, row.answer, row.subject, row.legal_basis = (
        draft.question,
        draft.answer,
        draft.subject,
        draft.legal_basis,
    )
    row.confirmed_on, row.valid_from, row.valid_until = draft.confirmed_on, draft.valid_from, draft.valid_until
    row.place = draft.place


def _draft(row: EntryRow, phrasings: Sequence[str]) -> EntryDraft:
    return EntryDraft(
        question=row.question,
        answer=row.answer,
        phrasings=tuple(phrasings),
        subject=row.subject,
        legal_basis=row.legal_basis,
        confirmed_on=row.confirmed_on,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        place=row.place,
    )


async def _get_row(session: AsyncSession, entry: EntryId, *, for_update: bool = False) -> EntryRow:
    wanted = select(EntryRow).where(EntryRow.id == entry)
    row = (await session.scalars(wanted.with_for_update() if for_update else wanted)).one_or_none()
    if row is None:
        raise NotFound(what="mục hỏi đáp")
    return row


def any_of(entries: Sequence[EntryId]) -> Any:
    """One parameter for any number of ids: PostgreSQL takes 65,535 parameters at most."""
    return any_(literal(list(entries), ARRAY(BigInteger)))


async def _load_phrasings(session: AsyncSession, entries: Sequence[EntryId]) -> dict[EntryId, tuple[str, ...]]:
    rows = await session.execute(
        select(PhrasingRow.entry, PhrasingRow.text).where(PhrasingRow.entry == any_of(entries)).order_by(PhrasingRow.id)
    )
    found: dict[EntryId, list[str]] = {}
    for entry, text in rows:
        found.setdefault(entry, []).append(text)
    return {entry: tuple(texts) for entry, texts in found.items()}


async def _write_phrasings(session: AsyncSession, entry: EntryId, phrasings: Sequence[str]) -> None:
    await session.execute(delete(PhrasingRow).where(PhrasingRow.entry == entry))
    if phrasings:
        await session.execute(insert(PhrasingRow), [{"entry": entry, "text": text} for text in phrasings])


async def _next_version(
    session: AsyncSession, row: EntryRow, draft: EntryDraft, change: Change, by: AccountId | None, why: str
) -> int:
    row.version += 1
    row.updated_at, row.updated_by = now(), by
    await session.flush()
    await _write_version(session, row, draft, change, by, why)
    return row.version


async def _write_version(
    session: AsyncSession, row: EntryRow, draft: EntryDraft, change: Change, by: AccountId | None, why: str
) -> None:
    version = EntryVersionRow(
        entry=row.id, version=row.version, change=change, draft=draft_as_json(draft), by=by, at=row.updated_at, why=why
    )
    session.add(version)
    await session.flush()
