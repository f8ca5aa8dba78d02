"""A plan becomes the live bank, in one transaction; and can be taken back as one step. The caller commits."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now
from bot.contracts.errors import Conflict, Refused
from bot.contracts.ids import AccountId, BankId, EntryId
from faq import store
from faq.entry import EntryRecord
from kb_import.history import (
    PastChange,
    get_import,
    has_later_import,
    load_changes,
    lock_bank,
    mark_undone,
    record_import,
    record_phrasings,
    remember_mappings,
)
from kb_import.plan import ImportPlan, Status
from kb_import.tables import ImportRow

_TOLD_EVERY = 25


class PlanOutdated(Conflict):
    """The bank changed since the plan was made."""

    code = "import.plan_outdated"
    vi = "Bộ câu hỏi vừa được người khác thay đổi. Hãy tải lại tệp để xem kế hoạch mới."


class NotReady(Refused):
    """The plan has errors, or a mapping that nobody confirmed."""

    code = "import.not_ready"


class CannotUndo(Refused):
    """Taking this import back would damage what was done after it."""

    code = "import.cannot_undo"


@dataclass(frozen=True, slots=True)
class AppliedImport:
    """What became of a plan."""

    id: int
    """Its number in the history."""
    bank: BankId
    generation: int
    """The published generation of the banks that holds it."""
    added: int
    changed: int
    retired: int


async def apply_plan(
    session: AsyncSession,
    plan: ImportPlan,
    *,
    by: AccountId | None,
    retire: bool,
    progress: Callable[[int, int], None] | None = None,
) -> AppliedImport:
    """Add, change and (if `retire`) retire as planned; record it; publish. Raises NotReady, PlanOutdated.

    `progress`: told now and then how many of how many entries are written.
    """
    if plan.status in {Status.REFUSED, Status.NEEDS_MAPPING}:
        raise NotReady(problem="Tệp còn lỗi hoặc chưa xác nhận cột nên chưa áp dụng được.")
    bank = await store.ensure_bank(session, plan.unit, plan.bank)
    await lock_bank(session, bank)
    live = await store.load_live_entries(session, bank)
    if {one.id: one.version for one in live} != dict(plan.live):
        raise PlanOutdated
    why = f"Nạp tệp {plan.source.file_name}"
    changes: list[PastChange] = []
    phrasings = dict(plan.phrasings)
    retired = plan.retirements if retire else ()
    total = len(plan.adds) + len(plan.changes) + len(retired)

    def count() -> None:
        if progress and (len(changes) % _TOLD_EVERY == 0 or len(changes) == total):
            progress(len(changes), total)

    last = len(live)
    count()
    for number, add in enumerate(plan.adds, last + 1):
        entry = await store.add_entry(session, bank, add.draft, by=by, why=why, ordinal=number)
        changes.append(PastChange(entry, "add", None, 1))
        if add.draft.phrasings:
            phrasings[entry] = add.draft.phrasings
        count()
    for change in plan.changes:
        version = await store.change_entry(session, change.entry.id, change.draft, by=by, why=why)
        changes.append(PastChange(change.entry.id, "change", store.draft_as_json(change.entry.draft), version))
        count()
    for one in retired:
        await store.retire_entry(session, one.id, by=by, why=f"{why}: tệp mới không còn câu hỏi này")
        changes.append(PastChange(one.id, "retire", store.draft_as_json(one.draft), one.version + 1))
        count()
    row = ImportRow(
        unit=plan.unit,
        bank=bank,
        bank_name=plan.bank,
        file_name=plan.source.file_name,
        sha256=plan.source.sha256,
        applied_at=now(),
        by=by,
        added=len(plan.adds),
        changed=len(plan.changes),
        retired=len(retired),
        unchanged=plan.unchanged,
        problems=len(plan.problems),
    )
    number = await record_import(session, row, changes)
    await record_phrasings(session, number, phrasings)
    await remember(session, plan, by=by)
    generation = await store.publish(session)
    return AppliedImport(number, bank, generation, len(plan.adds), len(plan.changes), len(retired))


async def remember(session: AsyncSession, plan: ImportPlan, *, by: AccountId | None) -> None:
    """Keep what a person settled about this file's sheets for the unit's next file."""
    if plan.settled:
        await remember_mappings(session, plan.unit, plan.reading.layouts, plan.reading.skipped, by)


async def apply_undo(session: AsyncSession, import_id: int, *, by: AccountId | None) -> int:
    """Take one import back: what it added is retired, what it changed or retired is as before. The new generation.

    Raises NotFound, CannotUndo: already undone, a later import of the same bank stands, or an entry was edited since.
    """
    past = await get_import(session, import_id)
    await lock_bank(session, past.bank)
    past = await get_import(session, import_id)
    if past.undone_at is not None:
        raise CannotUndo(problem="Lần nạp này đã được hoàn tác rồi.")
    if await has_later_import(session, past):
        raise CannotUndo(problem="Sau lần nạp này bộ câu hỏi đã được nạp tiếp. Hãy hoàn tác lần nạp mới nhất trước.")
    changes = await load_changes(session, import_id)
    entries = {one.entry: await store.get_entry(session, one.entry) for one in changes}
    if edited := [entries[one.entry] for one in changes if entries[one.entry].version != one.version]:
        names = ", ".join(f"“{one.draft.question[:50]}”" for one in edited[:3])
        raise CannotUndo(
            problem=f"Có {len(edited)} mục đã được sửa sau lần nạp này ({names}) nên không hoàn tác cả lần được."
        )
    why = f"Hoàn tác lần nạp số {import_id} ({past.file_name})"
    for one in changes:
        await _take_back(session, one, entries[one.entry], by, why)
    await mark_undone(session, import_id, by)
    return await store.publish(session)


async def _take_back(
    session: AsyncSession, change: PastChange, entry: EntryRecord, by: AccountId | None, why: str
) -> None:
    number = EntryId(entry.id)
    match change.kind:
        case "add":
            await store.retire_entry(session, number, by=by, why=why)
        case "retire":
            await store.restore_entry(session, number, by=by, why=why)
        case _ if change.before is not None:
            await store.change_entry(session, number, store.draft_from_json(change.before), by=by, why=why)
        case other:
            raise CannotUndo(problem=f"Không rõ cách hoàn tác “{other}”.")
