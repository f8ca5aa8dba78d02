"""Many entries at once, in few statements: what an import writes and takes back. The caller commits.

What one entry goes through in `store` holds here as well: a version for every step, kept with its draft. Rows travel by
`executemany`, which psycopg sends as one stream; nothing here asks the database once an entry.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now
from bot.base.db import table_of
from bot.contracts.errors import NotFound
from bot.contracts.ids import AccountId, BankId, EntryId
from faq.entry import EntryDraft
from faq.store import Change, any_of, checked, draft_as_json, load_drafts
from faq.tables import EntryRow, EntryVersionRow, PhrasingRow

_ENTRIES, _VERSIONS, _PHRASINGS = table_of(EntryRow), table_of(EntryVersionRow), table_of(PhrasingRow)


async def add_entries(
    session: AsyncSession, bank: BankId, drafts: Sequence[EntryDraft], *, by: AccountId | None, why: str
) -> list[EntryId]:
    """New entries at the end of their bank, in this order; their numbers. Raises Refused if one has no question."""
    if not drafts:
        return []
    await session.flush()
    kept = [checked(draft) for draft in drafts]
    moment = now()
    last = await session.scalar(select(func.max(EntryRow.ordinal)).where(EntryRow.bank == bank)) or 0
    drawn = await session.scalars(
        text("select nextval(pg_get_serial_sequence('entries', 'id')) from generate_series(1, :count)"),
        {"count": len(kept)},
    )
    entries = [EntryId(one) for one in drawn]
    common = {
        "bank": bank, "version": 1, "created_at": moment, "created_by": by, "updated_at": moment, "updated_by": by,
    }  # fmt: skip
    await session.execute(
        insert(_ENTRIES),
        [
            {**common, "id": entry, "ordinal": last + place, **_content(draft)}
            for place, (entry, draft) in enumerate(zip(entries, kept, strict=True), 1)
        ],
    )
    contents = dict(zip(entries, kept, strict=True))
    await _write_phrasings(session, contents)
    await _write_versions(session, contents, dict.fromkeys(entries, 1), Change.ADDED, by, moment, why)
    return entries


async def lock_entries(session: AsyncSession, entries: Collection[EntryId]) -> dict[EntryId, int]:
    """The versions of these entries, retired or not; nobody else changes them before this transaction ends.

    Raises NotFound when one is missing.
    """
    rows = await session.execute(
        select(_ENTRIES.c.id, _ENTRIES.c.version)
        .where(_ENTRIES.c.id == any_of(list(entries)))
        .order_by(_ENTRIES.c.id)  # two that lock the same entries wait for one another, never both
        .with_for_update()
    )
    found = {EntryId(entry): int(version) for entry, version in rows}
    if len(found) != len(set(entries)):
        raise NotFound(what="mục hỏi đáp")
    return found


async def change_entries(
    session: AsyncSession, drafts: Mapping[EntryId, EntryDraft], *, by: AccountId | None, why: str
) -> dict[EntryId, int]:
    """Replace what live or retired entries say; the numbers of their new versions. Raises NotFound, Refused."""
    if not drafts:
        return {}
    await session.flush()
    kept = {entry: checked(draft) for entry, draft in drafts.items()}
    moment = now()
    versions = {entry: version + 1 for entry, version in (await lock_entries(session, kept)).items()}
    await session.execute(
        update(_ENTRIES).where(_ENTRIES.c.id == bindparam("which")),
        [
            {"which": entry, "version": versions[entry], "updated_at": moment, "updated_by": by, **_content(draft)}
            for entry, draft in kept.items()
        ],
    )
    await session.execute(delete(_PHRASINGS).where(_PHRASINGS.c.entry == any_of(list(kept))))
    await _write_phrasings(session, kept)
    await _write_versions(session, kept, versions, Change.CHANGED, by, moment, why)
    return versions


async def retire_entries(
    session: AsyncSession, entries: Collection[EntryId], *, by: AccountId | None, why: str
) -> dict[EntryId, int]:
    """Take entries out of use; their versions after it. Raises NotFound; one that is retired stays as it is."""
    return await _set_retired(session, entries, Change.RETIRED, by, why)


async def restore_entries(
    session: AsyncSession, entries: Collection[EntryId], *, by: AccountId | None, why: str
) -> dict[EntryId, int]:
    """Take retired entries back into use; their versions after it. Raises NotFound; a live one stays as it is."""
    return await _set_retired(session, entries, Change.RESTORED, by, why)


async def _set_retired(
    session: AsyncSession, entries: Collection[EntryId], change: Change, by: AccountId | None, why: str
) -> dict[EntryId, int]:
    if not entries:
        return {}
    await session.flush()
    moment = now()
    versions = await lock_entries(session, entries)
    was_live = _ENTRIES.c.retired_at.is_(None)
    rows = await session.execute(
        update(_ENTRIES)
        .where(_ENTRIES.c.id == any_of(list(entries)), was_live if change is Change.RETIRED else ~was_live)
        .values(
            retired_at=moment if change is Change.RETIRED else None,
            version=_ENTRIES.c.version + 1,
            updated_at=moment,
            updated_by=by,
        )
        .returning(_ENTRIES.c.id, _ENTRIES.c.version)
    )
    moved = {EntryId(entry): int(version) for entry, version in rows}
    session.expire_all()
    await _write_versions(session, await load_drafts(session, list(moved)), moved, change, by, moment, why)
    return versions | moved


def _content(draft: EntryDraft) -> dict[str, Any]:
    return {
        "question": draft.question,
        "answer": draft.answer,
        "subject": draft.subject,
        "legal_basis": draft.legal_basis,
        "confirmed_on": draft.confirmed_on,
        "valid_from": draft.valid_from,
        "valid_until": draft.valid_until,
        "place": draft.place,
    }


async def _write_phrasings(session: AsyncSession, contents: Mapping[EntryId, EntryDraft]) -> None:
    if rows := [{"entry": entry, "text": one} for entry, draft in contents.items() for one in draft.phrasings]:
        await session.execute(insert(_PHRASINGS), rows)


async def _write_versions(
    session: AsyncSession,
    contents: Mapping[EntryId, EntryDraft],
    versions: Mapping[EntryId, int],
    change: Change,
    by: AccountId | None,
    at: datetime,
    why: str,
) -> None:
    """The history's lines; what the session knows of entries from before is forgotten, since no object was written."""
    common = {"change": change, "by": by, "at": at, "why": why}
    rows = [
        {**common, "entry": entry, "version": versions[entry], "draft": draft_as_json(draft)}
        for entry, draft in contents.items()
    ]
    if rows:
        await session.execute(insert(_VERSIONS), rows)
    session.expire_all()
