"""Accounts: the first login, passwords, the lock. Real argon2 on the real PostgreSQL."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from bot.contracts.errors import NotAllowed, NotFound, Refused
from bot.contracts.ids import UnitCode
from handoff import accounts
from handoff.accounts import LOCKED_FOR, MAX_FAILURES, LoginRefused, NameTaken, add_account, authenticate
from handoff.role import Role
from handoff.seed import seed
from handoff.shift import add_shift_note, load_canned_replies, load_shift_notes_for
from handoff.tables import AccountRow, AuditRow, UnitRow
from handoff.units import find_unit_by_text, get_hotline, resolve_unit
from tests.handoff.house import NOON, House

GOOD = "một câu dài dễ nhớ"


async def add(house: House, name: str = "lan", role: Role = Role.OPERATOR, **fields: object) -> str:
    async with house.database.transaction() as session:
        return await add_account(session, name, role, **fields)  # type: ignore[arg-type]


async def test_first_login_with_the_one_time_password_then_an_own_one(house: House) -> None:
    once = await add(house, "Lan", display_name="Lê Thị Lan")
    lan = await authenticate(house.database, " LAN ", once, NOON)
    assert (lan.name, lan.display_name, lan.must_change_password) == ("lan", "Lê Thị Lan", True)
    changed = await house.do(accounts.change_password, lan.id, once, GOOD)
    assert not changed.must_change_password
    assert (await authenticate(house.database, "lan", GOOD, NOON)).id == lan.id
    with pytest.raises(LoginRefused):
        await authenticate(house.database, "lan", once, NOON)
    async with house.database.transaction() as session:
        stored = await session.scalar(select(AccountRow.password_hash))
    assert stored is not None
    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize("weak", ["ngan", "lan-lan-lan-2026", "aaaaaaaaaaaaaa", "x" * 201])
async def test_weak_passwords_are_refused(house: House, weak: str) -> None:
    once = await add(house)
    lan = await authenticate(house.database, "lan", once, NOON)
    with pytest.raises(Refused):
        await house.do(accounts.change_password, lan.id, once, weak)
    with pytest.raises(LoginRefused):
        await house.do(accounts.change_password, lan.id, "không phải", GOOD)


async def test_wrong_passwords_lock_the_account_for_a_while_even_for_the_right_one(house: House) -> None:
    once = await add(house)
    for _ in range(MAX_FAILURES - 1):
        with pytest.raises(LoginRefused):
            await authenticate(house.database, "lan", "sai", NOON)
    assert await authenticate(house.database, "lan", once, NOON)  # a success starts the count again
    for _ in range(MAX_FAILURES):
        with pytest.raises(LoginRefused):
            await authenticate(house.database, "lan", "sai", NOON)
    with pytest.raises(LoginRefused):
        await authenticate(house.database, "lan", once, NOON)
    with pytest.raises(LoginRefused):
        await authenticate(house.database, "lan", once, NOON + LOCKED_FOR - timedelta(seconds=1))
    assert await authenticate(house.database, "lan", once, NOON + LOCKED_FOR)


async def test_failures_at_the_same_time_are_all_counted(house: House) -> None:
    once = await add(house)
    tries = await asyncio.gather(
        *(authenticate(house.database, "lan", "sai", NOON) for _ in range(MAX_FAILURES)), return_exceptions=True
    )
    assert all(isinstance(one, LoginRefused) for one in tries)
    with pytest.raises(LoginRefused):
        await authenticate(house.database, "lan", once, NOON)


async def test_an_unknown_name_costs_a_hash_and_is_refused_in_the_same_words(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(house)
    verified: list[str] = []
    verify = accounts._HASHES.verify_and_update

    def count(password: str, stored: str) -> tuple[bool, str | None]:
        verified.append(stored)
        return verify(password, stored)

    monkeypatch.setattr(accounts._HASHES, "verify_and_update", count)
    said = []
    for name in ("lan", "khong-co"):
        with pytest.raises(LoginRefused) as refused:
            await authenticate(house.database, name, "sai", NOON)
        said.append(refused.value.message_vi)
    assert said[0] == said[1]
    costs = [one.split("$")[:4] for one in verified]  # the algorithm and its cost
    assert len(costs) == 2
    assert costs[0] == costs[1]


async def test_accounts_that_make_no_sense_are_refused(house: House) -> None:
    await add(house)
    with pytest.raises(NameTaken):
        await add(house, "LAN")
    with pytest.raises(Refused):
        await add(house, "hai chữ")
    with pytest.raises(Refused):
        await add(house, "hoa", Role.UNIT_OFFICER)
    with pytest.raises(NotFound):
        await add(house, "hoa", Role.UNIT_OFFICER, unit=UnitCode("XX"))
    with pytest.raises(NotAllowed):
        await add(house, "hoa", by=await house.staff())


async def test_a_closed_account_is_out_and_a_reset_unlocks(house: House) -> None:
    admin = await house.staff("Quản", Role.ADMIN)
    once = await add(house)
    lan = await authenticate(house.database, "lan", once, NOON)
    await house.do(accounts.set_active, lan.id, False, admin)
    with pytest.raises(LoginRefused):
        await authenticate(house.database, "lan", once, NOON)
    await house.do(accounts.set_active, lan.id, True, admin)
    for _ in range(MAX_FAILURES):
        with pytest.raises(LoginRefused):
            await authenticate(house.database, "lan", "sai", NOON)
    fresh = await house.do(accounts.reset_password, lan.id, admin)
    assert (await authenticate(house.database, "lan", fresh, NOON)).must_change_password
    with pytest.raises(NotAllowed):
        await house.do(accounts.reset_password, admin.id, lan)


async def test_nobody_changes_the_audit_log(house: House) -> None:
    await add(house)
    for statement in ("update audit_log set what = 'x'", "delete from audit_log", "truncate audit_log"):
        with pytest.raises(ProgrammingError, match="append-only"):
            async with house.database.transaction() as session:
                await session.execute(text(statement))
    async with house.database.transaction() as session:
        assert list(await session.scalars(select(AuditRow.what))) == ["account_added"]


async def test_seeding_again_keeps_what_people_changed(house: House) -> None:
    async with house.database.transaction() as session:
        (await session.get_one(UnitRow, UnitCode("SYT"))).hotline = "0237 000 000"
    async with house.database.transaction() as session:
        await seed(session)
        today = NOON.date()
        unit = await find_unit_by_text(session, "sdt so y te", today)
        assert unit is not None
        assert await get_hotline(session, unit, today) == ("0237 000 000", True)
        other = await resolve_unit(session, UnitCode("SLDTBXH"), today)
        number, own = await get_hotline(session, other, today)
        assert (number or "").startswith("1022")
        assert not own
        assert "Cấp cứu" in [one.title for one in await load_canned_replies(session)]


async def test_one_shift_tells_the_next(house: House) -> None:
    lan, minh = await house.staff("Lan"), await house.staff("Minh")
    await house.do(add_shift_note, lan, text=" Phiếu 12 chờ Sở Y tế gọi lại ")
    await house.do(add_shift_note, minh, text="Đã xong")
    with pytest.raises(Refused):
        await house.do(add_shift_note, lan, text=" ")
    officer = await house.staff("Hoa", Role.UNIT_OFFICER, UnitCode("SYT"))
    async with house.database.transaction() as session:
        notes = await load_shift_notes_for(session, lan)
        assert [(one.by, one.text) for one in notes] == [("Minh", "Đã xong"), ("Lan", "Phiếu 12 chờ Sở Y tế gọi lại")]
        with pytest.raises(NotAllowed):
            await load_shift_notes_for(session, officer)
