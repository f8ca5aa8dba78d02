"""Meta's batches and signatures: every documented shape, and whatever else may come."""

import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts.connector import WindowState
from bot.contracts.errors import PayloadRefused, SignatureRefused
from bot.contracts.messages import Author, Echo, Event, Inbound, Kind, Location, Receipt, ReceiptState
from connectors.messenger.marks import Mark, find_mark
from connectors.messenger.parse import parse
from connectors.messenger.settings import MessengerSettings
from connectors.messenger.verify import MAX_BYTES, handshake, signature, verify
from connectors.messenger.window import window

CAPTURED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "messenger" / "events.json").read_text(encoding="utf-8")
)
CITIZEN = "2000000000000000001"
AT = datetime.fromtimestamp(1_790_000_000, UTC)
SETTINGS = MessengerSettings(
    _env_file=None, app_secret="s3cret", page_token="t", verify_token="v", page_id="1022", app_id="33"
)


def batch(*messaging: object, page: str = "1022", **entry: Any) -> bytes:
    body = {"object": "page", "entry": [{"id": page, "time": 1_790_000_000_000, "messaging": list(messaging), **entry}]}
    return json.dumps(body).encode()


def one(name: str) -> Event:
    (event,) = parse(batch(CAPTURED[name]), SETTINGS)
    return event


def message(name: str) -> Inbound:
    event = one(name)
    assert isinstance(event, Inbound)
    return event


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("text", Kind.TEXT),
        ("quick_reply", Kind.BUTTON),
        ("phone", Kind.CONTACT),
        ("image", Kind.IMAGE),
        ("old_sticker", Kind.STICKER),
        ("sticker", Kind.STICKER),
        ("audio", Kind.AUDIO),
        ("video", Kind.VIDEO),
        ("file", Kind.FILE),
        ("fallback", Kind.LINK),
        ("location", Kind.LOCATION),
        ("reel", Kind.VIDEO),
        ("booking", Kind.OTHER),
        ("empty", Kind.OTHER),
        ("get_started", Kind.FOLLOW),
        ("postback", Kind.BUTTON),
        ("postback_without_mid", Kind.BUTTON),
        ("referral", Kind.FOLLOW),
        ("reaction", Kind.REACTION),
        ("edit", Kind.TEXT),
    ],
)
def test_kinds(name: str, kind: Kind) -> None:
    event = message(name)
    assert event.kind is kind
    assert event.citizen_ref == CITIZEN
    assert event.provider_message_id


def test_what_is_in_them() -> None:
    text, press, link, edit = message("text"), message("quick_reply"), message("fallback"), message("edit")
    assert (text.text, text.sent_at, text.provider_message_id) == ("Ở đâu tiêm?", AT, "m_1")
    assert (press.text, press.payload) == ("Có", "#helped")
    assert (link.attachments[0].url, link.attachments[0].name) == ("https://bao.vn/a", "Báo")
    assert message("location").location == Location(19.8067, 105.7764)
    assert (message("phone").phone, message("phone").payload) == ("0900000001", None)
    assert message("postback").payload == "#person"
    assert message("referral").payload == "poster"
    assert (edit.text, edit.provider_message_id != "m_1") == ("Ở đâu tiêm mũi 2?", True)
    assert message("reaction").text == "❤"
    assert message("postback_without_mid").provider_message_id == message("postback_without_mid").provider_message_id


def test_receipts() -> None:
    delivery, without, read = one("delivery"), one("delivery_without_mids"), one("read")
    for event, state, mids in (
        (delivery, ReceiptState.DELIVERED, ("m_20",)),
        (without, ReceiptState.DELIVERED, ()),
        (read, ReceiptState.SEEN, ()),
    ):
        assert isinstance(event, Receipt)
        assert (event.state, event.provider_message_ids, event.up_to) == (state, mids, AT)


def test_an_echo_of_our_application_is_not_a_person() -> None:
    ours, inbox = one("echo_ours"), one("echo_inbox")
    assert isinstance(ours, Echo)
    assert isinstance(inbox, Echo)
    assert (ours.by_human, inbox.by_human) == (False, True)
    assert ours.citizen_ref == inbox.citizen_ref == CITIZEN


def test_a_batch_is_read_to_its_end_and_one_bad_update_blocks_nobody() -> None:
    bad: Sequence[object] = (
        None,
        7,
        {},
        {"message": {"text": "no mid"}},
        {"sender": {"id": "1"}, "message": {"mid": "m"}},
    )
    raw = json.loads(batch(CAPTURED["text"], *bad, CAPTURED["image"]))
    raw["entry"] += ["strange", {"id": "1022"}, *json.loads(batch(CAPTURED["audio"]))["entry"]]
    found = [one.provider_message_id for one in parse(json.dumps(raw).encode(), SETTINGS) if isinstance(one, Inbound)]
    assert found == ["m_1", "m", "m_3", "m_6"]


def test_other_pages_standby_and_handover_are_left_out() -> None:
    assert list(parse(batch(CAPTURED["text"], page="9"), SETTINGS)) == []
    assert list(parse(batch(standby=[CAPTURED["text"]]), SETTINGS)) == []
    ends = {"sender": {"id": CITIZEN}, "recipient": {"id": "1022"}, "timestamp": 1790000000000}
    for name in ("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles", "optin"):
        assert list(parse(batch({**ends, name: {"new_owner_app_id": 1}}), SETTINGS)) == []


COMMENT: dict[str, Any] = {
    "item": "comment",
    "verb": "add",
    "comment_id": "1022_5",
    "post_id": "1022_1",
    "from": {"id": "3000", "name": "Người Mẫu"},
    "message": "Tiêm ở đâu?",
    "created_time": 1_790_000_000,
}


def test_a_comment_asks_for_a_private_reply() -> None:
    (event,) = parse(batch(changes=[{"field": "feed", "value": COMMENT}]), SETTINGS)
    assert isinstance(event, Inbound)
    assert (event.context, event.text, event.citizen_name) == ("comment:1022_5", "Tiêm ở đâu?", "Người Mẫu")
    assert event.sent_at == AT


@pytest.mark.parametrize(
    "change",
    [
        {"verb": "edited"},
        {"verb": "remove"},
        {"verb": "hide"},
        {"item": "like"},
        {"from": {"id": "1022"}},
        {"from": None},
        {"message": ""},
        {"comment_id": None},
    ],
)
def test_other_feed_changes_do_not(change: dict[str, Any]) -> None:
    assert list(parse(batch(changes=[{"field": "feed", "value": {**COMMENT, **change}}, None]), SETTINGS)) == []


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"{}", b'{"object":"user","entry":[]}', b'{"object":"page"}'])
def test_what_is_no_page_batch_is_refused(raw: bytes) -> None:
    with pytest.raises(PayloadRefused):
        parse(raw, SETTINGS)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = ["sender", "recipient", "timestamp", "message", "postback", "delivery", "read", "reaction", "referral"]


@given(name=st.sampled_from(sorted(CAPTURED)), key=st.sampled_from(KEYS), wild=anything)
def test_no_shape_crashes_the_parser(name: str, key: str, wild: Any) -> None:
    events = parse(batch({**CAPTURED[name], key: wild}, changes=[wild, {"field": "feed", "value": wild}]), SETTINGS)
    assert all(isinstance(one, Event) for one in events)


@given(key=st.sampled_from(["mid", "text", "attachments", "quick_reply", "is_echo", "metadata"]), wild=anything)
def test_no_message_crashes_the_parser(key: str, wild: Any) -> None:
    changed = {**CAPTURED["image"]["message"], key: wild}
    events = parse(batch({**CAPTURED["image"], "message": changed}), SETTINGS)
    assert all(isinstance(one, Event) for one in events)


@given(wild=anything)
def test_no_body_crashes_the_parser(wild: Any) -> None:
    with contextlib.suppress(PayloadRefused):
        events = parse(json.dumps({"object": "page", "entry": wild}).encode(), SETTINGS)
        assert all(isinstance(one, Event) for one in events)


@given(row=st.integers(1, 10**17), part=st.integers(1, 99), parts=st.integers(1, 99))
def test_marks_come_back(row: int, part: int, parts: int) -> None:
    mark = Mark(row, part, parts)  # type: ignore[arg-type]
    assert find_mark(str(mark)) == mark
    assert find_mark(f"{mark} ") is None


# --- signature and handshake -----------------------------------------------------------------------------------------

RAW = batch(CAPTURED["text"])


def headers(raw: bytes, secret: str = "s3cret") -> dict[str, str]:
    return {"x-hub-signature-256": f"sha256={signature(raw, secret)}"}


def test_a_known_signature() -> None:
    """RFC 4231, test case 2."""
    wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signature(b"what do ya want for nothing?", "Jefe") == wanted


def test_signed_by_meta_is_let_in() -> None:
    verify(RAW, headers(RAW), AT, SETTINGS)
    verify(RAW, headers(RAW), AT + timedelta(hours=36), SETTINGS)  # the last of its retries


@pytest.mark.parametrize(
    ("raw", "given_headers", "hours", "why"),
    [
        (RAW, {}, 0, "no signature"),
        (RAW, {"x-hub-signature": "sha1=00"}, 0, "no signature"),
        (RAW, {"x-hub-signature-256": signature(RAW, "s3cret")}, 0, "no signature"),
        (RAW, {"x-hub-signature-256": "sha256=đ"}, 0, "wrong signature"),
        (RAW, headers(RAW, "other"), 0, "wrong signature"),
        (RAW + b" ", headers(RAW), 0, "wrong signature"),
        (RAW, headers(RAW), 38, "stale"),
    ],
)
def test_everything_else_is_not(raw: bytes, given_headers: dict[str, str], hours: float, why: str) -> None:
    with pytest.raises(SignatureRefused, match=why):
        verify(raw, given_headers, AT + timedelta(hours=hours), SETTINGS)


@pytest.mark.parametrize("raw", [b"{", b"[]", b"0" * (MAX_BYTES + 1), b"0" * 10_000_000])
def test_bodies_that_meta_never_sends_are_refused(raw: bytes) -> None:
    with pytest.raises(PayloadRefused):
        verify(raw, headers(raw), AT, SETTINGS)


def test_handshake() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "v", "hub.challenge": "1158201444"}
    assert handshake(query, SETTINGS) == "1158201444"
    for wrong in ({"hub.mode": "unsubscribe"}, {"hub.verify_token": "w"}, {"hub.verify_token": ""}):
        with pytest.raises(SignatureRefused):
            handshake({**query, **wrong}, SETTINGS)
    with pytest.raises(SignatureRefused):  # an empty setting is no password
        handshake({**query, "hub.verify_token": ""}, MessengerSettings(_env_file=None))


# --- window ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "author", "granted", "label"),
    [
        (0, Author.BOT, True, "RESPONSE"),
        (23.9, Author.OPERATOR, True, "RESPONSE"),
        (24, Author.BOT, True, None),
        (24, Author.SYSTEM, True, None),
        (24, Author.OPERATOR, True, "HUMAN_AGENT"),
        (24, Author.OPERATOR, False, None),
        (167.9, Author.OPERATOR, True, "HUMAN_AGENT"),
        (168, Author.OPERATOR, True, None),
    ],
)
def test_window(hours: float, author: Author, granted: bool, label: str | None) -> None:
    found = window(AT, author, AT + timedelta(hours=hours), human_agent=granted)
    assert found.label == label
    assert (found.state is WindowState.OPEN) == (label is not None)


def test_no_window_before_the_first_word() -> None:
    assert window(None, Author.OPERATOR, AT, human_agent=True).state is WindowState.CLOSED


def test_settings_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SETTINGS.is_on
    missing = "MESSENGER_APP_SECRET, MESSENGER_PAGE_TOKEN, MESSENGER_VERIFY_TOKEN, MESSENGER_PAGE_ID"
    assert MessengerSettings(_env_file=None).why_off == f"Kênh Messenger đang tắt: chưa đặt {missing}."
    monkeypatch.setenv("GRAPH_API_BASE", "http://127.0.0.1:1")
    monkeypatch.setenv("GRAPH_API_VERSION", "v26.0")
    read = MessengerSettings(_env_file=None)
    assert (read.graph_api_base, read.graph_api_version) == ("http://127.0.0.1:1", "v26.0")
