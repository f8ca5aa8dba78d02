"""Live messages for open pages: one subscription per process, spread to the pages it concerns."""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from bot.base.notify import Listener
from connectors.webchat.messages import ChatMessage, WebchatPorts

log = structlog.get_logger(__name__)

PAGE = 100
"""Messages per look at the rows."""


@dataclass(frozen=True, slots=True)
class Look:
    """Rows may have been added; `message` is the new one's id where it is known."""

    message: int | None = None


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody is writing an answer."""


News = Look | Typing


class TooManyStreams(Exception):
    """This session, or this process, has as many open streams as it may have."""


class LiveNews:
    """Spreads the news of topics "conversation" and "typing" to the streams of the citizen they are about."""

    def __init__(self, listener: Listener, *, per_citizen: int, in_all: int) -> None:
        self._listener, self._per_citizen, self._in_all = listener, per_citizen, in_all
        self._streams: dict[str, set[asyncio.Queue[News]]] = defaultdict(set)
        self._open = 0
        self._tasks: list[asyncio.Task[None]] = []

    @contextlib.asynccontextmanager
    async def follow(self, citizen_ref: str) -> AsyncIterator[asyncio.Queue[News]]:
        """News about one citizen while the block runs. Raises TooManyStreams."""
        mine = self._streams[citizen_ref]
        if len(mine) >= self._per_citizen or self._open >= self._in_all:
            raise TooManyStreams
        queue: asyncio.Queue[News] = asyncio.Queue(maxsize=64)
        mine.add(queue)
        self._open += 1
        if not self._tasks:
            topics = ("conversation", "typing")
            self._tasks = [asyncio.create_task(self._spread(one), name=f"webchat-live-{one}") for one in topics]
        try:
            yield queue
        finally:
            mine.discard(queue)
            self._open -= 1
            if not mine:
                self._streams.pop(citizen_ref, None)
            if not self._open:
                for task in self._tasks:
                    task.cancel()
                self._tasks = []

    async def _spread(self, topic: str) -> None:
        async with self._listener.subscribe(topic) as queue:
            while True:
                self._pass_on(await queue.get())

    def _pass_on(self, fields: Mapping[str, Any]) -> None:
        match fields:
            case {"topic": "reconnected"}:  # we may have missed some: everybody looks
                for queues in self._streams.values():
                    for queue in queues:
                        _put(queue, Look())
            case {"topic": "conversation", "citizen_ref": str(citizen_ref)}:
                message = fields.get("message")
                for queue in self._streams.get(citizen_ref, ()):
                    _put(queue, Look(message if isinstance(message, int) else None))
            case {"topic": "typing", "citizen_ref": str(citizen_ref)}:
                for queue in self._streams.get(citizen_ref, ()):
                    _put(queue, Typing())
            case _:
                log.debug("webchat.news_ignored", topic=fields.get("topic"))


def _put(queue: "asyncio.Queue[News]", news: News) -> None:
    """A reader that is slow loses the oldest news: it looks at the rows again at the next heartbeat."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(news)


async def stream_events(
    ports: WebchatPorts, news: "asyncio.Queue[News]", citizen_ref: str, after: int, heartbeat_s: float
) -> AsyncIterator[bytes]:
    """Server-sent events: "message" for every row above `after`, in order and once; "typing"; a comment as heartbeat.

    Ends quietly when the rows can't be read: the page connects again.
    """
    last = after
    sent: deque[int] = deque(maxlen=500)
    look: Look | None = Look()
    yield b"retry: 2000\n: xin chao\n\n"  # at once, so that the page knows no proxy is holding us back
    try:
        while True:
            if look is not None:
                # A row's id is given before its commit: a lower id than the last one sent may become visible later.
                start = last if look.message is None else min(last, look.message - 1)
                while page := await ports.history(citizen_ref, start, PAGE):
                    for message in page:
                        if message.id > last or message.id == look.message:
                            if message.id not in sent:
                                sent.append(message.id)
                                yield _event("message", message_json(message), event_id=max(last, message.id))
                            last = max(last, message.id)
                    start = page[-1].id
                    if len(page) < PAGE:
                        break
                look = None
            try:
                heard = await asyncio.wait_for(news.get(), heartbeat_s)
            except TimeoutError:
                yield b": nhip\n\n"
                look = Look()  # news can get lost, rows can't
                continue
            if isinstance(heard, Look):
                look = heard
            else:
                yield _event("typing", {})
    except asyncio.CancelledError:
        raise
    except Exception as error:  # whatever the rows' room raises: the stream is only a convenience
        log.warning("webchat.stream_ended", error=type(error).__name__)


def _event(name: str, fields: Mapping[str, Any], *, event_id: int | None = None) -> bytes:
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {name}\ndata: ".encode() + orjson.dumps(fields) + b"\n\n"


def message_json(message: ChatMessage) -> dict[str, Any]:
    """A message as the API gives it (DESIGN.md section 8; the last four are ours)."""
    return {
        "id": message.id,
        "from": message.author.value,
        "text": message.text,
        "choices": [one.as_json() for one in message.choices],
        "ticket": message.ticket,
        "created_at": message.created_at.isoformat(),
        "ask_helpful": message.ask_helpful,
        "helpful": message.helpful,
        "attachments": [
            {"kind": one.kind.value, "name": one.name, "url": one.url, "mime": one.mime} for one in message.attachments
        ],
        "client_message_id": message.client_message_id,
    }
