"""What editors do with imports, with their rights checked once: an editor acts for the own unit only."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.base.clock import in_vietnam, now
from bot.base.db import Database
from bot.contracts.errors import NotAllowed
from bot.contracts.ids import AccountId, UnitCode
from handoff.account import Account
from handoff.accounts import get_account
from handoff.rights import Action, check_may
from handoff.role import Role
from handoff.units import get_family
from kb_import.annotate import annotated_copy
from kb_import.apply import AppliedImport
from kb_import.columns import Mapping
from kb_import.history import PastImport
from kb_import.isolated import workbook_isolated
from kb_import.plan import ImportPlan
from kb_import.service import ForeignImport, ImportService, Progress
from kb_import.turns import OnWait, Turns

Load = Callable[[], Awaitable[bytes]]
"""How the bytes of a file are fetched from where they lie: not before it is their turn."""
ANY_UNIT = frozenset({Role.ADMIN})
"""Who may act for every unit."""
MAY_IMPORT = frozenset({Role.EDITOR, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class ImportDesk:
    """The import room for people who are logged in."""

    database: Database
    service: ImportService
    turns: Turns = field(default_factory=Turns)

    async def plan_for(
        self,
        by: Account,
        content: bytes | Load,
        name: str,
        *,
        unit: UnitCode,
        bank: str | None = None,
        mapping: Sequence[Mapping] = (),
        progress: Progress | None = None,
    ) -> ImportPlan:
        """What the file would do to that unit's bank, once it is its turn. `progress` is told who comes before, too.

        Raises NotAllowed, ForeignImport, FileRefused, TooManyFiles.
        """
        await self._check(by, unit)
        async with self.turns.take(by.id, _on_wait(progress)):
            return await self.service.plan(
                await _loaded(content), unit=unit, name=name, bank=bank, mapping=mapping, progress=progress
            )

    async def apply_for(
        self, by: Account, plan: ImportPlan, *, retire: bool, progress: Progress | None = None
    ) -> AppliedImport:
        """Carry a plan out. Raises NotAllowed, ForeignImport, NotReady, PlanOutdated."""
        await self._check(by, plan.unit)
        return await self.service.apply(plan, by=by.id, retire=retire, progress=progress)

    async def remember_for(self, by: Account, plan: ImportPlan) -> None:
        """Keep what the person settled about a file that changes nothing. Raises NotAllowed, ForeignImport."""
        await self._check(by, plan.unit)
        await self.service.remember(plan, by=by.id)

    async def undo_for(self, by: Account, past: PastImport) -> int:
        """Take an import back. Raises NotAllowed, ForeignImport, CannotUndo."""
        await self._check(by, past.unit)
        return await self.service.undo(past.id, by=by.id, unit=past.unit)

    async def load_history_for(self, by: Account) -> list[PastImport]:
        """Imports of the person's unit, or of all for who may act for all; newest first."""
        check_may(by, Action.TEACH)
        if by.role in ANY_UNIT:
            return await self.service.history()
        family = await self._family(by)
        return [one for one in await self.service.history() if one.unit in family]

    async def load_names(self, accounts: Collection[AccountId]) -> dict[AccountId, str]:
        """Who these accounts are, for the history."""
        async with self.database.transaction() as session:
            return {one: (await get_account(session, one)).display_name for one in accounts}

    async def annotate_for(
        self, by: Account, content: bytes | Load, plan: ImportPlan, *, progress: Progress | None = None
    ) -> bytes:
        """The person's own file with a "Kết quả" column, as .xlsx. Raises as `plan_for`."""
        await self._check(by, plan.unit)
        async with self.turns.take(by.id, _on_wait(progress)):
            workbook = await workbook_isolated(await _loaded(content))
            return await asyncio.to_thread(annotated_copy, workbook, plan)

    async def _check(self, by: Account, unit: UnitCode) -> None:
        check_may(by, Action.TEACH)
        if by.role not in MAY_IMPORT:
            raise NotAllowed
        if by.role not in ANY_UNIT and unit not in await self._family(by):
            raise ForeignImport

    async def _family(self, by: Account) -> frozenset[UnitCode]:
        async with self.database.transaction() as session:
            return await get_family(session, by.unit, today())


def today() -> date:
    """The day in Thanh Hóa."""
    return in_vietnam(now()).date()


async def _loaded(content: bytes | Load) -> bytes:
    return content if isinstance(content, bytes) else await content()


def _on_wait(progress: Progress | None) -> OnWait | None:
    return (lambda before: progress("wait", 0, before)) if progress else None
