"""The web chat's HTTP interface (DESIGN.md section 8): for our own page and for other apps of the province."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from bot.base.clock import now
from bot.base.notify import Listener
from connectors.webchat.limits import TokenBuckets, network_of
from connectors.webchat.live import PAGE, LiveNews, TooManyStreams, message_json, stream_events
from connectors.webchat.messages import WebchatPorts
from connectors.webchat.pages import pages_router
from connectors.webchat.parse import clean_code, parse_message
from connectors.webchat.problems import SessionUnknown, TooFast, TooManyOpen, cors_headers, route_class
from connectors.webchat.sessions import Sessions
from connectors.webchat.settings import WebchatSettings

MAX_ID = 2**63 - 1
"""Largest bigint: an id beyond it can't be a row."""
RowId = Annotated[int, Query(ge=0, le=MAX_ID)]


class NewMessage(BaseModel):
    """A message of the citizen. Sent again with the same `client_message_id` it is still one message."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    client_message_id: str = Field(description="Mã do ứng dụng đặt, duy nhất trong phiên, 1–128 ký tự")
    text: str = Field(description="Nội dung; với nút bấm là tên nút")
    payload: str | None = Field(None, description="Giá trị của nút đã bấm, nếu là nút bấm")


class Helpful(BaseModel):
    """Whether an answer helped."""

    helped: bool


def webchat_router(ports: WebchatPorts, settings: WebchatSettings, listener: Listener) -> APIRouter:
    """API, pages and the embeddable script. `settings.session_secret` must be set: bot.app gives the house's key.

    Raises ValueError without a secret.
    """
    if settings.session_secret is None or not settings.session_secret.get_secret_value():
        raise ValueError("WebchatSettings.session_secret is empty: nobody could sign sessions")
    router = APIRouter()
    sessions = Sessions(settings.session_secret, settings.session_days)
    router.include_router(_api(ports, settings, listener, sessions))
    router.include_router(pages_router(settings))
    return router


def _api(ports: WebchatPorts, settings: WebchatSettings, listener: Listener, sessions: Sessions) -> APIRouter:
    live = LiveNews(listener, per_citizen=settings.streams_per_session, in_all=settings.max_streams)
    gate = _Gate(settings)
    routes = route_class(settings.allowed_origins, settings.max_body_bytes)
    api = APIRouter(prefix="/api/v1", tags=["webchat"], route_class=routes)

    async def citizen_of(authorization: Annotated[str, Header()] = "") -> str:
        """The citizen whose token this is. Raises SessionUnknown. (Not async, it would be sent to a thread.)"""
        scheme, _, token = authorization.partition(" ")
        citizen_ref = sessions.find_citizen(token.strip()) if scheme.lower() == "bearer" else None
        if citizen_ref is None:
            raise SessionUnknown
        return citizen_ref

    async def citizen_of_stream(authorization: Annotated[str, Header()] = "", token: str = "") -> str:
        """The same; the browser's EventSource can't set headers, so here `?token=` will do."""
        return await citizen_of(authorization or f"Bearer {token}")

    Citizen = Annotated[str, Depends(citizen_of)]
    StreamCitizen = Annotated[str, Depends(citizen_of_stream)]

    @api.post("/chat/sessions", status_code=201, dependencies=[Depends(gate.address)])
    async def create_session() -> dict[str, str]:
        """A new conversation: keep the token, it is the only key to it."""
        return {"token": sessions.create()}

    @api.post("/chat/messages", status_code=202, dependencies=[Depends(gate.address)])
    async def accept_message(citizen: Citizen, message: NewMessage) -> dict[str, int]:
        """Take a message: when this answers 202 it is stored and will be answered."""
        gate.session(citizen)
        inbound = parse_message(
            citizen,
            message.client_message_id,
            message.text,
            message.payload,
            now=now(),
            max_chars=settings.max_chars,
        )
        return {"id": await ports.accept(inbound)}

    @api.get("/chat/messages", dependencies=[Depends(gate.address)])
    async def list_messages(
        citizen: Citizen, after: RowId = 0, limit: Annotated[int, Query(ge=1, le=500)] = PAGE
    ) -> dict[str, Any]:
        """Messages with an id above `after`, oldest first; `more` says that there are others behind them."""
        page = await ports.history(citizen, after, limit)
        return {"messages": [message_json(one) for one in page], "more": len(page) >= limit}

    @api.post("/chat/messages/{message_id}/helpful", status_code=204, dependencies=[Depends(gate.address)])
    async def rate_answer(citizen: Citizen, message_id: int, rating: Helpful) -> Response:
        """Say whether an answer helped; saying it again changes it."""
        gate.session(citizen)
        await ports.rate(citizen, min(message_id, MAX_ID), rating.helped)
        return Response(status_code=204)

    @api.get("/chat/events", dependencies=[Depends(gate.address)])
    async def events(
        request: Request, citizen: StreamCitizen, after: RowId = 0, last_event_id: Annotated[str, Header()] = ""
    ) -> StreamingResponse:
        """Server-sent events: "message" (as in the list; its id is the event's id) and "typing"; a heartbeat."""
        start = min(int(last_event_id), MAX_ID) if last_event_id.isdecimal() else after
        stack = AsyncExitStack()
        try:
            news = await stack.enter_async_context(live.follow(citizen))
        except TooManyStreams:
            raise TooManyOpen from None

        async def body() -> AsyncIterator[bytes]:
            async with stack:
                async for one in stream_events(ports, news, citizen, start, settings.heartbeat_s):
                    yield one

        return StreamingResponse(
            body(), media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )

    @api.get("/chat/suggestions", dependencies=[Depends(gate.address)])
    async def suggestions() -> dict[str, list[str]]:
        """A few questions to start with."""
        return {"suggestions": list(await ports.suggestions())}

    @api.get("/tickets/{code}", dependencies=[Depends(gate.lookup)])
    async def ticket_status(code: str) -> dict[str, Any]:
        """Where a ticket stands, for whoever knows its code; no personal data."""
        ticket = await ports.ticket_status(clean_code(code))
        return {
            "code": ticket.code,
            "state_vi": ticket.state_vi,
            "subject": ticket.subject,
            "unit": ticket.unit,
            "opened_at": ticket.opened_at.isoformat(),
            "promised_at": ticket.promised_at.isoformat() if ticket.promised_at else None,
            "answered": ticket.answered,
        }

    @api.options("/chat/{rest:path}", include_in_schema=False)
    @api.options("/tickets/{rest:path}", include_in_schema=False)
    async def preflight(request: Request, rest: str) -> Response:
        """May a page of another origin ask? The headers say so, or are not there."""
        return Response(status_code=204, headers=cors_headers(request.headers.get("origin"), settings.allowed_origins))

    return api


class _Gate:
    """Rate limits per session and per address."""

    def __init__(self, settings: WebchatSettings) -> None:
        self._unlimited = frozenset(settings.unlimited_addresses)
        self._sessions = TokenBuckets(settings.session_burst, settings.session_per_s)
        self._addresses = TokenBuckets(settings.address_burst, settings.address_per_s)
        self._lookups = TokenBuckets(settings.lookup_burst, settings.lookup_per_s)

    def session(self, citizen_ref: str) -> None:
        """One more from this session. Raises TooFast."""
        _take(self._sessions, citizen_ref)

    async def address(self, request: Request) -> None:
        """One more from this address. Raises TooFast."""
        self._count(self._addresses, request)

    async def lookup(self, request: Request) -> None:
        """One more look-up from this address, where codes could be guessed. Raises TooFast."""
        self._count(self._lookups, request)

    def _count(self, buckets: TokenBuckets, request: Request) -> None:
        host = request.client.host if request.client else ""
        if host not in self._unlimited:
            _take(buckets, network_of(host))


def _take(buckets: TokenBuckets, key: str) -> None:
    if wait_s := buckets.take(key, asyncio.get_running_loop().time()):
        raise TooFast(wait_s)
