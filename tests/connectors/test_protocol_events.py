"""Every event of PROTOCOLS.md 1.5 (Zalo) and 2.2 (Messenger), in that document's order, through the real door.

Each is delivered twice, as platforms do: the answer is 200 both times, and what is kept is kept once.
"""

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import text

from bot.base.db import Database
from bot.contracts.messages import Kind
from connectors.zalo.parse import PREFIXES, READERS
from tests.conftest import with_database
from tests.connectors.door import Door, open_door

FIXTURES = Path(__file__).parents[1] / "fixtures"
ZALO_CAPTURED: list[dict[str, Any]] = json.loads((FIXTURES / "zalo" / "events.json").read_text(encoding="utf-8"))
META_CAPTURED: dict[str, dict[str, Any]] = json.loads(
    (FIXTURES / "messenger" / "events.json").read_text(encoding="utf-8")
)
CITIZEN, PERSON = "1000000000000000001", "2000000000000000001"
STAMP = 1790000000000


@dataclass(frozen=True)
class Line:
    """One event of the document. `kept`: the kind of the citizen's row, "echo", or None when no row is written."""

    name: str
    kept: Kind | str | None
    more: dict[str, Any] = field(default_factory=dict)
    """What is beside the captured event, or instead of it when there is none."""

    def __str__(self) -> str:
        return self.name


def said(*attachments: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A Zalo message that is not among the captured ones."""
    return {"message": {"msg_id": "x1", "attachments": list(attachments), **more}}


FROM_OA = {"sender": {"id": "2900"}, "recipient": {"id": CITIZEN}}
BY_ADMIN = {"sender": {"id": "2900", "admin_id": "8"}, "recipient": {"id": CITIZEN}}
ANONYMOUS = {"sender": {"id": "55"}, "recipient": {"id": "2900"}}
STICKER = {"type": "sticker", "payload": {"id": "bfe4", "url": "https://zalo-api.zadn.vn/s.png"}}
FILE = {"type": "file", "payload": {"url": "https://f.zdn.vn/d.pdf", "name": "don.pdf", "size": 12, "type": "pdf"}}

OA_SENDS = ("text", "image", "gif", "list", "file", "sticker", "template")
PLACE = {"latitude": 19.8, "longitude": 105.8}
TO_A_PHONE = {
    "recipient": {"phone": "84900000001", "id": "84900000001"},
    "message": {"msg_id": "o1", "tracking_id": "t", "delivery_time": str(STAMP)},
}

ZALO = (
    Line("user_send_text", Kind.TEXT),
    Line("user_send_text", Kind.BUTTON, {"message": {"msg_id": "x2", "text": "#chon:#person|Gặp cán bộ"}}),
    Line("user_send_image", Kind.IMAGE),
    Line("user_send_photo", Kind.IMAGE, said({"type": "photo", "payload": {"url": "https://f.zdn.vn/i.jpg"}})),
    Line("user_send_gif", Kind.GIF),
    Line("user_send_sticker", Kind.STICKER),
    Line("user_send_link", Kind.LINK),
    Line("user_send_location", Kind.LOCATION),
    Line("user_send_location", Kind.LOCATION, said(location=PLACE)),
    Line("user_send_audio", Kind.AUDIO),
    Line("user_send_video", Kind.VIDEO),
    Line("user_send_file", Kind.FILE),
    Line("user_send_business_card", Kind.CONTACT),
    Line("follow", Kind.FOLLOW),
    Line("unfollow", Kind.UNFOLLOW),
    Line("user_submit_info", Kind.CONTACT),
    Line("user_click_chatnow", Kind.FOLLOW),
    Line("user_received_message", None),
    Line("user_received_message", None, TO_A_PHONE),
    Line("user_seen_message", None),
    Line("user_seen_message", None, {"message": {"msg_id": "o1"}}),
    *(Line(f"oa_send_{one}", None, {**FROM_OA, **said()}) for one in OA_SENDS),
    *(Line(f"oa_send_{one}", "echo", {**BY_ADMIN, **said(text="Cán bộ đây")}) for one in OA_SENDS),
    Line("anonymous_send_text", Kind.TEXT),
    Line("anonymous_send_image", Kind.IMAGE),
    Line("anonymous_send_file", Kind.FILE, {**ANONYMOUS, **said(FILE, conversation_id="c9")}),
    Line("anonymous_send_sticker", Kind.STICKER, {**ANONYMOUS, **said(STICKER, conversation_id="c9")}),
    *(
        Line(f"oa_send_anonymous_{one}", None, {**FROM_OA, "message": {"msg_id": "x5", "conversation_id": "c9"}})
        for one in ("text", "image", "file", "sticker")
    ),
    Line("user_reacted_message", Kind.REACTION),
    Line("oa_reacted_message", None, {**FROM_OA, "message": {"msg_id": "x6", "react_icon": "/-heart"}}),
    *(
        Line(name, None, FROM_OA)
        for name in (
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
        )
    ),
    Line("user_withdraw", None),
    Line("widget_interaction_accepted", None, {"oa_id": "2900", "data": {"user_id": CITIZEN, "url": "https://x.vn"}}),
    Line("something_of_tomorrow", None, FROM_OA),
)

ENDS = {"sender": {"id": PERSON}, "recipient": {"id": "1022"}, "timestamp": STAMP}


POSTBACK = {"payload": "#x", "title": "x"}
VERBS = ("add", "edited", "remove", "hide")


def message(**more: Any) -> dict[str, Any]:
    """A Messenger message that is not among the captured ones."""
    return {**ENDS, "message": {"mid": "m_x", **more}}


def sent(kind: str, **payload: Any) -> dict[str, Any]:
    """One with one attachment."""
    return message(attachments=[{"type": kind, "payload": payload}])


def comment(verb: str, **more: Any) -> dict[str, Any]:
    """A change under a post of the page."""
    value: dict[str, Any] = {
        "item": "comment",
        "verb": verb,
        "comment_id": "1022_5",
        "post_id": "1022_1",
        "message": "Tiêm ở đâu?",
    }
    value |= {"from": {"id": "3000", "name": "Người Mẫu"}, "created_time": STAMP // 1000, **more}
    return {"entry": {"changes": [{"field": "feed", "value": value}]}}


MESSENGER = (
    Line("text", Kind.TEXT),
    Line("quick_reply", Kind.BUTTON),
    Line("phone", Kind.CONTACT),
    Line("image", Kind.IMAGE),
    Line("video", Kind.VIDEO),
    Line("audio", Kind.AUDIO),
    Line("file", Kind.FILE),
    Line("reel", Kind.VIDEO),
    Line("ig_reel", Kind.VIDEO, sent("ig_reel", url="https://www.instagram.com/r/1")),
    Line("post", Kind.LINK, sent("post", url="https://www.facebook.com/1")),
    Line("ig_post", Kind.LINK, sent("ig_post", url="https://www.instagram.com/p/1")),
    Line("sticker", Kind.STICKER),
    Line("old_sticker", Kind.STICKER),
    Line("booking", Kind.OTHER),
    Line("fallback", Kind.LINK),
    Line("fallback without payload", Kind.LINK, message(attachments=[{"type": "fallback"}])),
    Line("location", Kind.LOCATION),
    Line("empty", Kind.OTHER),
    Line("postback", Kind.BUTTON),
    Line("postback_without_mid", Kind.BUTTON),
    Line("get_started", Kind.FOLLOW),
    Line("postback of a plugin", None, {**ENDS, "sender": {"user_ref": "r"}, "postback": POSTBACK}),
    Line("referral", Kind.FOLLOW),
    Line("referral in a message", Kind.TEXT, message(text="a", referral={"ref": "p"})),
    Line("echo_ours", None),
    Line("echo_inbox", "echo"),
    Line("delivery", None),
    Line("delivery_without_mids", None),
    Line("read", None),
    Line("reaction", Kind.REACTION),
    Line("unreact", Kind.REACTION, {**ENDS, "reaction": {"mid": "m_0", "action": "unreact"}}),
    Line("edit", Kind.TEXT),
    *(
        Line(name, None, {**ENDS, name: {"new_owner_app_id": "1", "metadata": "x"}})
        for name in ("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles")
    ),
    Line("standby", None, {"entry": {"standby": [META_CAPTURED["text"]]}}),
    Line("policy_enforcement", None, {**ENDS, "policy_enforcement": {"action": "warning", "reason": "x"}}),
    *(Line(f"comment {verb}", Kind.TEXT if verb == "add" else None, comment(verb)) for verb in VERBS),
    Line("comment of the page itself", None, comment("add", **{"from": {"id": "1022"}})),
    Line("something of tomorrow", None, {**ENDS, "hologram": {"mid": "m_x"}}),
)


@pytest.fixture(scope="module")
def door_url(server_url: str, template_url: str) -> Iterator[str]:
    """One database for all lines: each begins with no message in it."""
    name, template = f"door_{uuid.uuid4().hex[:12]}", urlsplit(template_url).path.removeprefix("/")
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f'create database "{name}" template "{template}"')
    yield with_database(server_url, name)
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture
async def door(door_url: str, tmp_path: Path) -> AsyncIterator[Door]:
    database = Database(door_url)
    async with database.transaction() as session:
        await session.execute(text("truncate conversations, messages, procrastinate_jobs restart identity cascade"))
    one = open_door(database, tmp_path)
    for channel, raw in (("zalo", of_zalo("user_send_text", "m0")), ("messenger", of_meta(hello()))):
        assert (await one.post(channel, raw)).status_code == 200  # the citizens are known: echoes have a conversation
    yield one
    await one.http.aclose()
    await database.close()


def of_zalo(name: str, msg_id: str) -> bytes:
    body = {"app_id": "4300", "event_name": name, "timestamp": str(STAMP), "sender": {"id": CITIZEN}}
    return json.dumps({**body, "recipient": {"id": "2900"}, "message": {"msg_id": msg_id, "text": "Chào"}}).encode()


def hello() -> dict[str, Any]:
    return {"messaging": [{**ENDS, "message": {"mid": "m_hello", "text": "Chào"}}]}


def of_meta(entry: dict[str, Any]) -> bytes:
    return json.dumps({"object": "page", "entry": [{"id": "1022", "time": STAMP, **entry}]}).encode()


def test_no_reader_is_without_its_line() -> None:
    names = {line.name for line in ZALO}
    assert {body["event_name"] for body in ZALO_CAPTURED} <= names
    assert set(READERS) <= names
    assert all(any(name.startswith(prefix) for name in names) for prefix in PREFIXES)
    assert set(META_CAPTURED) <= {line.name for line in MESSENGER}


@pytest.mark.parametrize("line", ZALO, ids=str)
async def test_zalo(line: Line, door: Door) -> None:
    common = {"app_id": "4300", "event_name": line.name, "timestamp": str(STAMP)}
    ends = {"sender": {"id": CITIZEN}, "recipient": {"id": "2900"}}
    captured = next((body for body in ZALO_CAPTURED if body["event_name"] == line.name), {**common, **ends})
    await check(door, "zalo", json.dumps({**captured, **line.more}).encode(), line)


@pytest.mark.parametrize("line", MESSENGER, ids=str)
async def test_messenger(line: Line, door: Door) -> None:
    entry = line.more.get("entry") or {"messaging": [line.more or META_CAPTURED[line.name]]}
    await check(door, "messenger", of_meta(entry), line)


async def check(door: Door, channel: str, raw: bytes, line: Line) -> None:
    before = {row.id for row in await door.rows()}
    for _ in range(2):
        assert (await door.post(channel, raw)).status_code == 200
    new = [row for row in await door.rows() if row.id not in before]
    if line.kept is None:
        assert new == []
    elif line.kept == "echo":
        (row,) = new
        assert (row.direction, row.author, row.status) == ("out", "operator", "sent")
    else:
        (row,) = new
        assert (row.direction, row.author, row.kind) == ("in", "citizen", line.kept)
