"""What is no genuine webhook: the right status, nothing stored, nothing crashed, and nobody's words in the log."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.messages import Kind
from connectors.messenger.connector import MessengerConnector
from connectors.messenger.verify import MAX_BYTES
from connectors.zalo.connector import ZaloConnector
from tests.connectors.door import Door, open_door, signed

CITIZEN = "1000000000000000001"
PHONE = "0912345678"
WORDS = f"Tôi là Nguyễn Văn Mẫu, số {PHONE}"
CHANNELS = ("zalo", "messenger")


@pytest.fixture
async def door(database: Database, tmp_path: Path) -> AsyncIterator[Door]:
    one = open_door(database, tmp_path)
    yield one
    await one.http.aclose()


@pytest.fixture
async def punctual(database: Database, tmp_path: Path) -> AsyncIterator[Door]:
    """With the time windows that the platforms' repeats need."""
    one = open_door(database, tmp_path, replay_window_s=7200)
    yield one
    await one.http.aclose()


def another_process(door: Door, channel: str) -> ZaloConnector | MessengerConnector:
    """The same account in a process that saw none of it: the console's, or the one after a restart."""
    if channel == "zalo":
        return ZaloConnector(door.zalo.settings, door.database, b"key")
    return MessengerConnector(door.messenger.settings, door.database)


def body(channel: str, *, hours_ago: float = 0.0, text: str = WORDS, number: int = 1) -> dict[str, Any]:
    """A genuine message."""
    at = int((now() - timedelta(hours=hours_ago)).timestamp() * 1000)
    if channel == "zalo":
        event = {"app_id": "4300", "event_name": "user_send_text", "timestamp": str(at)}
        ends = {"sender": {"id": CITIZEN}, "recipient": {"id": "2900"}}
        return {**event, **ends, "message": {"msg_id": f"m{number}", "text": text}}
    one = {"sender": {"id": CITIZEN}, "recipient": {"id": "1022"}, "timestamp": at}
    entry = {"id": "1022", "time": at, "messaging": [{**one, "message": {"mid": f"m_{number}", "text": text}}]}
    return {"object": "page", "entry": [entry]}


def packed(given: dict[str, Any]) -> bytes:
    return json.dumps(given, ensure_ascii=False).encode()


def stamp_of(raw: bytes) -> str:
    return str(json.loads(raw).get("timestamp", ""))


def genuine(channel: str, raw: bytes) -> dict[str, str]:
    return signed(channel, raw, stamp_of(raw)) if channel == "zalo" else signed(channel, raw)


async def refused(door: Door, channel: str, raw: bytes, headers: dict[str, str]) -> int:
    """The status, after everything else that must hold for a refusal was checked."""
    with capture_logs() as logs:
        status = (await door.post(channel, raw, headers)).status_code
    assert await door.rows() == []
    said = json.dumps(logs, default=str, ensure_ascii=False)
    assert not any(one in said for one in (WORDS, PHONE, "Mẫu", CITIZEN))
    assert [one["event"] for one in logs] == ["webhook.refused"]
    assert logs[0]["channel"] == channel
    return status


@pytest.mark.parametrize("channel", CHANNELS)
async def test_the_same_body_is_let_in_when_it_is_genuine(channel: str, punctual: Door) -> None:
    """So the refusals below are about what they are about; and accepting writes nobody's words into the log either."""
    raw = packed(body(channel))
    with capture_logs() as logs:
        assert (await punctual.post(channel, raw, genuine(channel, raw))).status_code == 200
    (row,) = await punctual.rows()
    assert (row.kind, row.text) == (Kind.TEXT, WORDS)
    said = json.dumps(logs, default=str, ensure_ascii=False)
    assert not any(one in said for one in (WORDS, PHONE, "Mẫu"))


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_wrong_signature(channel: str, punctual: Door) -> None:
    raw = packed(body(channel))
    good = genuine(channel, raw)
    name = next(one for one in good if "signature" in one)
    for bad in (good[name][:-1] + ("0" if good[name][-1] != "0" else "1"), "", "mac=", "sha256=", "sha1=00"):
        headers = {**good, name: bad}
        assert await refused(punctual, channel, raw, headers) == 403
    assert await refused(punctual, channel, raw, {"content-type": "application/json"}) == 403
    assert await refused(punctual, channel, raw.replace(b"0912", b"0999"), good) == 403


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("hours", [-2.1, 2.1, 50])
async def test_a_stale_timestamp(channel: str, hours: float, punctual: Door) -> None:
    raw = packed(body(channel, hours_ago=hours))
    assert await refused(punctual, channel, raw, genuine(channel, raw)) == 403


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("tell_length", [True, False])
async def test_a_body_of_10_mb(channel: str, tell_length: bool, door: Door) -> None:
    raw = b"x" * 10_000_000

    async def without_length() -> AsyncIterator[bytes]:
        for at in range(0, len(raw), 1_000_000):
            yield raw[at : at + 1_000_000]

    with capture_logs() as logs:
        content = raw if tell_length else without_length()
        answer = await door.http.post(f"/webhooks/{channel}", content=content, headers=signed(channel, raw))
    assert answer.status_code == 413
    assert [(one["event"], one["why"]) for one in logs] == [("webhook.refused", "too_large")]
    assert await door.rows() == []


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("raw", [b"{", b"[]", b"null", b"\xff\xfe", b'"text"', b"[" * 5000, b"1e999", b'{"a":' * 3000])
async def test_invalid_json(channel: str, raw: bytes, door: Door) -> None:
    assert await refused(door, channel, raw, signed(channel, raw)) == 400


@pytest.mark.parametrize("missing", ["event_name", "timestamp", "sender", "message", "app_id"])
async def test_a_missing_field_of_zalo(missing: str, door: Door) -> None:
    given = {name: value for name, value in body("zalo").items() if name != missing}
    raw = packed(given)
    status = await refused(door, "zalo", raw, signed("zalo", raw, str(given.get("timestamp", "1790000000000"))))
    assert status == (403 if missing == "app_id" else 400)


@pytest.mark.parametrize("missing", ["object", "entry"])
async def test_a_missing_field_of_messenger(missing: str, door: Door) -> None:
    raw = packed({name: value for name, value in body("messenger").items() if name != missing})
    assert await refused(door, "messenger", raw, signed("messenger", raw)) == 400


@pytest.mark.parametrize("path", ["id", "messaging", "sender", "message", "mid"])
async def test_a_batch_with_an_incomplete_update_is_answered_200_and_left_out(path: str, door: Door) -> None:
    """Meta would repeat the whole batch for a day and a half otherwise."""
    given = body("messenger")
    entry = given["entry"][0]
    holder = next(one for one in (entry, entry["messaging"][0], entry["messaging"][0]["message"]) if path in one)
    del holder[path]
    raw = packed(given)
    assert (await door.post("messenger", raw)).status_code == 200
    assert await door.rows() == []


@pytest.mark.parametrize("channel", CHANNELS)
async def test_an_unknown_event(channel: str, door: Door) -> None:
    given = body(channel)
    if channel == "zalo":
        given["event_name"] = "user_send_hologram"
    else:
        given["entry"][0]["messaging"][0]["hologram"] = given["entry"][0]["messaging"][0].pop("message")
    raw = packed(given)
    assert (await door.post(channel, raw, genuine(channel, raw))).status_code == 200
    assert await door.rows() == []


async def test_the_largest_batch_that_meta_sends_fits(door: Door) -> None:
    """1,000 updates (PROTOCOLS 2.1) of 2,000 Vietnamese letters each, escaped as Meta does."""
    text = "Phản ánh về vệ sinh môi trường tại phường Hạc Thành, đề nghị cơ quan chức năng kiểm tra. " * 22
    given = body("messenger")
    one = given["entry"][0]["messaging"][0]
    given["entry"][0]["messaging"] = [
        {**one, "message": {"mid": f"m_{number}", "text": text[:2000]}} for number in range(1000)
    ]
    raw = json.dumps(given).encode()
    assert 4_000_000 < len(raw) < MAX_BYTES
    assert (await door.post("messenger", raw)).status_code == 200
    assert len(await door.rows()) == 1000


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_secret_that_is_wrong_is_noticed(channel: str, punctual: Door) -> None:
    """Citizens write into the void then: whoever looks at the console must see it."""
    connector = punctual.zalo if channel == "zalo" else punctual.messenger
    raw = packed(body(channel))
    before = await connector.warnings()
    for _ in range(3):
        await punctual.post(
            channel, raw, {**genuine(channel, raw), "x-zevent-signature": "mac=00", "x-hub-signature-256": "sha256=00"}
        )
    (new,) = [one for one in await connector.warnings() if one not in before]
    assert "3 thông báo (webhook) bị từ chối vì sai chữ ký" in new
    assert new in await another_process(punctual, channel).warnings()
    await punctual.post(channel, raw, genuine(channel, raw))
    assert await connector.warnings() == before
    assert new not in await another_process(punctual, channel).warnings()


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_secret_that_was_put_right_is_noticed_by_the_process_that_starts_with_it(
    channel: str, punctual: Door
) -> None:
    """The one before it saw the refusals and is gone."""
    raw = packed(body(channel))
    connector = punctual.zalo if channel == "zalo" else punctual.messenger
    wrong = {"x-zevent-signature": "mac=00", "x-hub-signature-256": "sha256=00"}
    await punctual.post(channel, raw, {**genuine(channel, raw), **wrong})
    assert any("sai chữ ký" in one for one in await connector.warnings())
    starting = another_process(punctual, channel)
    starting.verify(raw, genuine(channel, raw), now())
    assert not any("sai chữ ký" in one for one in await starting.warnings())
    assert not any("sai chữ ký" in one for one in await connector.warnings())


async def test_meta_announces_what_it_holds_against_the_page(door: Door) -> None:
    for action, wanted in (("warning", "cảnh báo"), ("block", "chặn"), ("unblock", None)):
        given = body("messenger")
        del given["entry"][0]["messaging"][0]["message"]
        given["entry"][0]["messaging"][0]["policy_enforcement"] = {"action": action, "reason": "x"}
        raw = packed(given)
        assert (await door.post("messenger", raw)).status_code == 200
        await door.messenger.warnings()  # what this process noted is written
        warnings = await another_process(door, "messenger").warnings()
        assert len(warnings) == (1 if wanted else 0)
        assert all(f"Facebook {wanted} trang" in one for one in warnings)


wild = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    channel=st.sampled_from(CHANNELS), path=st.sampled_from(["message", "sender", "text", "attachments"]), value=wild
)
async def test_no_signed_shape_crashes_the_door(channel: str, path: str, value: Any, door: Door) -> None:
    given_body = body(channel)
    inner = given_body if channel == "zalo" else given_body["entry"][0]["messaging"][0]
    (inner if path in inner else inner["message"])[path] = value
    raw = json.dumps(given_body).encode()
    answer = await door.post(channel, raw, signed(channel, raw, str(given_body.get("timestamp", ""))))
    assert answer.status_code in {200, 400}
