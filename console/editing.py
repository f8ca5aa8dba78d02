"""What editors do with question banks: one transaction, published in it, and answered from at once.

Who may edit what is decided here and nowhere else: administrators and supervisors everything, an editor the banks of
the own unit and of those it succeeded.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import in_vietnam, now
from bot.base.db import Database
from bot.contracts.errors import NotAllowed, NotFound, Refused
from bot.contracts.ids import BankId, EntryId, TicketId, UnitCode
from faq.abbreviations import add_short_form, remove_short_form
from faq.decide import Decision
from faq.engine import FaqEngine
from faq.entry import EntryDraft
from faq.store import (
    Bank,
    add_entry,
    add_phrasing,
    change_entry,
    get_entry,
    list_banks,
    publish,
    restore_entry,
    retire_entry,
)
from faq.tuning import set_target
from handoff.account import Account
from handoff.desk import mark_taught
from handoff.journal import audit
from handoff.rights import Action, check_may
from handoff.role import Role
from handoff.units import get_family


class NotYourBank(NotAllowed):
    """An editor of another unit."""

    code, vi = "editing.not_your_bank", "Bộ câu hỏi này thuộc đơn vị khác. Bạn chỉ sửa được bộ câu hỏi của đơn vị mình."


@dataclass(frozen=True, slots=True)
class Editing:
    """Changes to question banks, each live when it returns."""

    database: Database
    engine: FaqEngine

    async def load_banks_for(self, by: Account) -> list[Bank]:
        """The banks that `by` may edit. Raises NotAllowed."""
        check_may(by, Action.TEACH)
        async with self.database.transaction() as session:
            family = await _family(session, by)
            return [one for one in await list_banks(session) if may_edit(by, one.unit, family)]

    async def may_edit_entry(self, by: Account, entry: EntryId) -> bool:
        """May `by` change this entry? Raises NotFound."""
        async with self.database.transaction() as session:
            return may_edit(by, (await get_entry(session, entry)).unit, await _family(session, by))

    async def teach_phrasing(self, by: Account, ticket: TicketId, entry: EntryId, text: str) -> None:
        """The citizen's words become one more way to ask for `entry`. Raises NotYourBank, NotFound, Refused."""
        async with self._published() as session:
            await _check_entry(session, by, entry)
            await add_phrasing(session, entry, text, by=by.id, why="Người dân hỏi, chưa trả lời được")
            await mark_taught(session, ticket, entry, by, now=now())

    async def teach_entry(self, by: Account, ticket: TicketId, bank: BankId, draft: EntryDraft, asked: str) -> EntryId:
        """A new entry because of a question; the citizen's own words (`asked`) are one of its phrasings."""
        phrasings = draft.phrasings if asked == draft.question else (*draft.phrasings, asked)
        full = replace(draft, phrasings=phrasings)
        async with self._published() as session:
            entry = await _add(session, by, bank, full)
            await mark_taught(session, ticket, entry, by, now=now())
        return entry

    async def add(self, by: Account, bank: BankId, draft: EntryDraft) -> EntryId:
        """A new entry. Raises NotYourBank, NotFound, Refused."""
        async with self._published() as session:
            return await _add(session, by, bank, draft)

    async def change(self, by: Account, entry: EntryId, draft: EntryDraft, why: str) -> None:
        """A new version of an entry; the old one is kept. Raises NotYourBank, NotFound, Refused."""
        async with self._published() as session:
            await _check_entry(session, by, entry)
            await change_entry(session, entry, _complete(draft), by=by.id, why=why.strip() or "Sửa trong bảng làm việc")

    async def retire(self, by: Account, entry: EntryId, why: str) -> None:
        """Out of use; never sent again. Raises NotYourBank, NotFound."""
        async with self._published() as session:
            await _check_entry(session, by, entry)
            await retire_entry(session, entry, by=by.id, why=why.strip() or "Thu hồi trong bảng làm việc")

    async def restore(self, by: Account, entry: EntryId) -> None:
        """Into use again. Raises NotYourBank, NotFound."""
        async with self._published() as session:
            await _check_entry(session, by, entry)
            await restore_entry(session, entry, by=by.id, why="Dùng lại")

    async def set_target(self, by: Account, target: float) -> None:
        """How many of the automatic answers must be right, 0..1, from now on. Raises NotAllowed, Refused."""
        check_may(by, Action.TUNE)
        async with self.database.transaction() as session:
            before = self.engine.thresholds.target
            await set_target(session, target)
            await audit(session, "target_set", by, now(), target=target, before=before)
        await self.engine.refresh()

    async def add_short_form(self, by: Account, short: str, meaning: str) -> None:
        """`short` may stand for `meaning`, in every question from now on. Raises NotAllowed, Refused."""
        check_may(by, Action.TEACH)
        async with self.database.transaction() as session:
            await add_short_form(session, self.engine.file_abbreviations, short, meaning, by=by.id)
            await audit(session, "short_form_added", by, now())
        await self.engine.refresh()

    async def remove_short_form(self, by: Account, short: str, meaning: str, why: str) -> None:
        """`short` no longer stands for `meaning`. Raises NotAllowed, NotFound, Refused."""
        check_may(by, Action.TEACH)
        async with self.database.transaction() as session:
            await remove_short_form(session, self.engine.file_abbreviations, short, meaning, by=by.id, why=why)
            await audit(session, "short_form_removed", by, now())
        await self.engine.refresh()

    async def ask(self, text: str) -> Decision:
        """What a citizen would get for this question now."""
        return await self.engine.ask(text, today=in_vietnam(now()).date())

    @asynccontextmanager
    async def _published(self) -> AsyncIterator[AsyncSession]:
        """A transaction that ends in a new generation; this process answers from it when the block is left.

        Other processes hear of it by notification, and embed the few new texts themselves or find them stored.
        """
        async with self.database.transaction() as session:
            yield session
            await publish(session)
        await self.engine.refresh()


def may_edit(by: Account, unit: UnitCode, family: Collection[UnitCode]) -> bool:
    """May `by` edit the banks of `unit`? `family`: what the own unit answers for today. Pure."""
    return by.role in {Role.ADMIN, Role.SUPERVISOR} or (by.role is Role.EDITOR and unit in family)


async def _family(session: AsyncSession, by: Account) -> frozenset[UnitCode]:
    return await get_family(session, by.unit, in_vietnam(now()).date())


async def _check_entry(session: AsyncSession, by: Account, entry: EntryId) -> None:
    check_may(by, Action.TEACH)
    if not may_edit(by, (await get_entry(session, entry)).unit, await _family(session, by)):
        raise NotYourBank


async def _add(session: AsyncSession, by: Account, bank: BankId, draft: EntryDraft) -> EntryId:
    check_may(by, Action.TEACH)
    known = {one.id: one for one in await list_banks(session)}
    if bank not in known:
        raise NotFound(what="bộ câu hỏi")
    if not may_edit(by, known[bank].unit, await _family(session, by)):
        raise NotYourBank
    return await add_entry(session, bank, _complete(draft), by=by.id, why="Viết trong bảng làm việc")


def _complete(draft: EntryDraft) -> EntryDraft:
    if not draft.answer.strip():
        raise Refused(problem="Câu trả lời không được để trống.")
    return draft
