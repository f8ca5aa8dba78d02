"""Rasa over loopback HTTP: what a message means (`parse`), and one turn of a dialogue (`talk`).

Rasa saves its tracker once, after a message is wholly processed, with the metadata we sent; so `find_turn` can tell
after a crash whether a message was processed, and no message reaches a form twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import orjson

from bot.base.metrics import RASA_SECONDS
from bot.contracts.ids import ConversationId, EntryId, MessageId, TicketCode
from bot.contracts.messages import Choice, Reply

FALLBACK = "nlu_fallback"
RESTED_S: Final = 4.0
"""A connection that rested longer is not used again: Rasa's server may be closing it just now."""


class RasaUnavailable(Exception):
    """Rasa is down, slow or answered something that is not an answer."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """What Rasa made of a text."""

    intent: str
    confidence: float
    """0..1, Rasa's own; FALLBACK when no intent was clear."""
    entities: dict[str, str] = field(default_factory=dict)
    """Entity name → value as written, the first of each."""
    ranking: tuple[tuple[str, float], ...] = ()
    model: str | None = None
    """The file of the model that said so."""

    def confidence_in(self, intent: str) -> float:
        """Of any of the likeliest intents, also when another one, or none, was clear; 0 for the rest."""
        return max(
            (sure for name, sure in ((self.intent, self.confidence), *self.ranking) if name == intent), default=0.0
        )


class RasaClient:
    """One Rasa server. Calls raise RasaUnavailable instead of whatever went wrong."""

    def __init__(self, url: str, token: str, timeout_s: float) -> None:
        self._url, self._token = url.rstrip("/"), {"token": token} if token else {}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=1.0)
        self._http: aiohttp.ClientSession | None = None
        self._model: str | None = None

    async def close(self) -> None:
        """Release connections."""
        if self._http is not None:
            await self._http.close()

    async def is_up(self) -> bool:
        """True when a model is loaded and messages can be parsed."""
        try:
            status, _ = await self._call("status", "GET", "/status")
            self._model = status.get("model_file")
        except RasaUnavailable:
            return False
        return self._model is not None

    async def parse(self, text: str, message: MessageId) -> Understanding:
        """The meaning of `text`; nothing is remembered."""
        body = {"text": text, "message_id": str(message)}
        answer, _ = await self._call("parse", "POST", "/model/parse", json=body)
        if self._model is None:  # asked once, and only of a Rasa that answers: a parse does not say which model it was
            await self.is_up()
        intent = answer.get("intent") or {}
        entities: dict[str, str] = {}
        for one in answer.get("entities", ()):
            entities.setdefault(str(one["entity"]), str(one["value"]))
        ranking = tuple((str(one["name"]), float(one["confidence"])) for one in answer.get("intent_ranking", ())[:5])
        return Understanding(
            intent=str(intent.get("name") or FALLBACK),
            confidence=float(intent.get("confidence") or 0.0),
            entities=entities,
            ranking=ranking,
            model=self._model,
        )

    async def talk(
        self,
        conversation: ConversationId,
        message: MessageId,
        text: str,
        *,
        photo: bool = False,
        phone: str | None = None,
        place: str | None = None,
    ) -> tuple[tuple[Reply, ...], bool]:
        """Give `text` to the dialogue: what it says, and whether a form is under way after it.

        The rest is what the message brings beside words: a picture, a shared number, a shared place.
        """
        beside = {"photo": photo, "phone": phone, "place": place}
        body = {
            "sender": sender(conversation),
            "message": text,
            "metadata": {"message_id": int(message), "conversation_id": int(conversation), **beside},
        }
        answer, headers = await self._call("talk", "POST", "/webhooks/rest/webhook", json=body)
        if not isinstance(answer, list):
            raise RasaUnavailable("webhook answered no list")
        return replies_from(answer), bool(headers.get("x-active-loop"))

    async def find_turn(
        self, conversation: ConversationId, message: MessageId
    ) -> tuple[tuple[Reply, ...], bool] | None:
        """What `talk` returned for `message` when it was processed before; None if it never was."""
        tracker, _ = await self._call(
            "tracker", "GET", f"/conversations/{sender(conversation)}/tracker", params={"include_events": "ALL"}
        )
        replies = replies_after(tracker.get("events") or [], message)
        return None if replies is None else (replies, bool((tracker.get("active_loop") or {}).get("name")))

    async def forget(self, conversation: ConversationId) -> None:
        """End whatever dialogue is under way, e.g. because a person took over in the middle of a form."""
        path = f"/conversations/{sender(conversation)}/tracker/events"
        await self._call("forget", "POST", path, json={"event": "restart"})

    async def _call(
        self, name: str, method: str, path: str, params: Mapping[str, str] | None = None, **more: Any
    ) -> tuple[Any, Mapping[str, str]]:
        """What Rasa answers, and its headers."""
        if self._http is None:  # a session belongs to the loop that is running
            self._http = aiohttp.ClientSession(
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(limit=32, keepalive_timeout=RESTED_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        asked = {**self._token, **(params or {})}
        with RASA_SECONDS.labels(name).time():
            try:
                async with self._http.request(method, self._url + path, params=asked, **more) as response:
                    response.raise_for_status()
                    return orjson.loads(await response.read()), response.headers
            except (TimeoutError, aiohttp.ClientError, ValueError) as error:
                self._model = None  # whoever answers next may be another one
                raise RasaUnavailable(f"{name}: {type(error).__name__}") from error


def sender(conversation: ConversationId) -> str:
    """The name under which Rasa keeps a conversation."""
    return f"c{conversation}"


def replies_from(items: Sequence[dict[str, Any]]) -> tuple[Reply, ...]:
    """Rasa's list of texts and custom parts as replies; a custom part without text completes the reply before it."""
    replies: list[Reply] = []
    for item in items:
        custom = item.get("custom") or {}
        text = str(item.get("text") or custom.get("text") or "")
        buttons = item.get("buttons") or custom.get("choices") or ()
        choices = tuple(Choice(str(one["title"]), str(one["payload"])) for one in buttons)
        reply = Reply(
            text=text,
            choices=choices,
            ticket=TicketCode(custom["ticket"]) if custom.get("ticket") else None,
            entry=EntryId(int(custom["entry"])) if custom.get("entry") else None,
            ask_helpful=bool(custom.get("ask_helpful")),
        )
        if not text and replies:
            before = replies.pop()
            reply = Reply(
                before.text,
                before.choices or reply.choices,
                reply.ticket or before.ticket,
                reply.entry or before.entry,
                reply.ask_helpful or before.ask_helpful,
            )
        if reply.text:
            replies.append(reply)
    return tuple(replies)


def replies_after(events: Sequence[dict[str, Any]], message: MessageId) -> tuple[Reply, ...] | None:
    """What the bot said after the user event that carries `message`, up to the next user event; None if none does."""
    items: list[dict[str, Any]] | None = None
    for event in events:
        kind = event.get("event")
        if kind == "user":
            if (event.get("metadata") or {}).get("message_id") == int(message):
                items = items or []  # the two-stage fallback repeats the user event of the same message
            elif items is not None:
                break
        elif kind == "bot" and items is not None:
            data = event.get("data") or {}
            items.append({"text": event.get("text"), "buttons": data.get("buttons"), "custom": data.get("custom")})
    return None if items is None else replies_from(items)
