"""Citizens get their names behind the message path: once, politely, and never after an erasure."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from bot.base.clock import now
from bot.contracts.errors import RetryLater
from bot.conversation.erase import erase_citizen
from bot.conversation.tables import ConversationRow
from bot.inbox.names import AT_ONCE, LONGEST_NAME, NameLookup, presentable
from tests.bot.house import PULLED, TESTCHAT, BotHouse, ScriptedConnector


class Telling(ScriptedConnector):
    """Tells names; counts how often it was asked."""

    def __init__(self, **names: str | None) -> None:
        super().__init__()
        self.names, self.asked, self.down = names, list[str](), False

    async def citizen_name(self, citizen_ref: str) -> str | None:
        self.asked.append(citizen_ref)
        if self.down:
            raise RetryLater("no connection")
        return self.names.get(citizen_ref)


def lookup(house: BotHouse, connector: ScriptedConnector) -> NameLookup:
    return NameLookup(house.database, {TESTCHAT: connector}, pause_s=0.0)


async def test_a_name_is_asked_once_and_kept(house: BotHouse) -> None:
    platform = Telling(lan="Nguyễn Thị Lan")
    lan, unknown = await house.conversation("lan"), await house.conversation("x")
    await house.conversation("web", channel=PULLED)
    names = lookup(house, platform)
    assert await names.round() == 1
    assert (await house.row(lan)).citizen_name == "Nguyễn Thị Lan"
    assert (await house.row(unknown)).citizen_name is None
    await house.accept(house.inbound(ref="x"))
    assert await names.round() == await lookup(house, platform).round() == 0  # nor after a restart
    assert sorted(platform.asked) == ["lan", "x"]


async def test_a_name_that_the_person_gave_is_not_replaced(house: BotHouse) -> None:
    platform = Telling(lan="tên trên mạng")
    lan = await house.conversation("lan", citizen_name="Nguyễn Thị Lan")
    assert await lookup(house, platform).round() == 0
    assert (await house.row(lan)).citizen_name == "Nguyễn Thị Lan"
    assert platform.asked == []


async def test_a_platform_that_is_down_is_left_alone_and_asked_later(house: BotHouse) -> None:
    platform = Telling(lan="Lan", an="An")
    platform.down = True
    for ref in ("lan", "an"):
        await house.conversation(ref)
    names = NameLookup(house.database, {TESTCHAT: platform}, pause_s=3600.0)
    for _ in range(3):
        assert await names.round() == 0
    assert len(platform.asked) == 1
    platform.down = False
    assert await lookup(house, platform).round() == 2


async def test_one_round_asks_only_so_many(house: BotHouse) -> None:
    platform = Telling()
    for number in range(AT_ONCE + 3):
        await house.conversation(f"c{number}")
    names = lookup(house, platform)
    await names.round()
    assert len(platform.asked) == AT_ONCE
    await names.round()
    assert len(set(platform.asked)) == len(platform.asked) == AT_ONCE + 3


@pytest.mark.parametrize("before", [True, False])
async def test_an_erased_citizen_is_not_named_again(house: BotHouse, before: bool) -> None:
    platform = Telling(lan="Lan")
    lan = await house.conversation("lan")
    if before:
        assert await lookup(house, platform).round() == 1
    async with house.database.transaction() as session:
        assert await erase_citizen(session, TESTCHAT, "lan", now())
    assert await lookup(house, platform).round() == 0
    assert (await house.row(lan)).citizen_name is None


async def test_an_erasure_while_the_platform_is_being_asked_wins(house: BotHouse) -> None:
    class Slow(Telling):
        async def citizen_name(self, citizen_ref: str) -> str | None:
            async with house.database.transaction() as session:
                await erase_citizen(session, TESTCHAT, citizen_ref, now())
            return "Lan"

    lan = await house.conversation("lan")
    assert await lookup(house, Slow()).round() == 0
    assert (await house.row(lan)).citizen_name is None


async def test_who_wrote_long_ago_is_not_asked_about(house: BotHouse) -> None:
    platform = Telling(lan="Lan")
    lan = await house.conversation("lan")
    async with house.database.transaction() as session:
        old = now() - timedelta(days=2)
        await session.execute(update(ConversationRow).where(ConversationRow.id == lan).values(last_inbound_at=old))
    assert await lookup(house, platform).round() == 0
    assert platform.asked == []


@given(st.text(max_size=300))
def test_a_presentable_name_is_one_short_line(name: str) -> None:
    shown = presentable(name)
    assert len(shown) <= LONGEST_NAME
    assert shown == presentable(shown)
    assert not any(ord(one) < 32 or one in "\u202e\u200b\u2028" for one in shown)
