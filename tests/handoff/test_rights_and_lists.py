"""What may be done while somebody else is at work, and in which order tickets are listed."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts.errors import NotAllowed, Refused
from bot.contracts.ids import AccountId, UnitCode
from handoff import desk
from handoff.account import Account
from handoff.accounts import add_account
from handoff.hold import AlreadyTaken
from handoff.rights import HOLDERS_ONLY, OVERSEERS, RIGHTS, Action, plan_actions
from handoff.role import Role
from handoff.ticket import Outcome, Priority, State
from handoff.unit import UnitNotFound
from handoff.units import describe_unit, get_contacts, load_units, remove_contact, save_contact, set_heir
from tests.handoff.house import NOON, House

SYT = UnitCode("SYT")
DONE = frozenset({State.ANSWERED, State.CLOSED})


@given(role=st.sampled_from(Role), state=st.sampled_from(State), holds=st.booleans(), is_held=st.booleans())
def test_nothing_is_offered_that_the_role_lacks_or_another_holds(
    role: Role, state: State, holds: bool, is_held: bool
) -> None:
    by = Account(AccountId(1), "lan", "Lan", role, SYT, must_change_password=False)
    may = plan_actions(by, state, holds=holds, is_held=is_held or holds)
    assert may <= RIGHTS[role]
    if state is State.IN_PROGRESS and not holds and role not in OVERSEERS:
        assert not may & HOLDERS_ONLY
    if not holds:
        assert Action.REPLY not in may


async def test_what_is_offered_to_others_is_what_the_desk_lets_them_do(house: House) -> None:
    lan, minh, chief = await house.staff("Lan"), await house.staff("Minh"), await house.staff("GS", Role.SUPERVISOR)
    ticket = await house.ticket()
    await house.do(desk.take_over, ticket.conversation, lan)
    seen = {one.id: (await house.do(desk.load_ticket_for, ticket.code, one)).may for one in (lan, minh, chief)}
    assert seen[lan.id] >= HOLDERS_ONLY - {Action.SEND_BACK}
    assert not seen[minh.id] & HOLDERS_ONLY
    assert {Action.READ, Action.NOTE} <= seen[minh.id]
    assert seen[chief.id] >= {Action.CLOSE, Action.FORWARD, Action.REASSIGN}
    with pytest.raises(AlreadyTaken):
        await house.do(desk.close, ticket.id, minh, outcome=Outcome.ANSWERED)
    await house.do(desk.close, ticket.id, chief, outcome=Outcome.ANSWERED)


async def test_open_tickets_come_by_urgency_and_finished_ones_newest_first(house: House) -> None:
    lan = await house.staff()
    codes = []
    for number, priority in enumerate((Priority.NORMAL, Priority.EMERGENCY, Priority.HIGH)):
        opened = NOON + timedelta(minutes=number)
        codes.append(await house.ticket(conversation=number + 1, priority=priority, now=opened))
    waiting = await house.do(desk.load_waiting_for, lan)
    assert [one.priority for one in waiting] == [Priority.EMERGENCY, Priority.HIGH, Priority.NORMAL]
    for one in codes:
        await house.do(desk.close, one.id, lan, outcome=Outcome.ANSWERED)
    done = await house.do(desk.load_waiting_for, lan, states=DONE)
    assert [one.code for one in done] == [one.code for one in reversed(codes)]
    assert [one.code for one in await house.do(desk.load_waiting_for, lan, states=DONE, limit=1)] == [codes[-1].code]


@pytest.mark.parametrize("role", [Role.EDITOR, Role.UNIT_OFFICER])
async def test_who_works_for_a_unit_must_have_one(house: House, role: Role) -> None:
    async with house.database.transaction() as session:
        with pytest.raises(Refused) as refused:
            await add_account(session, "mai", role)
    assert "phải thuộc một đơn vị" in refused.value.message_vi


async def test_a_unit_is_described_by_administrators_only(house: House) -> None:
    admin, lan = await house.staff("QT", Role.ADMIN), await house.staff("Lan")
    said: dict[str, Any] = {
        "hotline": " 0237  385 2264 ",
        "email": "syt@thanhhoa.gov.vn",
        "hours": "7:30–17:00",
        "aliases": ["Y tế", ""],
    }
    with pytest.raises(NotAllowed):
        await house.do(describe_unit, SYT, lan, **said)
    await house.do(describe_unit, SYT, admin, **said)
    async with house.database.transaction() as session:
        unit = (await load_units(session))[SYT]
    assert (unit.hotline, unit.hours, unit.aliases) == ("0237 385 2264", "7:30–17:00", ("y tế",))
    with pytest.raises(Refused):
        await house.do(describe_unit, SYT, admin, **said | {"email": "không có"})
    with pytest.raises(UnitNotFound):
        await house.do(describe_unit, UnitCode("XXX"), admin, **said)


async def test_contacts_are_saved_changed_and_removed(house: House) -> None:
    admin = await house.staff("QT", Role.ADMIN)
    for phone in ("0912000001", "0912000002"):
        await house.do(save_contact, SYT, admin, full_name="Bs. Hà", hotline=phone, email="")
    with pytest.raises(Refused):
        await house.do(save_contact, SYT, admin, full_name=" ", hotline="", email="")
    async with house.database.transaction() as session:
        assert [one.hotline for one in await get_contacts(session, SYT)] == ["0912000002"]
    await house.do(remove_contact, SYT, "Bs. Hà", admin)
    async with house.database.transaction() as session:
        assert await get_contacts(session, SYT) == ()


async def test_an_ended_units_heir_can_be_chosen_but_no_ring(house: House) -> None:
    admin = await house.staff("QT", Role.ADMIN)
    bim_son, ward = UnitCode("381"), None
    async with house.database.transaction() as session:
        ward = next(one.code for one in (await load_units(session)).values() if one.short_name == "UBND phường Bỉm Sơn")
    assert (await house.do(set_heir, bim_son, ward, admin)).successor == ward
    for code, heir in ((SYT, ward), (bim_son, bim_son)):
        with pytest.raises(Refused):
            await house.do(set_heir, code, heir, admin)
    await house.do(set_heir, UnitCode("380"), bim_son, admin)
    with pytest.raises(Refused):
        await house.do(set_heir, bim_son, UnitCode("380"), admin)
    with pytest.raises(UnitNotFound):
        await house.do(set_heir, bim_son, UnitCode("XXX"), admin)
