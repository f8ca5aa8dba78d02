"""A Facebook page on loopback: Send API, profile, conversations, signed batches of webhooks.

Written from PROTOCOLS.md section 2, not from the connector.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from tests.simulators import controls
from tests.simulators.courier import Courier
from tests.simulators.faults import Faults
from tests.simulators.serve import Running

DAY = 86400.0
LADDER_S = (5.0, 30.0, 120.0, 600.0, 3600.0)
DEAD_TAGS = {"CONFIRMED_EVENT_UPDATE", "ACCOUNT_UPDATE", "POST_PURCHASE_UPDATE"}
INBOX_APP = 263902037430900


@dataclass
class Said:
    """One message, from a citizen or from the page."""

    id: str
    user: str
    from_oa: bool
    at: float
    text: str
    kind: str = "text"
    buttons: list[dict[str, Any]] = field(default_factory=list)
    body: dict[str, Any] = field(default_factory=dict)


class GraphError(Exception):
    """An error as the Graph API reports it."""

    def __init__(self, code: int, subcode: int | None = None, status: int = 400) -> None:
        self.code, self.subcode, self.status = code, subcode, status


class MessengerSimulator:
    """The platform and its citizens."""

    name = "messenger"

    def __init__(
        self,
        *,
        gateway: str = "",
        app_secret: str = "sim-meta-app-secret",
        page_token: str = "sim-page-token",
        verify_token: str = "sim-verify-token",
        page_id: str = "1022000000000001",
        app_id: str = "330000000001022",
        human_agent: bool = True,
        ladder_s: Sequence[float] = LADDER_S,
        port: int = 0,
    ) -> None:
        self.app_secret, self.page_token, self.verify_token = app_secret, page_token, verify_token
        self.page_id, self.app_id, self.human_agent = page_id, app_id, human_agent
        self.faults = Faults()
        self.messages: list[Said] = []
        self.last_action: dict[str, float] = {}
        """Person → when they last did something that opens the 24 hours."""
        self.comments: dict[str, tuple[str, float, bool]] = {}
        """Comment → who, when, and whether it has had its private reply."""
        self.actions: list[tuple[str, str]] = []
        """Person and sender action, such as typing_on."""
        self.profile: dict[str, Any] = {}
        self.subscribed: set[str] = set()
        self.history_works = True
        self._number = 0
        self._gateway = gateway.rstrip("/")
        address = f"{self._gateway}/webhooks/messenger" if gateway else ""
        self.courier = Courier(address, self.faults, self._pack, self._sign, patience_s=5.0, ladder_s=ladder_s)
        self.app = self._routes()
        self.running = Running(self.app, port)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.running.url

    def start(self) -> "MessengerSimulator":
        """Serve in a thread."""
        self.running.start()
        return self

    def stop(self) -> None:
        """Stop serving and delivering."""
        self.running.wait(self.courier.close())
        self.running.stop()

    def environment(self) -> dict[str, str]:
        """Settings of a gateway that talks to this simulator."""
        return {
            "MESSENGER_APP_SECRET": self.app_secret,
            "MESSENGER_PAGE_TOKEN": self.page_token,
            "MESSENGER_VERIFY_TOKEN": self.verify_token,
            "MESSENGER_PAGE_ID": self.page_id,
            "GRAPH_API_BASE": self.url,
        }

    def shake_hands(self) -> bool:
        """Check the gateway's address as Meta does when it is saved."""
        challenge = secrets.token_hex(8)
        query = {"hub.mode": "subscribe", "hub.verify_token": self.verify_token, "hub.challenge": challenge}
        answer = httpx.get(f"{self._gateway}/webhooks/messenger", params=query, timeout=5.0, trust_env=False)
        return answer.status_code == 200 and answer.text == challenge

    # --- what citizens and officers do -------------------------------------------------------------------------------

    def say(self, user: str, text: str) -> str:
        """A citizen writes; the message's id. Call inside the server's loop (`running.call`)."""
        return self.message(user, {"text": text})

    def message(self, user: str, message: dict[str, Any]) -> str:
        """A citizen sends any message."""
        mid = self._new_id()
        kinds = [one["type"] for one in message.get("attachments", [])]
        self.messages.append(Said(mid, user, False, time.time(), message.get("text", ""), *kinds[:1]))
        self.event(user, {"message": {"mid": mid, **message}})
        return mid

    def event(self, user: str, event: dict[str, Any], *, acts: bool = True) -> None:
        """Any event of a citizen."""
        if acts:
            self.last_action[user] = time.time()
        ends: dict[str, Any] = {"sender": {"id": user}, "recipient": {"id": self.page_id}}
        self.courier.send("page", {**ends, "timestamp": _ms(time.time()), **event})

    def press(self, user: str, message_id: str, title: str) -> str:
        """A citizen presses a button or a quick reply under a message of the page."""
        message = next(one for one in self.messages if one.id == message_id)
        button = next(one for one in message.buttons if one["title"] == title)
        if button.get("content_type") == "text":
            return self.message(user, {"text": title, "quick_reply": {"payload": button["payload"]}})
        if button["type"] != "postback":
            raise ValueError(f"{button['type']} sends nothing")
        return self.postback(user, button["payload"], title)

    def postback(self, user: str, payload: str, title: str) -> str:
        """A postback of a button, the menu or Get Started."""
        mid = self._new_id()
        self.messages.append(Said(mid, user, False, time.time(), title, "postback"))
        self.event(user, {"postback": {"mid": mid, "title": title, "payload": payload}})
        return mid

    def comment(self, user: str, text: str, name: str = "Người bình luận") -> str:
        """Somebody comments under a post of the page."""
        comment = f"{self.page_id}_{self._new_id()}"
        self.comments[comment] = (user, time.time(), False)
        value: dict[str, Any] = {
            "item": "comment",
            "verb": "add",
            "comment_id": comment,
            "post_id": f"{self.page_id}_1",
        }
        value |= {"from": {"id": user, "name": name}, "message": text, "created_time": int(time.time())}
        self.courier.send("page", {"_change": {"field": "feed", "value": value}})
        return comment

    def officer_says(self, user: str, text: str) -> str:
        """A person answers in the page's inbox: only the echo tells us."""
        said = Said(self._new_id(), user, True, time.time(), text)
        self.messages.append(said)
        self._echo(said, INBOX_APP, None)
        return said.id

    def see(self, user: str) -> None:
        """The citizen opens the chat."""
        self.event(user, {"read": {"watermark": _ms(time.time())}}, acts=False)

    def play(self, user: str, what: str) -> str:
        """What the page's buttons do."""
        if what == "follow":
            payload = self.profile.get("get_started", {}).get("payload", "#start")
            return self.postback(user, payload, "Bắt đầu")
        if what == "location":
            point = {"coordinates": {"lat": 19.8067, "long": 105.7764}}
            return self.message(user, {"attachments": [{"type": "location", "payload": point}]})
        sticker = {"url": f"{self.url}/s.png", "sticker_id": 369239263222822}
        return self.message(user, {"attachments": [{"type": "sticker", "payload": sticker}]})

    def age(self, user: str, hours: float) -> None:
        """Let the citizen's last action be so long ago."""
        self.last_action[user] = time.time() - hours * 3600

    def expire_tokens(self) -> None:
        """The page token is no longer accepted."""
        self.page_token = secrets.token_hex(8)

    def to(self, user: str) -> list[Said]:
        """What the page said to a citizen, oldest first."""
        return [one for one in self.messages if one.user == user and one.from_oa]

    # --- the platform ------------------------------------------------------------------------------------------------

    def _new_id(self) -> str:
        self._number += 1
        return f"m_{secrets.token_urlsafe(18)}{self._number:06d}"

    def _pack(self, events: Sequence[dict[str, Any]]) -> bytes:
        """One body; Meta escapes every letter beyond ASCII, and signs that."""
        entries = []
        for event in events:
            part = {"changes": [event["_change"]]} if "_change" in event else {"messaging": [event]}
            entries.append({"id": self.page_id, "time": _ms(time.time()), **part})
        return json.dumps({"object": "page", "entry": entries}).replace("/", "\\/").encode()

    def _sign(self, body: bytes) -> dict[str, str]:
        return {"X-Hub-Signature-256": f"sha256={self._hmac(self.app_secret, body)}"}

    def _hmac(self, key: str, message: bytes) -> str:
        return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()

    def _echo(self, said: Said, app: int, metadata: str | None) -> None:
        message: dict[str, Any] = {"is_echo": True, "app_id": app, "mid": said.id, "text": said.text}
        if metadata is not None:
            message["metadata"] = metadata
        ends = {"sender": {"id": self.page_id}, "recipient": {"id": said.user}}
        self.courier.send("page", {**ends, "timestamp": _ms(said.at), "message": message})
        delivery = {"delivery": {"mids": [said.id], "watermark": _ms(said.at)}}
        self.event(said.user, delivery, acts=False)

    def _check_access(self, request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        token = token or request.query_params.get("access_token", "")
        if token != self.page_token:
            raise GraphError(190, 463, 401)
        if request.query_params.get("appsecret_proof") != self._hmac(self.app_secret, token.encode()):
            raise GraphError(100, None)

    def _accept(self, body: dict[str, Any], filename: str | None) -> Said:
        recipient, message = body.get("recipient", {}), body.get("message")
        if not isinstance(message, dict) or not isinstance(recipient, dict):
            raise GraphError(100)
        user = self._check_recipient(recipient, body)
        text, attachment = message.get("text", ""), message.get("attachment")
        buttons = message.get("quick_replies", [])
        if len(text) > 2000 or len(buttons) > 13 or len(message.get("metadata", "")) > 1000:
            raise GraphError(100)
        if bool(text) == bool(attachment):
            raise GraphError(100)
        if any(not 1 <= len(one["title"]) <= 20 or len(one["payload"]) > 1000 for one in buttons):
            raise GraphError(100)
        kind = "text"
        if attachment and attachment["type"] == "template":
            text, buttons = self._check_template(attachment["payload"])
        elif attachment:
            kind = attachment["type"]
            if kind not in {"image", "video", "audio", "file"} or not (filename or attachment["payload"].get("url")):
                raise GraphError(100, 2018008)
        return Said(self._new_id(), user, True, time.time(), text, kind, buttons, body)

    def _check_recipient(self, recipient: dict[str, Any], body: dict[str, Any]) -> str:
        if comment := recipient.get("comment_id"):
            user, at, answered = self.comments.get(comment, ("", 0.0, True))
            if answered or time.time() - at > 7 * DAY:
                raise GraphError(10, 2018278)
            self.comments[comment] = (user, at, True)
            return user
        user = str(recipient.get("id", ""))
        if user not in self.last_action:
            commented = any(one[0] == user for one in self.comments.values())
            raise GraphError(10, 2018278) if commented else GraphError(100, 2018001)
        age = time.time() - self.last_action[user]
        kind, tag = body.get("messaging_type"), body.get("tag")
        if kind not in {"RESPONSE", "UPDATE", "MESSAGE_TAG"} or tag in DEAD_TAGS:
            raise GraphError(100)
        if kind == "MESSAGE_TAG":
            if tag != "HUMAN_AGENT":
                raise GraphError(100)
            if not self.human_agent:
                raise GraphError(10, None)
            if age <= 7 * DAY:
                return user
        if age > DAY:
            raise GraphError(10, 2018278)
        return user

    def _check_template(self, payload: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        buttons = payload.get("buttons", [])
        text = payload.get("text", "")
        if payload.get("template_type") != "button" or not 1 <= len(buttons) <= 3 or not 1 <= len(text) <= 640:
            raise GraphError(100)
        for one in buttons:
            target = {"postback": "payload", "web_url": "url", "phone_number": "payload"}.get(one.get("type", ""), "")
            if not target or not one.get(target) or not 1 <= len(one["title"]) <= 20:
                raise GraphError(100)
        return text, buttons

    def _routes(self) -> FastAPI:
        app = FastAPI(title="Messenger simulator")

        @app.exception_handler(GraphError)
        async def failed(_: Request, error: GraphError) -> JSONResponse:
            body = {"message": "(#…) simulated", "type": "OAuthException", "code": error.code, "fbtrace_id": "Asim"}
            if error.subcode:
                body["error_subcode"] = error.subcode
            return JSONResponse({"error": body}, status_code=error.status)

        @app.post("/{version}/{page}/messages")
        async def messages(version: str, page: str, request: Request) -> Response:
            filename = None
            if request.headers.get("content-type", "").startswith("multipart/"):
                form = await request.form()
                filename = getattr(form["filedata"], "filename", None)
                body: dict[str, Any] = {key: form[key] for key in form if key != "filedata"}
                body |= {key: json.loads(str(body[key])) for key in ("recipient", "message")}
            else:
                body = await request.json()
            return await self._message(request, body, filename)

        @app.get("/{version}/{page}/conversations")
        async def conversations(version: str, page: str, user_id: str, request: Request) -> dict[str, Any]:
            self._check_access(request)
            if not self.history_works:
                raise GraphError(10)
            mine = [one for one in reversed(self.messages) if one.user == user_id][:50]
            if not mine:
                return {"data": []}
            return {"data": [{"id": f"t_{user_id}", "messages": {"data": [self._shown(one) for one in mine]}}]}

        @app.post("/{version}/me/messenger_profile")
        async def set_profile(version: str, request: Request) -> dict[str, str]:
            self._check_access(request)
            wanted = await request.json()
            if len(wanted.get("ice_breakers", [{}])[0].get("call_to_actions", [])) > 4:
                raise GraphError(100)
            if "persistent_menu" in wanted and not {"get_started"} & (wanted.keys() | self.profile.keys()):
                raise GraphError(100)
            self.profile |= wanted
            return {"result": "success"}

        @app.post("/{version}/{page}/subscribed_apps")
        async def subscribe(version: str, page: str, subscribed_fields: str, request: Request) -> dict[str, bool]:
            self._check_access(request)
            self.subscribed = set(subscribed_fields.split(","))
            return {"success": True}

        controls.add(app, self, "Messenger, trang “1022 Thanh Hóa”")

        @app.get("/{version}/{person}")
        async def person(version: str, person: str, request: Request) -> dict[str, str]:
            self._check_access(request)
            if person not in self.last_action:
                raise GraphError(100, 33)
            return {"id": person, "first_name": f"Dân {person[-4:]}", "last_name": "Người"}

        return app

    async def _message(self, request: Request, body: dict[str, Any], filename: str | None) -> Response:
        self._check_access(request)
        if "sender_action" in body:
            self.actions.append((str(body["recipient"]["id"]), body["sender_action"]))
            return JSONResponse({"recipient_id": body["recipient"]["id"]})
        if self.faults.happens(self.faults.slow_rate):
            await asyncio.sleep(self.faults.slow_s)
        if self.faults.happens(self.faults.http_error_rate):
            return Response(status_code=500)
        if self.faults.next_codes:
            code, _, subcode = str(self.faults.next_codes.pop(0)).partition("/")
            if int(code):
                raise GraphError(int(code), int(subcode) if subcode else None)
        if self.faults.happens(self.faults.code_rate):
            raise GraphError(self.faults.dice.choice([2, 4, 613]), None, 500)
        said = self._accept(body, filename)
        self.messages.append(said)
        self._echo(said, int(self.app_id), body["message"].get("metadata"))
        if self.faults.cut_next > 0:
            self.faults.cut_next -= 1
            return Response(status_code=502)
        if self.faults.hang_next > 0 or self.faults.happens(self.faults.hang_rate):
            self.faults.hang_next = max(0, self.faults.hang_next - 1)
            await asyncio.sleep(self.faults.hang_s)
        return JSONResponse({"recipient_id": said.user, "message_id": said.id})

    def _shown(self, said: Said) -> dict[str, Any]:
        at = datetime.fromtimestamp(said.at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        sender = self.page_id if said.from_oa else said.user
        return {"id": said.id, "message": said.text, "created_time": at, "from": {"id": sender}}


def _ms(at: float) -> int:
    return int(at * 1000)
