"""The gateway's own routes: platforms' webhooks, health, metrics. Verify, store, answer; the work comes later."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from secrets import compare_digest
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from procrastinate.tasks import Task
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base import jobs
from bot.base.clock import now
from bot.base.db import Database
from bot.base.metrics import MESSAGES
from bot.base.settings import HouseSettings
from bot.contracts.connector import Connector
from bot.contracts.errors import PayloadRefused, SignatureRefused
from bot.contracts.ids import Channel
from bot.contracts.messages import Echo, ErasureAsked, Event, Inbound, Receipt
from bot.conversation.erase import erase_citizen
from bot.conversation.rasa import RasaClient
from bot.inbox.accept import accept, accept_echo, accept_receipt

log = structlog.get_logger(__name__)
LOOPBACK = frozenset({"127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Doors:
    """What the routes need."""

    database: Database
    converse: Task[Any, Any, Any]
    fetch: Task[Any, Any, Any]
    rasa: RasaClient
    connectors: Mapping[Channel, Connector]
    why_off: Mapping[Channel, str]

    async def store(self, session: AsyncSession, event: Event, moment: datetime) -> None:
        """Write one event of a platform."""
        match event:
            case Inbound():
                message, is_new = await accept(session, event, self.converse)
                if is_new and event.attachments:
                    await jobs.defer(session, self.fetch, lock=f"fetch:{message}", message=message)
                if is_new:
                    MESSAGES.labels(event.channel).inc()
            case Receipt():
                await accept_receipt(session, event)
            case Echo():
                await accept_echo(session, event)
            case ErasureAsked():
                await erase_citizen(session, event.channel, event.citizen_ref, moment)


def doors_router(doors: Doors, settings: HouseSettings) -> APIRouter:
    """`/webhooks/{channel}`, `/healthz`, `/readyz`, `/metrics`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Alive."""
        return {"status": "alive"}

    @router.get("/readyz")
    async def readyz() -> Response:
        """Can answer: Rasa has its model, and PostgreSQL answers. The index was loaded before the first request;
        one without entries counts too, since then people answer."""
        missing = []
        if not await doors.rasa.is_up():
            missing.append("rasa")
        try:
            await doors.database.wait_until_up(seconds=0.5)
        except DBAPIError:
            missing.append("database")
        return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        """For Prometheus: from this machine, or with the token."""
        token = settings.tongdai_metrics_token
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        allowed = bool(token) and compare_digest(given.encode(), token.get_secret_value().encode() if token else b"")
        direct = request.client is not None and request.client.host in LOOPBACK
        if not allowed and not (direct and "x-forwarded-for" not in request.headers):
            return PlainTextResponse("forbidden", status_code=403)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @router.get("/webhooks/{channel}")
    async def handshake(channel: str, request: Request) -> Response:
        """A platform proves that this address is ours."""
        connector = doors.connectors.get(Channel(channel))
        answer = getattr(connector, "handshake", None)
        if answer is None:
            return _closed(doors, Channel(channel))
        try:
            return PlainTextResponse(answer(dict(request.query_params)))
        except SignatureRefused:
            return PlainTextResponse("forbidden", status_code=403)

    @router.post("/webhooks/{channel}")
    async def webhook(channel: str, request: Request) -> Response:
        """Verify, store, 200. Whatever must be done about it is a job in the same transaction."""
        name = Channel(channel)
        connector = doors.connectors.get(name)
        if connector is None or connector.capabilities.pulls:
            return _closed(doors, name)
        raw = await read_limited(request, connector.capabilities.max_webhook_bytes)
        if raw is None:
            return _refused(name, "too_large", 413)
        probe = getattr(connector, "is_probe", None)
        if probe is not None and probe(raw):
            return Response(status_code=200)
        moment = now()
        try:
            connector.verify(raw, request.headers, moment)
            events = connector.parse(raw)
        except SignatureRefused:
            return _refused(name, "signature", 403)
        except PayloadRefused:
            return _refused(name, "payload", 400)
        try:
            async with doors.database.transaction() as session:
                for event in events:
                    await doors.store(session, event, moment)
        except DBAPIError:
            log.error("webhook.not_stored", channel=name)
            return Response(status_code=503)  # the platform delivers it again
        return Response(status_code=200)

    return router


async def read_limited(request: Request, limit: int) -> bytes | None:
    """The body, or None as soon as it is longer than `limit` bytes."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _refused(channel: Channel, why: str, status: int) -> Response:
    log.warning("webhook.refused", channel=channel, why=why)
    return JSONResponse({"code": f"webhook.{why}"}, status_code=status)


def _closed(doors: Doors, channel: Channel) -> Response:
    reason = doors.why_off.get(channel)
    if reason is None:
        return JSONResponse({"code": "channel.unknown", "message": "Không có kênh này."}, status_code=404)
    return JSONResponse({"code": "channel.off", "message": reason}, status_code=503)
