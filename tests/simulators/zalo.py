"""A Zalo Official Account on loopback: citizens, officers, signed webhooks; zalo_api.py answers the gateway's calls.

Written from PROTOCOLS.md section 1, not from the connector. Errors come with HTTP 200, as on the real platform.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.simulators.courier import Courier
from tests.simulators.faults import Faults
from tests.simulators.serve import Running
from tests.simulators.zalo_api import routes
from tests.simulators.zalo_said import QUERY_TYPES, Person, Said

__all__ = ["LADDER_S", "Person", "Said", "ZaloSimulator"]
LADDER_S = (30.0, 300.0, 900.0, 1800.0, 3600.0)
"""Seconds between Zalo's repeats of a webhook."""


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
        patience_s: float = 2.0,
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
        self.minute: tuple[int, int] = (0, 0)
        self._number = 0
        address = f"{gateway.rstrip('/')}/webhooks/zalo" if gateway else ""
        self.courier = Courier(address, self.faults, self._pack, self._sign, patience_s=patience_s, ladder_s=ladder_s)
        self.app = routes(self)
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
        message_id = self.new_id()
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
        said = Said(self.new_id(), user, True, time.time(), text, admin=admin)
        self.messages.append(said)
        self.echo(said)
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
        if what == "contact":
            address = {"user_city": "Thanh Hóa", "user_ward": "Hạc Thành", "user_address": "1 Đại lộ Lê Lợi"}
            info = {"name": "Nguyễn Văn Mẫu", "phone": "84912345678", "gender": 1, "full_address": address}
            self.messages.append(Said(self.new_id(), user, False, time.time(), "Chia sẻ thông tin", "contact"))
            return self.event(user, "user_submit_info", info=info)
        if what == "location":
            attachment = {"type": "location", "payload": point}
        else:
            attachment = {"type": "sticker", "payload": {"id": "bfe458bf64fa8da4d4eb", "url": f"{self.url}/s.png"}}
        return self.event(user, f"user_send_{attachment['type']}", {"attachments": [attachment]})

    # --- the platform ------------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """An id that nothing else has."""
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

    def echo(self, said: Said) -> None:
        """Tell the gateway what the OA sent, and that it arrived."""
        sender: dict[str, Any] = {"id": self.oa_id}
        if said.admin:
            sender["admin_id"] = said.admin
        name = {"text": "oa_send_text", "file": "oa_send_file", "gif": "oa_send_gif", "image": "oa_send_image"}
        message: dict[str, Any] = {"msg_id": said.id, "text": said.text}
        event = {**self._common(name.get(said.kind, "oa_send_template")), "sender": sender}
        self.courier.send(said.user, {**event, "recipient": {"id": said.user}, "message": message})
        received = {**self._common("user_received_message"), "sender": {"id": self.oa_id}}
        self.courier.send(said.user, {**received, "recipient": {"id": said.user}, "message": {"msg_id": said.id}})

    def consent_code(self, url: str) -> str:
        """What an administrator of the OA brings back from the consent page at `url`."""
        query = parse_qs(urlsplit(url).query)
        code = secrets.token_urlsafe(12)
        self.codes[code] = query["code_challenge"][0]
        return code
