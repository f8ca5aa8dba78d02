"""One person, several conversations, over the real PostgreSQL; and how numbers are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.db import Database
from bot.contracts.ids import Channel
from bot.conversation import people
from bot.conversation.tables import ConversationRow
from console.parts.alarms import lines_for
from handoff.role import Role
from tests.console.house import House


@given(st.integers(10**8, 10**9 - 1))
def test_one_number_has_one_set_of_spellings(body: int) -> None:
    assert people.spellings(f"0{body}") == people.spellings(f"84{body}") == people.spellings(f"+84 {body}")


@pytest.mark.parametrize("words", [None, "", "1022", "không có", "12-34"])
def test_what_is_no_persons_number_is_compared_with_nothing(words: str | None) -> None:
    assert people.spellings(words) == frozenset()


async def test_whoever_leaves_may_begin_another_person(house: House, database: Database) -> None:
    a, b, c, d = [await house.citizen(f"Người {one}") for one in "abcd"]
    async with database.transaction() as session:
        await people.link(session, a, b)
        await people.link(session, a, c)
    async with database.transaction() as session:
        assert await people.unlink(session, a)
        assert not await people.unlink(session, a)
    async with database.transaction() as session:
        await people.link(session, a, d)  # a's own id was the old number
    async with database.transaction() as session:
        assert await people.same_person(session, a) == (d,)
        assert await people.same_person(session, b) == (c,)
        assert await people.unlink(session, b)
        rows = [await session.get_one(ConversationRow, one, populate_existing=True) for one in (b, c)]
        assert [one.person for one in rows] == [None, None]  # one conversation is no group


async def test_the_same_number_is_proposed_and_words_find_by_name_number_and_code(
    house: House, database: Database
) -> None:
    here, there = await house.citizen("Hoa"), await house.citizen("Lê 100% Hoa", channel="zalo")
    await house.ticket(here, phone="0912345678")
    other = await house.ticket(there, phone="84912345678")
    async with database.transaction() as session:
        assert [one.id for one in await people.suggest(session, here)] == [there]
        for words in ("100%", "lê 100", "0912345", "+84 912 345", other.code.lower(), f"mã {other.code}"):
            assert [one.id for one in await people.search(session, here, words)] == [there], words
        for words in ("", "x", "09", "10_%", "TH-22222", "0999"):
            assert await people.search(session, here, words) == [], words
        await people.link(session, here, there)
        assert await people.suggest(session, here) == []
        assert [one.tickets for one in await people.load_conversations(session, [there])] == [(other.code,)]


def test_alarms_are_one_calm_line_for_those_who_cannot_act() -> None:
    found = {Channel("zalo"): ("Mã truy cập sắp hết hạn.", "Gói tin sắp hết."), Channel("messenger"): ()}
    assert lines_for(Role.ADMIN, found) == ["Mã truy cập sắp hết hạn.", "Gói tin sắp hết."]
    (line,) = lines_for(Role.OPERATOR, found)
    assert "Zalo" in line
    assert "Messenger" not in line
    assert "Mã truy cập" not in line
    assert lines_for(Role.OPERATOR, {}) == []
