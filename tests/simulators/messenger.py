"""A Facebook page on loopback: citizens, officers, signed batches of webhooks; messenger_api.py answers the calls.

Written from PROTOCOLS.md section 2, not from the connector.
"""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

import httpx

from tests.simulators.courier import Courier
from tests.simulators.faults import Faults
from tests.simulators.messenger_api import routes
from tests.simulators.messenger_said import Said
from tests.simulators.serve import Running

__all__ = ["LADDER_S", "MessengerSimulator", "Said"]
LADDER_S = (5.0, 30.0, 120.0, 600.0, 3600.0)
"""Seconds between Meta's repeats of a webhook."""
INBOX_APP = 263902037430900


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
        patience_s: float = 5.0,
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
        self.token_facts: dict[str, Any] = {"expires_at": 0, "scopes": ["pages_messaging"]}
        """What /debug_token says about the page's token; 0: it does not end by time."""
        self._number = 0
        self._gateway = gateway.rstrip("/")
        address = f"{self._gateway}/webhooks/messenger" if gateway else ""
        self.courier = Courier(address, self.faults, self._pack, self._sign, patience_s=patience_s, ladder_s=ladder_s)
        self.app = routes(self)
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
        mid = self.new_id()
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
        mid = self.new_id()
        self.messages.append(Said(mid, user, False, time.time(), title, "postback"))
        self.event(user, {"postback": {"mid": mid, "title": title, "payload": payload}})
        return mid

    def comment(self, user: str, text: str, name: str = "Người bình luận") -> str:
        """Somebody comments under a post of the page."""
        comment = f"{self.page_id}_{self.new_id()}"
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
        said = Said(self.new_id(), user, True, time.time(), text)
        self.messages.append(said)
        self.echo(said, INBOX_APP, None)
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
        if what == "contact":
            number = "+84912345678"
            return self.message(user, {"text": number, "quick_reply": {"payload": number}})
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

    def new_id(self) -> str:
        """An id that nothing else has."""
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
        return {"X-Hub-Signature-256": f"sha256={self.hmac_of(self.app_secret, body)}"}

    def hmac_of(self, key: str, message: bytes) -> str:
        """Meta's signature, hex."""
        return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()

    def echo(self, said: Said, app: int, metadata: str | None) -> None:
        """Tell the gateway what the page sent, and that it arrived."""
        message: dict[str, Any] = {"is_echo": True, "app_id": app, "mid": said.id, "text": said.text}
        if metadata is not None:
            message["metadata"] = metadata
        ends = {"sender": {"id": self.page_id}, "recipient": {"id": said.user}}
        self.courier.send("page", {**ends, "timestamp": _ms(said.at), "message": message})
        delivery = {"delivery": {"mids": [said.id], "watermark": _ms(said.at)}}
        self.event(said.user, delivery, acts=False)


def _ms(at: float) -> int:
    return int(at * 1000)
