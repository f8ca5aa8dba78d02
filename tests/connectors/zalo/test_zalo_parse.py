"""Zalo's events and signatures: every documented shape, and whatever else may come."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts.connector import WindowState
from bot.contracts.errors import PayloadRefused, SignatureRefused
from bot.contracts.messages import Author, Echo, ErasureAsked, Event, Inbound, Kind, Location, Receipt, ReceiptState
from connectors.zalo.parse import PREFIXES, READERS, parse
from connectors.zalo.settings import ZaloSettings
from connectors.zalo.verify import MAX_BYTES, is_probe, signature, verify
from connectors.zalo.window import window

CAPTURED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "zalo" / "events.json").read_text(encoding="utf-8")
)
CITIZEN = "1000000000000000001"
STAMP = "1790000000000"
AT = datetime.fromtimestamp(1_790_000_000, UTC)
SETTINGS = ZaloSettings(_env_file=None, app_id="4300", app_secret="a", oa_secret="oa-secret", oa_id="2900")


def one(body: dict[str, Any]) -> Event:
    (event,) = parse(json.dumps(body).encode(), "2900")
    return event


def captured(provider_id: str) -> Event:
    return one(next(body for body in CAPTURED if body.get("message", {}).get("msg_id") == provider_id))


@pytest.mark.parametrize("body", CAPTURED, ids=lambda body: f"{body['event_name']}-{body['timestamp'][-2:]}")
def test_every_documented_event_is_understood(body: dict[str, Any]) -> None:
    event = one(body)
    assert event.citizen_ref in {CITIZEN, "anonymous:55:c9"}
    assert isinstance(event, ErasureAsked) == (body["event_name"] == "user_withdraw")


def test_every_reader_has_a_captured_event() -> None:
    names = {body["event_name"] for body in CAPTURED}
    assert set(READERS) <= names
    assert all(any(name.startswith(prefix) for name in names) for prefix in PREFIXES)


@pytest.mark.parametrize(
    ("provider_id", "kind"),
    [
        ("m1", Kind.TEXT),
        ("m2", Kind.IMAGE),
        ("m3", Kind.GIF),
        ("m4", Kind.STICKER),
        ("m5", Kind.LINK),
        ("m6", Kind.LOCATION),
        ("m7", Kind.LOCATION),
        ("m8", Kind.AUDIO),
        ("m9", Kind.VIDEO),
        ("m10", Kind.FILE),
        ("m11", Kind.CONTACT),
        ("m13", Kind.IMAGE),
    ],
)
def test_kinds(provider_id: str, kind: Kind) -> None:
    event = captured(provider_id)
    assert isinstance(event, Inbound)
    assert event.kind is kind


def test_what_is_in_them() -> None:
    text, file, card = captured("m1"), captured("m10"), captured("m11")
    assert isinstance(text, Inbound)
    assert isinstance(file, Inbound)
    assert isinstance(card, Inbound)
    assert (text.text, text.sent_at, text.provider_message_id) == ("Xin chào, tiêm ở đâu?", AT, "m1")
    assert (file.attachments[0].name, file.attachments[0].size, file.attachments[0].mime) == ("don.pdf", 1234, "pdf")
    assert card.phone == "0900000001"
    for provider_id in ("m6", "m7"):
        place = captured(provider_id)
        assert isinstance(place, Inbound)
        assert place.location == Location(19.8067, 105.7764)


def test_shared_information_old_and_new() -> None:
    new, old = (one(body) for body in CAPTURED if body["event_name"] == "user_submit_info")
    assert isinstance(new, Inbound)
    assert isinstance(old, Inbound)
    assert (new.phone, new.citizen_name) == (old.phone, old.citizen_name) == ("0900000001", "Nguyễn Văn Mẫu")
    assert new.text == "1 Đại lộ Lê Lợi, Hạc Thành, Thanh Hóa"
    assert old.text == "1 Lê Lợi, Điện Biên, TP Thanh Hóa, Thanh Hóa"


def test_receipts_and_echoes() -> None:
    received, seen = captured("o1"), captured("o2")
    assert isinstance(received, Receipt)
    assert isinstance(seen, Receipt)
    assert (received.state, received.provider_message_ids) == (ReceiptState.DELIVERED, ("o1",))
    assert (seen.state, seen.provider_message_ids) == (ReceiptState.SEEN, ("o1", "o2"))
    ours, officers, anonymous = captured("o3"), captured("o4"), captured("o11")
    assert isinstance(ours, Echo)
    assert isinstance(officers, Echo)
    assert (ours.by_human, officers.by_human) == (False, True)
    assert anonymous.citizen_ref == "anonymous:55:c9"


def test_events_without_an_id_keep_theirs_when_repeated() -> None:
    follow = next(body for body in CAPTURED if body["event_name"] == "follow")
    first, again, later = one(follow), one(follow), one({**follow, "timestamp": "1790000099999"})
    assert isinstance(first, Inbound)
    assert isinstance(again, Inbound)
    assert isinstance(later, Inbound)
    assert first.provider_message_id == again.provider_message_id != later.provider_message_id


@pytest.mark.parametrize(
    "name",
    [
        "user_feedback",
        "oa_send_consent",
        "user_reply_consent",
        "user_call_oa",
        "oa_call_user",
        "add_user_to_tag",
        "remove_user_from_tag",
        "update_user_info",
        "change_oa_daily_quota",
        "change_template_status",
        "widget_interaction_accepted",
        "oa_reacted_message",
        "something_new",
        "user_send_",
        "user_send_hologram",
    ],
)
def test_events_that_are_no_chat_are_left_out(name: str) -> None:
    assert parse(json.dumps({"app_id": "4300", "event_name": name, "timestamp": STAMP}).encode()) == ()


def test_another_oa_of_the_same_application_is_left_out() -> None:
    assert parse(json.dumps(CAPTURED[0]).encode(), "31415") == ()


@pytest.mark.parametrize(
    "body",
    [
        {"event_name": "user_send_text", "timestamp": STAMP, "sender": {"id": "1"}, "message": {"text": "no id"}},
        {"event_name": "user_send_text", "timestamp": STAMP, "message": {"msg_id": "m"}},
        {"event_name": "user_send_text", "sender": {"id": "1"}, "message": {"msg_id": "m"}},
        {"event_name": "user_send_text", "timestamp": "soon", "sender": {"id": "1"}, "message": {"msg_id": "m"}},
        {"event_name": "anonymous_send_text", "timestamp": STAMP, "sender": {"id": "1"}, "message": {"msg_id": "m"}},
        {"event_name": "follow", "timestamp": STAMP},
        {"event_name": "user_seen_message", "timestamp": STAMP},
        {"event_name": "oa_send_text", "timestamp": STAMP, "message": {"msg_id": "m"}},
        {"event_name": "user_withdraw", "timestamp": STAMP},
        {"timestamp": STAMP},
        {"event_name": 7, "timestamp": STAMP},
    ],
)
def test_missing_fields_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(PayloadRefused):
        parse(json.dumps(body).encode())


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"text"', b"[" * 5000, b"1e999"])
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(PayloadRefused):
        parse(raw)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.just(STAMP),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    body=st.sampled_from(CAPTURED),
    at=st.sampled_from(["sender", "message", "timestamp", "info", "follower"]),
    wild=anything,
)
def test_no_shape_crashes_the_parser(body: dict[str, Any], at: str, wild: Any) -> None:
    with contextlib.suppress(PayloadRefused):
        events = parse(json.dumps({**body, at: wild}).encode(), "2900")
        assert all(isinstance(one, Event) for one in events)


@given(body=st.sampled_from([one for one in CAPTURED if "message" in one]), key=st.text(max_size=12), wild=anything)
def test_no_message_crashes_the_parser(body: dict[str, Any], key: str, wild: Any) -> None:
    for name in {key, "attachments", "text", "msg_id", "location", "msg_ids"}:
        with contextlib.suppress(PayloadRefused):
            events = parse(json.dumps({**body, "message": {**body["message"], name: wild}}).encode())
            assert all(isinstance(one, Event) for one in events)


def test_an_emoji_cut_in_half_does_not_refuse_the_message() -> None:
    raw = json.dumps(CAPTURED[0]).encode().replace(b"Xin ch\\u00e0o", b"Xin ch\\u00e0o \\ud83d")
    (event,) = parse(raw)
    assert isinstance(event, Inbound)
    assert event.text == "Xin chào ?, tiêm ở đâu?"


# --- signature -------------------------------------------------------------------------------------------------------

RAW = json.dumps(CAPTURED[0], ensure_ascii=False).encode()


def headers(mac: str) -> dict[str, str]:
    return {"x-zevent-signature": mac}


def test_a_known_signature() -> None:
    """Computed once with coreutils: printf '%s' APP BODY STAMP SECRET | sha256sum."""
    raw = b'{"app_id":"1","timestamp":"2"}'
    assert signature("1", raw, "2", "s") == "5262cb1f32c4896618d333ebb01d45531a8f1fbf303ef49370d4a912413f7cd0"


@pytest.mark.parametrize("prefix", ["mac=", "", "MAC="])
def test_signed_by_zalo_is_let_in(prefix: str) -> None:
    verify(RAW, headers(prefix + signature("4300", RAW, STAMP, "oa-secret")), AT, SETTINGS)


def test_signed_with_the_oa_id_or_the_header_time_is_let_in_too() -> None:
    verify(RAW, headers("mac=" + signature("2900", RAW, STAMP, "oa-secret")), AT, SETTINGS)
    stamp = str(int(STAMP) + 5)
    given = {**headers("mac=" + signature("4300", RAW, stamp, "oa-secret")), "x-zevent-timestamp": stamp}
    verify(RAW, given, AT, SETTINGS)


@pytest.mark.parametrize(
    ("raw", "given", "hours", "why"),
    [
        (RAW, {}, 0, "no signature"),
        (RAW, headers("mac="), 0, "no signature"),
        (RAW, headers("mac=" + signature("4300", RAW, STAMP, "a")), 0, "wrong signature"),
        (RAW, headers("mac=" + "0" * 64), 0, "wrong signature"),
        (RAW, headers("mac=đ"), 0, "wrong signature"),
        (RAW + b" ", headers("mac=" + signature("4300", RAW, STAMP, "oa-secret")), 0, "wrong signature"),
        (RAW, headers("mac=" + signature("4300", RAW, STAMP, "oa-secret")), 2.01, "stale"),
        (RAW, headers("mac=" + signature("4300", RAW, STAMP, "oa-secret")), -2.01, "stale"),
        (b'{"app_id":"1"}', headers("mac=00"), 0, "another application"),
        (
            b'{"app_id":"4300"}',
            headers("mac=" + signature("4300", b'{"app_id":"4300"}', "", "oa-secret")),
            0,
            "no time",
        ),
    ],
)
def test_everything_else_is_not(raw: bytes, given: dict[str, str], hours: float, why: str) -> None:
    with pytest.raises(SignatureRefused, match=why):
        verify(raw, given, AT + timedelta(hours=hours), SETTINGS)


def test_a_retry_after_nearly_two_hours_is_let_in() -> None:
    mac = "mac=" + signature("4300", RAW, STAMP, "oa-secret")
    verify(RAW, headers(mac), AT + timedelta(hours=1, minutes=52), SETTINGS)


@pytest.mark.parametrize("raw", [b"{", b"[]", b"x" * (MAX_BYTES + 1), b"0" * 10_000_000])
def test_bodies_that_no_platform_sends_are_refused(raw: bytes) -> None:
    with pytest.raises(PayloadRefused):
        verify(raw, headers("mac=00"), AT, SETTINGS)


def test_the_consoles_probe() -> None:
    assert is_probe(b"{}")
    assert is_probe(b" {} \n")
    assert is_probe(b"")
    assert not is_probe(b'{"a":1}')
    assert not is_probe(b"{}" + b" " * 100)


# --- window ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("author", list(Author))
@pytest.mark.parametrize(
    ("hours", "state", "label"),
    [
        (0, "open", "reply"),
        (47.9, "open", "reply"),
        (48, "open", "paid"),
        (167.9, "open", "paid"),
        (168, "closed", None),
    ],
)
def test_window(author: Author, hours: float, state: str, label: str | None) -> None:
    found = window(AT, author, AT + timedelta(hours=hours))
    assert (found.state, found.label) == (WindowState(state), label)
    assert found.until == (AT + timedelta(days=7) if state == "open" else None)


def test_no_window_before_the_first_word() -> None:
    assert window(None, Author.OPERATOR, AT).state is WindowState.CLOSED


def test_settings_say_what_is_missing() -> None:
    assert SETTINGS.is_on
    assert SETTINGS.why_off is None
    empty = ZaloSettings(_env_file=None)
    assert not empty.is_on
    assert empty.why_off == "Kênh Zalo đang tắt: chưa đặt ZALO_APP_ID, ZALO_APP_SECRET, ZALO_OA_SECRET."
    assert "oa-secret" not in repr(SETTINGS)
