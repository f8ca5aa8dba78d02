"""Messages told by phone, logins that end singly, on the real PostgreSQL."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.contracts.errors import NotAllowed, NotFound
from bot.contracts.ids import ConversationId, MessageId, UnitCode
from handoff.account import Account
from handoff.accounts import reset_password, set_active
from handoff.call import CallOutcome
from handoff.calls import AlreadyTold, ask_for_call, check_not_told, load_calls, record_call
from handoff.logins import LASTS, LoginId, begin_login, end_login, is_logged_in, load_logins_for
from handoff.role import Role
from handoff.tables import AuditRow
from tests.handoff.house import NOON, House

ONE, MESSAGE = ConversationId(1), MessageId(7)


async def test_a_call_is_asked_for_once_tried_and_told(house: House) -> None:
    lan, minh = await house.staff("Lan"), await house.staff("Minh")
    await house.do(ask_for_call, MESSAGE, ONE, lan)
    await house.do(ask_for_call, MESSAGE, ONE, minh)  # changes nothing
    for _ in range(2):
        await house.do(record_call, MESSAGE, minh, CallOutcome.UNREACHED)
    async with house.database.transaction() as session:
        await check_not_told(session, MESSAGE)
        call = (await load_calls(session, [MESSAGE]))[MESSAGE]
    assert (call.asked_by, call.by, call.outcome, call.tries) == ("Lan", "Minh", CallOutcome.UNREACHED, 2)
    await house.do(record_call, MESSAGE, lan, CallOutcome.TOLD, now=NOON + timedelta(minutes=5))
    with pytest.raises(AlreadyTold):
        await house.do(record_call, MESSAGE, minh, CallOutcome.UNREACHED)
    async with house.database.transaction() as session:
        with pytest.raises(AlreadyTold):
            await check_not_told(session, MESSAGE)
        lines = (await session.execute(select(AuditRow.what, AuditRow.account_id).order_by(AuditRow.id))).all()
    assert [tuple(one) for one in lines] == [
        ("call_asked", lan.id),
        ("called", minh.id),
        ("called", minh.id),
        ("called", lan.id),
    ]


async def test_a_call_nobody_asked_for_and_a_caller_who_may_not(house: House) -> None:
    with pytest.raises(NotFound):
        await house.do(record_call, MESSAGE, await house.staff(), CallOutcome.TOLD)
    for by in (await house.staff("Hoa", Role.UNIT_OFFICER, UnitCode("SYT")), await house.staff("Mai", Role.EDITOR)):
        with pytest.raises(NotAllowed):
            await house.do(ask_for_call, MESSAGE, ONE, by)


async def begin(house: House, who: Account) -> LoginId:
    async with house.database.transaction() as session:
        return await begin_login(session, who.id, device="Chrome trên Windows", address="192.0.2.1", now=NOON)


async def holds(house: House, login: LoginId, who: Account, after: timedelta = timedelta(0)) -> bool:
    async with house.database.transaction() as session:
        return await is_logged_in(session, login, who.id, now=NOON + after)


async def test_one_login_ends_and_the_others_go_on(house: House) -> None:
    lan, minh = await house.staff("Lan"), await house.staff("Minh")
    desk, phone = await begin(house, lan), await begin(house, lan)
    with pytest.raises(NotAllowed):
        await house.do(end_login, desk, minh)
    await house.do(end_login, desk, lan)
    assert [await holds(house, one, lan) for one in (desk, phone)] == [False, True]
    assert not await holds(house, phone, minh)  # a login is one person's
    found = await house.do(load_logins_for, lan, lan.id)
    assert [one.id for one in found] == [phone]
    with pytest.raises(NotAllowed):
        await house.do(load_logins_for, minh, lan.id)


async def test_a_login_lasts_one_shift_and_is_seen_every_few_minutes(house: House) -> None:
    lan = await house.staff("Lan")
    login = await begin(house, lan)
    assert await holds(house, login, lan, timedelta(hours=3))
    (seen,) = await house.do(load_logins_for, lan, lan.id)
    assert seen.seen_at == NOON + timedelta(hours=3)
    assert not await holds(house, login, lan, LASTS)


async def test_who_is_closed_or_gets_a_new_password_is_out_everywhere(house: House) -> None:
    admin, lan, minh = await house.staff("QT", Role.ADMIN), await house.staff("Lan"), await house.staff("Minh")
    logins = {one.id: [await begin(house, one), await begin(house, one)] for one in (lan, minh)}
    await house.do(set_active, lan.id, False, admin)
    await house.do(reset_password, minh.id, admin)
    for one in (lan, minh):
        assert not any([await holds(house, each, one) for each in logins[one.id]])
    still = await begin(house, admin)
    assert await holds(house, still, admin)
