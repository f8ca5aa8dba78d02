"""A plan becomes the live bank, in one transaction; and can be taken back as one step. The caller commits."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now
from bot.contracts.errors import Conflict, Refused
from bot.contracts.ids import AccountId, BankId
from faq import bulk, store
from kb_import.history import (
    PastChange,
    follow_undo,
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

T = TypeVar("T")
_AT_ONCE: Final = 500
"""Entries written in one go: so often the bar moves and other work of this process gets its turn."""
_NAMED: Final = 3
"""Edited entries that a refusal to undo names."""


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

    `progress`: told after each few hundred how many of how many entries are written.
    """
    if plan.status in {Status.REFUSED, Status.NEEDS_MAPPING}:
        raise NotReady(problem="Tệp còn lỗi hoặc chưa xác nhận cột nên chưa áp dụng được.")
    bank = await store.ensure_bank(session, plan.unit, plan.bank)
    await lock_bank(session, bank)
    retired = plan.retirements if retire else ()
    await bulk.lock_entries(session, [*(one.entry.id for one in plan.changes), *(one.id for one in retired)])
    if await store.load_live_versions(session, bank) != dict(plan.live):
        raise PlanOutdated
    why = f"Nạp tệp {plan.source.file_name}"
    changes: list[PastChange] = []
    phrasings = dict(plan.phrasings)
    total = len(plan.adds) + len(plan.changes) + len(retired)

    def count() -> None:
        if progress:
            progress(len(changes), total)

    count()
    for adds in _slices(plan.adds):
        entries = await bulk.add_entries(session, bank, [one.draft for one in adds], by=by, why=why)
        changes += [PastChange(entry, "add", None, 1) for entry in entries]
        told = zip(entries, (one.draft.phrasings for one in adds), strict=True)
        phrasings |= {entry: held for entry, held in told if held}
        count()
    for some in _slices(plan.changes):
        drafts = {one.entry.id: one.draft for one in some}
        versions = await bulk.change_entries(session, drafts, by=by, why=why)
        changes += [
            PastChange(one.entry.id, "change", store.draft_as_json(one.entry.draft), versions[one.entry.id])
            for one in some
        ]
        count()
    for gone in _slices(retired):
        reason = f"{why}: tệp mới không còn câu hỏi này"
        versions = await bulk.retire_entries(session, [one.id for one in gone], by=by, why=reason)
        changes += [PastChange(one.id, "retire", store.draft_as_json(one.draft), versions[one.id]) for one in gone]
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
    versions = await bulk.lock_entries(session, [one.entry for one in changes])
    if edited := [one.entry for one in changes if versions[one.entry] != one.version]:
        shown = await store.load_drafts(session, edited[:_NAMED])
        names = ", ".join(f"“{one.question[:50]}”" for one in shown.values())
        raise CannotUndo(
            problem=f"Có {len(edited)} mục đã được sửa sau lần nạp này ({names}) nên không hoàn tác cả lần được."
        )
    why = f"Hoàn tác lần nạp số {import_id} ({past.file_name})"
    before = {one.entry: store.draft_from_json(one.before) for one in changes if one.kind == "change" and one.before}
    await bulk.retire_entries(session, [one.entry for one in changes if one.kind == "add"], by=by, why=why)
    await bulk.restore_entries(session, [one.entry for one in changes if one.kind == "retire"], by=by, why=why)
    await bulk.change_entries(session, before, by=by, why=why)
    await follow_undo(session, past)
    await mark_undone(session, import_id, by)
    return await store.publish(session)


def _slices(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
