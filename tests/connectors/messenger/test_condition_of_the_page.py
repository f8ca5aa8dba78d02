"""What the page's connector notices: a token near its end or refused, limits nearly reached, trouble that is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bot.base.clock import now, say_moment
from bot.base.db import Database
from bot.contracts.errors import GiveUp, NotYet, RetryLater
from connectors.messenger.connector import MessengerConnector
from connectors.messenger.token import CHECKED_EVERY, warnings_for
from tests.connectors.messenger.conftest import CITIZEN, outbound, settings_for
from tests.simulators.messenger import MessengerSimulator

IN_10_DAYS = int((now() + timedelta(days=10)).timestamp())


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, ()),
        ({"expires_at": int((now() + timedelta(days=40)).timestamp())}, ()),
        ({"expires_at": IN_10_DAYS}, (f"hết hạn lúc {say_moment(datetime.fromtimestamp(IN_10_DAYS, UTC))}",)),
        ({"scopes": ["pages_show_list"]}, ("thiếu quyền trên trang Facebook",)),
        ({"is_valid": False}, ("Mã truy cập trang Facebook không hợp lệ",)),
        ({"is_valid": False, "error": {"code": 190, "subcode": 460}}, ("Mật khẩu tài khoản quản trị đã đổi",)),
        ({"expires_at": "soon", "scopes": "all"}, ()),
    ],
)
async def test_the_token_is_looked_at_once_a_day(
    facts: dict[str, Any], said: tuple[str, ...], meta: MessengerSimulator, connector: MessengerConnector
) -> None:
    meta.token_facts |= facts
    await connector.keep_fresh()
    warnings = await connector.warnings()
    assert len(warnings) == len(said)
    assert all(part in warning for part, warning in zip(said, warnings, strict=True))
    meta.token_facts = {"expires_at": 0, "scopes": ["pages_messaging"]}
    await connector.keep_fresh()  # not asked again today, nor after a restart
    assert await connector.warnings() == warnings


async def test_a_day_later_it_is_asked_again(meta: MessengerSimulator, connector: MessengerConnector) -> None:
    meta.token_facts["expires_at"] = IN_10_DAYS
    await connector.keep_fresh()
    assert await connector.warnings()
    meta.token_facts["expires_at"] = 0
    await connector.condition.change(token_checked_at=now() - CHECKED_EVERY)
    await connector.keep_fresh()
    assert await connector.warnings() == ()


async def test_a_token_that_meta_refuses_is_told(meta: MessengerSimulator, connector: MessengerConnector) -> None:
    meta.expire_tokens()
    await connector.keep_fresh()
    (warning,) = await connector.warnings()
    assert "cần kết nối lại trang" in warning


def test_the_end_is_told_two_weeks_ahead_and_afterwards() -> None:
    at = now()
    assert warnings_for(at + timedelta(days=14, seconds=1), at) == ()
    assert "hết hạn lúc" in warnings_for(at + timedelta(days=14), at)[0]
    assert "đã hết hạn lúc" in warnings_for(at - timedelta(seconds=1), at)[0]
    assert warnings_for(None, at) == ()


@pytest.mark.parametrize(
    ("headers", "percent"),
    [
        ({"x-app-usage": '{"call_count": 91, "total_time": 20, "total_cputime": 4}'}, 91),
        ({"x-business-use-case-usage": '{"1022": [{"type": "messenger", "call_count": 3, "total_time": 85}]}'}, 85),
        ({"x-app-usage": '{"call_count": 79}'}, None),
        ({"x-app-usage": "[broken"}, None),
        ({"x-app-usage": '{"call_count": "much"}', "x-business-use-case-usage": '{"a": 7, "b": [null, 3]}'}, None),
        ({}, None),
    ],
)
async def test_limits_that_are_nearly_reached(
    headers: dict[str, str], percent: int | None, meta: MessengerSimulator, database: Database
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"message_id": "m_1"}, headers=headers))
    connector = MessengerConnector(settings_for(meta), database, transport=transport)
    await connector.send(outbound())
    said = (f"Facebook: đã dùng {percent}% hạn mức lời gọi, tin có thể đi chậm.",) if percent else ()
    assert await connector.warnings() == said
    await connector.close()


async def test_what_meta_says_of_the_time_is_waited_for(meta: MessengerSimulator, database: Database) -> None:
    usage = '{"1022": [{"type": "messenger", "estimated_time_to_regain_access": 240}]}'
    answer = httpx.Response(400, json={"error": {"code": 80006}}, headers={"x-business-use-case-usage": usage})
    connector = MessengerConnector(settings_for(meta), database, transport=httpx.MockTransport(lambda _: answer))
    with pytest.raises(NotYet) as failed:
        await connector.send(outbound())
    assert timedelta(hours=3, minutes=58) < failed.value.at - now() <= timedelta(hours=4)
    await connector.close()


async def test_trouble_is_over_with_the_next_message_that_goes_out(
    meta: MessengerSimulator, connector: MessengerConnector
) -> None:
    meta.faults.next_codes = [368]
    with pytest.raises(GiveUp):
        await connector.send(outbound())
    assert "Facebook chặn trang vì vi phạm chính sách" in (await connector.warnings())[0]
    await connector.send(outbound())
    assert await connector.warnings() == ()


async def test_a_name_is_none_or_later_but_never_an_error(
    meta: MessengerSimulator, connector: MessengerConnector, database: Database
) -> None:
    assert await connector.citizen_name(CITIZEN) == "Người Dân 0001"
    assert await connector.citizen_name("404") is None  # 100/33
    for status, body in ((500, {}), (400, {"error": {"code": 4}})):
        transport = httpx.MockTransport(lambda _, status=status, body=body: httpx.Response(status, json=body))
        away = MessengerConnector(settings_for(meta), database, transport=transport)
        with pytest.raises(RetryLater):
            await away.citizen_name(CITIZEN)
        await away.close()
