"""Who may import for whom."""

import pytest

from bot.base.db import Database
from bot.contracts.errors import NotAllowed
from bot.contracts.ids import AccountId, UnitCode
from handoff.account import Account
from handoff.role import Role
from handoff.seed import seed
from kb_import.desk import ImportDesk
from kb_import.service import ForeignImport, ImportService
from tests.kb_import.conftest import BANK, xls


def account(role: Role, unit: str | None, number: int = 1) -> Account:
    return Account(AccountId(number), "a", "A", role, UnitCode(unit) if unit else None, False)


async def test_editors_act_for_their_own_unit_only(database: Database, service: ImportService) -> None:
    async with database.transaction() as session:
        await seed(session)
    desk = ImportDesk(database, service)
    editor, other, admin = account(Role.EDITOR, "SYT"), account(Role.EDITOR, "CDC", 2), account(Role.ADMIN, None, 3)
    with pytest.raises(ForeignImport):
        await desk.plan_for(editor, xls(BANK), "a.xls", unit=UnitCode("CDC"))
    plan = await desk.plan_for(editor, xls(BANK), "a.xls", unit=UnitCode("SYT"))
    with pytest.raises(ForeignImport):
        await desk.apply_for(other, plan, retire=False)
    await desk.apply_for(editor, plan, retire=False)
    (past,) = await desk.load_history_for(editor)
    assert past.by == editor.id
    assert await desk.load_history_for(other) == []
    assert len(await desk.load_history_for(admin)) == 1
    with pytest.raises(ForeignImport):
        await desk.undo_for(other, past)
    await desk.undo_for(admin, past)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.UNIT_OFFICER, Role.SUPERVISOR])
async def test_other_roles_do_not_import(database: Database, service: ImportService, role: Role) -> None:
    desk = ImportDesk(database, service)
    with pytest.raises(NotAllowed):
        await desk.plan_for(account(role, "SYT"), xls(BANK), "a.xls", unit=UnitCode("SYT"))
