"""A Zalo Official Account on loopback: OAuth v4, consultation messages, history, uploads, signed webhooks.

Written from PROTOCOLS.md section 1, not from the connector. Errors come with HTTP 200, as on the real platform.
"""

import asyncio
import hashlib
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import FastAPI, File, Form, Header, Request, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse, Response

from tests.simulators import controls
from tests.simulators.courier import Courier
from tests.simulators.faults import Faults
from tests.simulators.serve import Running

DAY = 86400.0
LADDER_S = (30.0, 300.0, 900.0, 1800.0, 3600.0)
QUERY_TYPES = {"oa.query.show", "oa.query.hide"}
TEXTS = {
    -32: "Your application reached limit call api per minute",
    -200: "Send message failed",
    -201: "Params is invalid",
    -210: "Param exceed allowed length",
    -216: "Access token is invalid",
    -220: "Access token has expired",
    -230: "User has not interacted with the OA in the past 7 days",
    -233: "Message type is invalid or not support",
    -240: "MessageV2 API has been shut down, please upgrade to V3",
    -100: "Attachment has expired",
}


@dataclass
class Said:
    """One message, from a citizen or from the OA."""

    id: str
    user: str
    from_oa: bool
    at: float
    text: str
    kind: str = "text"
    buttons: list[dict[str, Any]] = field(default_factory=list)
    quote: str | None = None
    body: dict[str, Any] = field(default_factory=dict)
    admin: str | None = None


@dataclass
class Person:
    """A citizen with a Zalo account."""

    id: str
    name: str
    last_interaction: float | None = None


class ZaloError(Exception):
    """An error as Zalo reports it."""

    def __init__(self, code: int, message: str = "") -> None:
        self.code, self.message = code, message or TEXTS.get(code, "Error")


class ZaloSimulator:
    """The platform and its citizens."""

    name = "zalo"

    def __init__(
        self,
        *,
        gateway: str = "",
        app_id: str = "4300000000000001022",
        app_secret: str = "sim-zalo-app-secret",
        oa_secret: str = "sim-zalo-oa-secret",
        oa_id: str = "2900000000000001022",
        access_token: str = "sim-access-0",
        refresh_token: str = "sim-refresh-0",
        token_life_s: float = 90_000.0,
        ladder_s: Sequence[float] = LADDER_S,
        buttons_work: bool = True,
        port: int = 0,
    ) -> None:
        self.app_id, self.app_secret, self.oa_secret, self.oa_id = app_id, app_secret, oa_secret, oa_id
        self.token_life_s, self.buttons_work = token_life_s, buttons_work
        self.faults = Faults()
        self.messages: list[Said] = []
        self.people: dict[str, Person] = {}
        self.calls: list[tuple[str, str]] = []
        """Path and access token of every API call."""
        self.refreshes: list[str] = []
        """Refresh tokens that were handed in, valid or not."""
        self.access: dict[str, float] = {access_token: time.time() + token_life_s}
        self.live_refresh = {refresh_token}
        self.codes: dict[str, str] = {}
        """Consent codes → their PKCE challenge."""
        self.uploads: dict[str, tuple[str, bytes, float]] = {}
        self.quota: dict[str, Any] = {"quota_type": "reply"}
        """What answers say about the citizen's or the OA's quota; without one the message is charged."""
        self.calls_per_minute = 4000
        self._minute: tuple[int, int] = (0, 0)
        self._number = 0
        address = f"{gateway.rstrip('/')}/webhooks/zalo" if gateway else ""
        self.courier = Courier(address, self.faults, self._pack, self._sign, patience_s=2.0, ladder_s=ladder_s)
        self.app = self._routes()
        self.running = Running(self.app, port)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.running.url

    def start(self) -> "ZaloSimulator":
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
            "ZALO_APP_ID": self.app_id,
            "ZALO_APP_SECRET": self.app_secret,
            "ZALO_OA_SECRET": self.oa_secret,
            "ZALO_API_BASE": self.url,
            "ZALO_OAUTH_BASE": self.url,
            "ZALO_ACCESS_TOKEN": next(iter(self.access)),
            "ZALO_REFRESH_TOKEN": next(iter(self.live_refresh)),
        }

    # --- what citizens and officers do -------------------------------------------------------------------------------

    def say(self, user: str, text: str) -> str:
        """A citizen writes; the message's id. Call inside the server's loop (`running.call`)."""
        return self.event(user, "user_send_text", {"text": text})

    def event(self, user: str, name: str, message: dict[str, Any] | None = None, **extra: Any) -> str:
        """Any event of a citizen: `message` is its message part."""
        person = self.people.setdefault(user, Person(user, f"Người dân {user[-4:]}"))
        if name != "unfollow":
            person.last_interaction = time.time()
        message_id = self._new_id()
        event = {**self._common(name), "user_id_by_app": f"77{user}", **extra}
        if name in ("follow", "unfollow"):
            event |= {"follower": {"id": user}, "oa_id": self.oa_id, "source": "oa_profile"}
        elif name == "user_seen_message":
            event |= {"sender": {"id": user}, "recipient": {"id": self.oa_id}, "message": message or {}}
        else:
            event |= {"sender": {"id": user}, "recipient": {"id": self.oa_id}}
            if message is not None:
                event["message"] = {"msg_id": message_id, **message}
        if message is not None and name.startswith("user_send_"):
            kind = name.removeprefix("user_send_")
            self.messages.append(Said(message_id, user, False, time.time(), message.get("text", ""), kind))
        self.courier.send(user, event)
        return message_id

    def press(self, user: str, message_id: str, title: str) -> str:
        """A citizen presses a button under a message of the OA: its payload comes back as their text."""
        message = next(one for one in self.messages if one.id == message_id)
        button = next(one for one in message.buttons if one["title"] == title)
        if button["type"] not in QUERY_TYPES:
            raise ValueError(f"{button['type']} sends nothing")
        return self.say(user, button["payload"])

    def officer_says(self, user: str, text: str, admin: str = "9900000000000000001") -> str:
        """A person answers in Zalo's own OA chat tool: only the echo tells us."""
        said = Said(self._new_id(), user, True, time.time(), text, admin=admin)
        self.messages.append(said)
        self._echo(said)
        return said.id

    def see(self, user: str) -> None:
        """The citizen opens the chat: everything of the OA is seen."""
        ids = [one.id for one in self.messages if one.user == user and one.from_oa]
        self.event(user, "user_seen_message", {"msg_ids": ids})

    def age(self, user: str, hours: float) -> None:
        """Let the citizen's last interaction be so long ago."""
        self.people[user].last_interaction = time.time() - hours * 3600

    def expire_tokens(self) -> None:
        """Every access token is over."""
        self.access = dict.fromkeys(self.access, time.time() - 1)

    def to(self, user: str) -> list[Said]:
        """What the OA said to a citizen, oldest first."""
        return [one for one in self.messages if one.user == user and one.from_oa]

    def play(self, user: str, what: str) -> str:
        """What the page's buttons do."""
        point = {"coordinates": {"latitude": "19.8067", "longitude": "105.7764"}}
        if what == "follow":
            return self.event(user, "follow")
        if what == "location":
            attachment = {"type": "location", "payload": point}
        else:
            attachment = {"type": "sticker", "payload": {"id": "bfe458bf64fa8da4d4eb", "url": f"{self.url}/s.png"}}
        return self.event(user, f"user_send_{attachment['type']}", {"attachments": [attachment]})

    # --- the platform ------------------------------------------------------------------------------------------------

    def _new_id(self) -> str:
        self._number += 1
        return f"{secrets.token_hex(8)}{self._number:06d}"

    def _common(self, name: str) -> dict[str, Any]:
        return {"app_id": self.app_id, "event_name": name, "timestamp": str(int(time.time() * 1000))}

    def _pack(self, events: Sequence[dict[str, Any]]) -> bytes:
        (event,) = events  # Zalo sends no batches
        return json.dumps(event, ensure_ascii=False).encode()

    def _sign(self, body: bytes) -> dict[str, str]:
        stamp = json.loads(body)["timestamp"]
        digest = hashlib.sha256()
        for piece in (self.app_id.encode(), body, stamp.encode(), self.oa_secret.encode()):
            digest.update(piece)
        return {"X-ZEvent-Signature": f"mac={digest.hexdigest()}"}

    def _echo(self, said: Said) -> None:
        sender: dict[str, Any] = {"id": self.oa_id}
        if said.admin:
            sender["admin_id"] = said.admin
        name = {"text": "oa_send_text", "file": "oa_send_file", "gif": "oa_send_gif", "image": "oa_send_image"}
        message: dict[str, Any] = {"msg_id": said.id, "text": said.text}
        event = {**self._common(name.get(said.kind, "oa_send_template")), "sender": sender}
        self.courier.send(said.user, {**event, "recipient": {"id": said.user}, "message": message})
        received = {**self._common("user_received_message"), "sender": {"id": self.oa_id}}
        self.courier.send(said.user, {**received, "recipient": {"id": said.user}, "message": {"msg_id": said.id}})

    def _check_token(self, token: str | None) -> None:
        if token is None or token not in self.access:
            raise ZaloError(-216)
        if self.access[token] < time.time():
            raise ZaloError(-220)
        minute = int(time.time() // 60)
        self._minute = (minute, self._minute[1] + 1 if self._minute[0] == minute else 1)
        if self._minute[1] > self.calls_per_minute:
            raise ZaloError(-32)

    def _accept(self, body: dict[str, Any]) -> Said:
        """Check a consultation message as Zalo does and take it."""
        recipient, message = body.get("recipient"), body.get("message")
        if not isinstance(recipient, dict) or not isinstance(message, dict):
            raise ZaloError(-201, "message is empty")
        user = str(recipient.get("user_id", ""))
        person = self.people.get(user)
        if person is None:
            raise ZaloError(-201, "user_id is invalid")
        if person.last_interaction is None or time.time() - person.last_interaction > 7 * DAY:
            raise ZaloError(-230)
        text, attachment = message.get("text", ""), message.get("attachment")
        if len(text) > 2000:
            raise ZaloError(-210)
        if not text and not attachment:
            raise ZaloError(-201, "text is empty")
        quote = message.get("quote_message_id")
        if quote and quote not in {one.id for one in self.messages}:
            raise ZaloError(-201, "quote_message_id is invalid")
        kind, buttons = self._check_attachment(attachment) if attachment else ("text", [])
        return Said(self._new_id(), user, True, time.time(), text, kind, buttons, quote, body)

    def _check_attachment(self, attachment: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        payload = attachment.get("payload", {})
        if attachment.get("type") == "file":
            self._check_upload(payload.get("token"), {"file"})
            return "file", []
        if attachment.get("type") != "template":
            raise ZaloError(-233)
        if payload.get("template_type") == "media":
            (element,) = payload["elements"]
            if element["media_type"] == "gif" and not (element.get("width") and element.get("height")):
                raise ZaloError(-201, "width is invalid")
            self._check_upload(element.get("attachment_id"), {"image", "gif"})
            return str(element["media_type"]), []
        if "template_type" in payload or not self.buttons_work:
            raise ZaloError(-233)
        buttons = payload.get("buttons", [])
        if not 1 <= len(buttons) <= 5:
            raise ZaloError(-201, "buttons is invalid")
        for one in buttons:
            self._check_button(one)
        return "text", buttons

    def _check_button(self, button: dict[str, Any]) -> None:
        kind, payload = button.get("type"), button.get("payload")
        good = 1 <= len(button.get("title", "")) <= 100
        if kind in QUERY_TYPES:
            good &= isinstance(payload, str) and len(payload) <= 1000
        elif kind == "oa.open.url":
            good &= isinstance(payload, dict) and str(payload.get("url", "")).startswith("http")
        elif kind == "oa.open.phone":
            good &= isinstance(payload, dict) and str(payload.get("phone_code", "")).isdigit()
        else:
            good = False
        if not good:
            raise ZaloError(-201, "buttons is invalid")

    def _check_upload(self, token: str | None, kinds: set[str]) -> None:
        kind, _, until = self.uploads.get(token or "", ("", b"", 0.0))
        if kind not in kinds:
            raise ZaloError(-201, "attachment is invalid")
        if until < time.time():
            raise ZaloError(-100)

    def _grant(self) -> dict[str, str]:
        """A new pair; every older access token dies."""
        access, refresh = f"access-{secrets.token_hex(12)}", f"refresh-{secrets.token_hex(12)}"
        self.access = {access: time.time() + self.token_life_s}
        self.live_refresh = {refresh}
        return {"access_token": access, "refresh_token": refresh, "expires_in": str(int(self.token_life_s))}

    async def _refresh(self, token: str) -> dict[str, Any]:
        self.refreshes.append(token)
        if self.faults.hang_refresh == "before":
            await asyncio.sleep(self.faults.hang_s)
            return {"error": -1, "error_name": "Timeout"}
        if token not in self.live_refresh:
            return {"error": -14014, "error_name": "Invalid refresh token", "error_reason": "used or expired"}
        granted = self._grant()
        if self.faults.hang_refresh == "after":
            await asyncio.sleep(self.faults.hang_s)
        return granted

    def consent_code(self, url: str) -> str:
        """What an administrator of the OA brings back from the consent page at `url`."""
        query = parse_qs(urlsplit(url).query)
        code = secrets.token_urlsafe(12)
        self.codes[code] = query["code_challenge"][0]
        return code

    def _routes(self) -> FastAPI:
        app = FastAPI(title="Zalo simulator")

        @app.exception_handler(ZaloError)
        async def failed(_: Request, error: ZaloError) -> JSONResponse:
            return JSONResponse({"error": error.code, "message": error.message})

        @app.get("/v4/oa/permission", response_class=HTMLResponse)
        async def consent(app_id: str, redirect_uri: str, code_challenge: str, state: str = "") -> str:
            code = secrets.token_urlsafe(12)
            self.codes[code] = code_challenge
            target = f"{redirect_uri}?{urlencode({'code': code, 'oa_id': self.oa_id, 'state': state})}"
            good = app_id == self.app_id
            return f'<h1>Zalo (giả lập)</h1><a id="agree" href="{target}">Đồng ý</a>' if good else "-14002"

        @app.post("/v4/oa/access_token")
        async def tokens(
            app_id: Annotated[str, Form()],
            grant_type: Annotated[str, Form()],
            secret_key: Annotated[str | None, Header(convert_underscores=False)] = None,
            refresh_token: Annotated[str, Form()] = "",
            code: Annotated[str, Form()] = "",
            code_verifier: Annotated[str, Form()] = "",
        ) -> dict[str, Any]:
            if app_id != self.app_id or secret_key != self.app_secret:
                return {"error": -14004, "error_name": "Invalid app", "error_reason": "app_id or secret_key"}
            if grant_type == "refresh_token":
                return await self._refresh(refresh_token)
            challenge = self.codes.pop(code, None)
            digest = urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")
            if grant_type != "authorization_code" or challenge != digest:
                return {"error": -14011, "error_name": "Invalid code", "error_reason": "code or code_verifier"}
            return self._grant()

        @app.post("/v3.0/oa/message/cs")
        async def message(request: Request) -> Response:
            return await self._message(await request.json(), request.headers.get("access_token"))

        @app.post("/v2.0/oa/message")
        async def old_message(request: Request) -> dict[str, Any]:
            self._check_token(request.headers.get("access_token"))
            body = await request.json()
            recipient = body.get("recipient", {})
            if "sender_action" in body:
                return {"error": 0, "message": "Success", "data": {}}
            if "anonymous_id" not in recipient or "conversation_id" not in recipient:
                raise ZaloError(-240)
            user = f"{recipient['anonymous_id']}/{recipient['conversation_id']}"
            said = Said(self._new_id(), user, True, time.time(), body["message"].get("text", ""), body=body)
            self.messages.append(said)
            return {"error": 0, "message": "Success", "data": {"message_id": said.id}}

        @app.get("/v2.0/oa/conversation")
        async def history(request: Request, data: str) -> dict[str, Any]:
            self._check_token(request.headers.get("access_token"))
            wanted = json.loads(data)
            if not 0 < wanted["count"] <= 10:
                raise ZaloError(-201, "count is invalid")
            mine = [one for one in reversed(self.messages) if one.user == wanted["user_id"]]
            start = wanted["offset"]
            return {"error": 0, "message": "Success", "data": [self._shown(one) for one in mine[start : start + 10]]}

        @app.get("/v3.0/oa/user/detail")
        async def detail(request: Request, data: str) -> dict[str, Any]:
            self._check_token(request.headers.get("access_token"))
            person = self.people.get(json.loads(data)["user_id"])
            if person is None:
                raise ZaloError(-201, "user_id is invalid")
            return {"error": 0, "message": "Success", "data": {"user_id": person.id, "display_name": person.name}}

        @app.get("/v2.0/oa/getoa")
        async def getoa(request: Request) -> dict[str, Any]:
            self._check_token(request.headers.get("access_token"))
            return {"error": 0, "message": "Success", "data": {"oa_id": self.oa_id, "is_verified": True}}

        @app.post("/v3.0/oa/quota/message")
        async def quota(request: Request) -> dict[str, Any]:
            self._check_token(request.headers.get("access_token"))
            person = self.people.get((await request.json()).get("user_id", ""))
            last = int((person.last_interaction or 0) * 1000) if person else 0
            return {"error": 0, "message": "Success", "data": {"last_interaction": last, "cs_reply": {"remain": 8}}}

        @app.post("/v2.0/oa/upload/{kind}")
        async def upload(kind: str, request: Request, file: Annotated[UploadFile, File()]) -> dict[str, Any]:
            self._check_token(request.headers.get("access_token"))
            content, ending = await file.read(), (file.filename or "").rsplit(".", 1)[-1].lower()
            endings = {"image": {"jpg", "jpeg", "png"}, "gif": {"gif"}, "file": {"pdf", "doc", "docx", "csv"}}
            most = 1024 * 1024 if kind == "image" else 5 * 1024 * 1024
            if ending not in endings.get(kind, set()) or len(content) > most:
                raise ZaloError(-201, "file is invalid")
            token = f"{kind}-{secrets.token_hex(8)}"
            self.uploads[token] = (kind, content, time.time() + 7 * DAY)
            key = "token" if kind == "file" else "attachment_id"
            return {"error": 0, "message": "Success", "data": {key: token}}

        controls.add(app, self, "Zalo OA “1022 Thanh Hóa”")
        return app

    async def _message(self, body: dict[str, Any], token: str | None) -> Response:
        self.calls.append(("/v3.0/oa/message/cs", token or ""))
        if self.faults.happens(self.faults.slow_rate):
            await asyncio.sleep(self.faults.slow_s)
        if self.faults.happens(self.faults.http_error_rate):
            return JSONResponse({}, status_code=500)
        self._check_token(token)
        if self.faults.next_codes and (code := int(self.faults.next_codes.pop(0))):
            raise ZaloError(code)
        if self.faults.happens(self.faults.code_rate):
            raise ZaloError(self.faults.dice.choice([-32, -200]))
        said = self._accept(body)
        self.messages.append(said)
        self._echo(said)
        if self.faults.cut_next > 0:
            self.faults.cut_next -= 1
            return Response(status_code=502)
        if self.faults.hang_next > 0 or self.faults.happens(self.faults.hang_rate):
            self.faults.hang_next = max(0, self.faults.hang_next - 1)
            await asyncio.sleep(self.faults.hang_s)
        age = time.time() - (self.people[said.user].last_interaction or 0)
        data: dict[str, Any] = {"message_id": said.id, "user_id": said.user, "sent_time": str(int(said.at * 1000))}
        if age <= 48 * 3600:
            data["quota"] = self.quota
        return JSONResponse({"error": 0, "message": "Success", "data": data})

    def _shown(self, said: Said) -> dict[str, Any]:
        ends = (self.oa_id, said.user) if said.from_oa else (said.user, self.oa_id)
        kind = {"image": "photo"}.get(said.kind, said.kind)
        return {
            "src": 0 if said.from_oa else 1,
            "time": int(said.at * 1000),
            "type": kind,
            "message": said.text,
            "message_id": said.id,
            "from_id": ends[0],
            "to_id": ends[1],
        }
