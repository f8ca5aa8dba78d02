"""The API as other apps of the province call it."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from bot.base.clock import now
from bot.base.notify import Listener
from bot.contracts.ids import MessageId
from bot.contracts.messages import Attachment, Author, Choice, Kind
from connectors.webchat.live import LiveNews, TooManyStreams, stream_events
from connectors.webchat.messages import ChatMessage
from connectors.webchat.settings import WebchatSettings
from tests.connectors.webchat.conftest import app_with
from tests.connectors.webchat.house import CODE, House
from tests.connectors.webchat.serving import serving


async def citizen(client: httpx.AsyncClient) -> dict[str, str]:
    """Headers of a new citizen."""
    answer = await client.post("/api/v1/chat/sessions")
    assert answer.status_code == 201
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def send(client: httpx.AsyncClient, headers: dict[str, str], text: str, **more: Any) -> httpx.Response:
    body = {"client_message_id": uuid.uuid4().hex, "text": text, **more}
    return await client.post("/api/v1/chat/messages", json=body, headers=headers)


async def test_message_is_accepted_once_and_listed(client: httpx.AsyncClient, house: House) -> None:
    headers = await citizen(client)
    first = await send(client, headers, "Xin chào", client_message_id="a1")
    again = await send(client, headers, "Xin chào", client_message_id="a1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert len(house.inbounds) == 1
    ref = house.inbounds[0].citizen_ref
    await house.say(
        ref,
        "Chào bạn",
        choices=(Choice("Có", "yes"),),
        ticket=CODE,
        ask_helpful=True,
        attachments=(Attachment(Kind.IMAGE, url="/tep/1", name="a.png", mime="image/png"),),
    )
    answer = await client.get("/api/v1/chat/messages", params={"after": first.json()["id"]}, headers=headers)
    (message,) = answer.json()["messages"]
    assert message.pop("created_at").endswith("+00:00")
    assert message == {
        "id": 2,
        "from": "bot",
        "text": "Chào bạn",
        "choices": [{"title": "Có", "payload": "yes"}],
        "ticket": "TH-7K3P9",
        "ask_helpful": True,
        "helpful": None,
        "attachments": [{"kind": "image", "name": "a.png", "url": "/tep/1", "mime": "image/png"}],
        "client_message_id": None,
    }
    everything = (await client.get("/api/v1/chat/messages", headers=headers)).json()
    assert [one["from"] for one in everything["messages"]] == ["citizen", "bot"]
    assert everything["messages"][0]["client_message_id"] == "a1"
    assert everything["more"] is False


async def test_long_history_comes_in_pages(client: httpx.AsyncClient, house: House) -> None:
    headers = await citizen(client)
    await send(client, headers, "một")
    for n in range(4):
        await house.say(house.inbounds[0].citizen_ref, str(n))
    page = (await client.get("/api/v1/chat/messages?limit=3", headers=headers)).json()
    assert (len(page["messages"]), page["more"]) == (3, True)
    rest = (await client.get("/api/v1/chat/messages?limit=3&after=3", headers=headers)).json()
    assert ([one["id"] for one in rest["messages"]], rest["more"]) == ([4, 5], False)


async def test_nobody_reads_or_rates_another_citizens_messages(client: httpx.AsyncClient, house: House) -> None:
    first, second = await citizen(client), await citizen(client)
    mine = (await send(client, first, "riêng tư")).json()["id"]
    assert (await client.get("/api/v1/chat/messages", headers=second)).json()["messages"] == []
    refused = await client.post(f"/api/v1/chat/messages/{mine}/helpful", json={"helped": True}, headers=second)
    assert refused.status_code == 404
    assert refused.json() == {"code": "not_found", "message": "Không tìm thấy câu trả lời."}


async def test_same_client_id_of_two_citizens_is_two_messages(client: httpx.AsyncClient, house: House) -> None:
    for headers in (await citizen(client), await citizen(client)):
        await send(client, headers, "Xin chào", client_message_id="1")
    assert len(house.inbounds) == 2


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer khong.phai.token", "Basic abc"])
@pytest.mark.parametrize(("method", "path"), [("GET", "messages"), ("POST", "messages"), ("GET", "events")])
async def test_without_a_token_of_ours_nothing_opens(
    client: httpx.AsyncClient, method: str, path: str, token: str
) -> None:
    body = {"client_message_id": "1", "text": "a"} if method == "POST" else None
    answer = await client.request(method, f"/api/v1/chat/{path}", headers={"Authorization": token}, json=body)
    assert answer.status_code == 401
    assert answer.json()["code"] == "webchat.session_unknown"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"client_message_id": "1", "text": "a" * 4001}, 422, "webchat.message_refused"),
        ({"client_message_id": "1", "text": "  "}, 422, "webchat.message_refused"),
        ({"text": "a"}, 422, "webchat.request_refused"),
        ({"client_message_id": "1", "text": ["a"]}, 422, "webchat.request_refused"),
        (b"{", 422, "webchat.request_refused"),
        (b'{"client_message_id": "1", "text": "' + b"a" * 70_000 + b'"}', 413, "webchat.too_large"),
    ],
)
async def test_bad_bodies_are_explained_and_nothing_is_stored(
    client: httpx.AsyncClient, house: House, body: Any, status: int, code: str
) -> None:
    headers = {**await citizen(client), "Content-Type": "application/json"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await client.post("/api/v1/chat/messages", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert answer.json()["message"]
    assert house.rows == []


async def test_body_without_announced_length_is_cut_off_too(client: httpx.AsyncClient, house: House) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 10_000

    answer = await client.post("/api/v1/chat/messages", content=endless(), headers=await citizen(client))
    assert answer.status_code == 413
    assert house.rows == []


async def test_half_surrogates_and_nul_do_no_harm(client: httpx.AsyncClient, house: House) -> None:
    headers = {**await citizen(client), "Content-Type": "application/json"}
    body = rb'{"client_message_id": "1", "text": "a\ud800b\u0000c"}'
    assert (await client.post("/api/v1/chat/messages", content=body, headers=headers)).status_code == 202
    assert house.inbounds[0].text == "abc"


async def test_button_carries_its_payload(client: httpx.AsyncClient, house: House) -> None:
    await send(client, await citizen(client), "Gặp cán bộ", payload="person")
    assert (house.inbounds[0].kind, house.inbounds[0].payload) == (Kind.BUTTON, "person")


async def test_rating_is_kept_and_can_be_changed(client: httpx.AsyncClient, house: House) -> None:
    headers = await citizen(client)
    await send(client, headers, "hỏi")
    answer = await house.say(house.inbounds[0].citizen_ref, "đáp", ask_helpful=True)
    for helped in (True, False):
        done = await client.post(f"/api/v1/chat/messages/{answer}/helpful", json={"helped": helped}, headers=headers)
        assert done.status_code == 204
        listed = (await client.get("/api/v1/chat/messages?after=1", headers=headers)).json()["messages"]
        assert listed[0]["helpful"] is helped


async def test_database_away_means_not_accepted(client: httpx.AsyncClient, house: House) -> None:
    house.failures.append(OperationalError("select", {}, Exception("gone")))
    headers = await citizen(client)
    answer = await send(client, headers, "hỏi")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["code"] == "webchat.unavailable"
    assert (await send(client, headers, "hỏi")).status_code == 202


async def test_one_session_is_slowed_down_and_others_are_not(
    house: House, settings: WebchatSettings, listener: Listener
) -> None:
    slow = settings.model_copy(update={"session_burst": 3, "session_per_s": 0.01})
    transport = httpx.ASGITransport(app=app_with(house, slow, listener))
    async with httpx.AsyncClient(transport=transport, base_url="http://chat.test") as client:
        first, second = await citizen(client), await citizen(client)
        statuses = [(await send(client, first, "a")).status_code for _ in range(5)]
        assert statuses == [202, 202, 202, 429, 429]
        refused = await send(client, first, "a")
        assert int(refused.headers["retry-after"]) > 0
        assert "Vui lòng chờ" in refused.json()["message"]
        assert (await send(client, second, "a")).status_code == 202
    assert len(house.inbounds) == 4


async def test_look_ups_from_one_address_are_slowed_down(
    house: House, settings: WebchatSettings, listener: Listener
) -> None:
    app = app_with(house, settings.model_copy(update={"lookup_burst": 2, "lookup_per_s": 0.001}), listener)
    outside = httpx.ASGITransport(app=app, client=("203.113.1.9", 4000))
    async with httpx.AsyncClient(transport=outside, base_url="http://chat.test") as client:
        statuses = [(await client.get(f"/api/v1/tickets/TH-{n}")).status_code for n in range(4)]
    assert statuses == [404, 404, 429, 429]
    neighbour = httpx.ASGITransport(app=app, client=("203.113.1.10", 4000))
    async with httpx.AsyncClient(transport=neighbour, base_url="http://chat.test") as client:
        assert (await client.get(f"/api/v1/tickets/{CODE}")).status_code == 200


async def test_ticket_status_shows_no_more_than_it_should(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/tickets/ th – 7k3p9 ")
    assert answer.json() == {
        "code": "TH-7K3P9",
        "state_vi": "Đang xử lý",
        "subject": "An sinh xã hội",
        "unit": "Sở Nội vụ",
        "opened_at": "2026-11-03T07:05:00+00:00",
        "promised_at": "2026-11-04T07:05:00+00:00",
        "answered": False,
    }
    missing = await client.get("/api/v1/tickets/TH-XXXXX")
    assert (missing.status_code, missing.json()["message"]) == (404, "Không tìm thấy phiếu TH-XXXXX.")


async def test_suggestions(client: httpx.AsyncClient) -> None:
    assert len((await client.get("/api/v1/chat/suggestions")).json()["suggestions"]) == 3


async def test_other_origins_may_ask_only_when_listed(
    house: House, settings: WebchatSettings, listener: Listener
) -> None:
    listed = settings.model_copy(update={"allowed_origins": ("https://thanhhoa.gov.vn",)})
    for one, origin, expected in [
        (settings, "https://thanhhoa.gov.vn", None),
        (listed, "https://thanhhoa.gov.vn", "https://thanhhoa.gov.vn"),
        (listed, "https://evil.example", None),
    ]:
        transport = httpx.ASGITransport(app=app_with(house, one, listener))
        async with httpx.AsyncClient(transport=transport, base_url="http://chat.test") as client:
            ask = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            for answer in (
                await client.options("/api/v1/chat/messages", headers=ask),
                await client.post("/api/v1/chat/sessions", headers={"Origin": origin}),
                await client.get("/api/v1/chat/messages", headers={"Origin": origin}),
            ):
                assert answer.headers.get("access-control-allow-origin") == expected


# ---- live messages, over a real socket: ASGITransport collects a whole answer before it returns ----


@pytest.fixture
async def served(house: House, settings: WebchatSettings, listener: Listener) -> AsyncIterator[httpx.AsyncClient]:
    """The same app behind uvicorn."""
    app = app_with(house, settings, listener)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=60) as one:
        yield one


async def read_events(answer: httpx.Response) -> AsyncIterator[tuple[str, dict[str, Any], str | None]]:
    """(event, fields, id) of a stream, comments left out."""
    block: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            block[name] = value
        elif not line:
            if "event" in block:
                yield block["event"], json.loads(block["data"]), block.get("id")
            block = {}


async def test_live_messages_come_in_order_once_and_resume(served: httpx.AsyncClient, house: House) -> None:
    headers = await citizen(served)
    other = await citizen(served)
    await send(served, headers, "một")
    ref = house.inbounds[0].citizen_ref
    async with served.stream("GET", "/api/v1/chat/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = read_events(answer)
        assert (await anext(events))[1]["text"] == "một"
        await send(served, other, "của người khác")
        await house.tell("typing", citizen_ref=ref)
        assert (await anext(events))[0] == "typing"
        await house.say(ref, "hai")
        await house.say(ref, "ba", Author.OPERATOR)
        heard = [await anext(events) for _ in range(2)]
        assert [(one[1]["text"], one[1]["from"]) for one in heard] == [("hai", "bot"), ("ba", "operator")]
        last = heard[-1][2]
    await house.say(ref, "bốn")
    resumed = {**headers, "Last-Event-ID": str(last)}
    async with served.stream("GET", "/api/v1/chat/events", headers=resumed) as answer:
        assert (await anext(read_events(answer)))[1]["text"] == "bốn"


async def test_browser_event_source_may_put_the_token_in_the_address(served: httpx.AsyncClient, house: House) -> None:
    headers = await citizen(served)
    await send(served, headers, "một")
    token = headers["Authorization"].removeprefix("Bearer ")
    async with served.stream("GET", "/api/v1/chat/events", params={"token": token}) as answer:
        assert (await anext(read_events(answer)))[1]["text"] == "một"


async def test_row_committed_after_a_newer_one_is_not_missed(served: httpx.AsyncClient, house: House) -> None:
    headers = await citizen(served)
    await send(served, headers, "một")
    ref = house.inbounds[0].citizen_ref
    async with served.stream("GET", "/api/v1/chat/events", headers=headers) as answer:
        events = read_events(answer)
        await anext(events)
        early, late = (
            ChatMessage(id=MessageId(n), author=Author.BOT, text=text, created_at=now())
            for n, text in ((10, "sớm"), (9, "muộn"))
        )
        for row in (early, late):  # 9 was numbered before 10 and committed after it
            house.rows.append((ref, row))
            house.rows.sort(key=lambda one: one[1].id)
            await house.tell("conversation", citizen_ref=ref, message=row.id)
            assert (await anext(events))[1]["text"] == row.text
        await house.tell("conversation", citizen_ref=ref)
        await house.tell("typing", citizen_ref=ref)
        assert (await anext(events))[0] == "typing"  # and neither was sent twice


async def test_streams_of_one_session_are_counted(house: House, settings: WebchatSettings, listener: Listener) -> None:
    live = LiveNews(listener, per_citizen=1, in_all=2)
    async with live.follow("w1"):
        with pytest.raises(TooManyStreams):
            async with live.follow("w1"):
                pass
        async with live.follow("w2"):
            with pytest.raises(TooManyStreams):
                async with live.follow("w3"):
                    pass
    async with live.follow("w1"):
        pass


async def test_silence_is_filled_with_a_heartbeat_and_lost_news_are_made_up_for(house: House) -> None:
    await house.say("w1", "một")
    stream = stream_events(house, asyncio.Queue(), "w1", 0, heartbeat_s=0.01)
    assert (await anext(stream)).startswith(b"retry:")
    assert "một".encode() in await anext(stream)
    assert await anext(stream) == b": nhip\n\n"
    await house.say("w1", "hai")  # nobody puts news into this queue
    told = await anext(stream)
    while told.startswith(b":"):
        told = await anext(stream)
    assert b"hai" in told
