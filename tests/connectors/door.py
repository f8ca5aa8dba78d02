"""The gateway's webhook routes over the real PostgreSQL, with both platforms' connectors behind them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from bot.base.clock import now
from bot.base.db import Database
from bot.base.jobs import job_app
from bot.base.settings import HouseSettings
from bot.conversation.rasa import RasaClient
from bot.conversation.tables import MessageRow
from bot.doors import Doors, doors_router
from connectors.messenger.connector import MessengerConnector
from connectors.messenger.settings import MessengerSettings
from connectors.messenger.verify import signature as messenger_signature
from connectors.zalo.connector import ZaloConnector
from connectors.zalo.settings import ZaloSettings
from connectors.zalo.verify import signature as zalo_signature

ZALO = ZaloSettings(
    _env_file=None, app_id="4300", app_secret="a", oa_secret="oa-secret", oa_id="2900", replay_window_s=10**9
)
MESSENGER = MessengerSettings(
    _env_file=None,
    app_secret="s3cret",
    page_token="t",
    verify_token="v",
    page_id="1022",
    app_id="33",
    replay_window_s=10**9,
)
"""Captured events are from 1790000000: the windows are wide, unless a test is about them."""


@dataclass
class Door:
    """What a platform sees of us, and what we kept."""

    database: Database
    http: httpx.AsyncClient
    zalo: ZaloConnector
    messenger: MessengerConnector

    async def post(self, channel: str, raw: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        """A body as it is; signed as the platform would unless headers are given."""
        return await self.http.post(f"/webhooks/{channel}", content=raw, headers=headers or signed(channel, raw))

    async def rows(self) -> list[MessageRow]:
        """Everything that was stored."""
        async with self.database.transaction() as session:
            return list(await session.scalars(select(MessageRow).order_by(MessageRow.id)))


def signed(channel: str, raw: bytes, stamp: str = "1790000000000") -> dict[str, str]:
    """The header of the platform. Zalo signs the time that the body names: `stamp`, when there is none."""
    if channel == "messenger":
        return {"x-hub-signature-256": f"sha256={messenger_signature(raw, 's3cret')}"}
    return {"x-zevent-signature": f"mac={zalo_signature('4300', raw, stamp, 'oa-secret')}", "x-zevent-timestamp": stamp}


def open_door(database: Database, storage: Path, **changed: Any) -> Door:
    """The routes; `changed`: other settings of either platform."""
    zalo = ZaloConnector(ZALO.model_copy(update=changed), database, b"key", storage=storage)
    messenger = MessengerConnector(MESSENGER.model_copy(update=changed), database, storage=storage)
    jobs = job_app(database.url)

    @jobs.task(name="converse", queue="converse")
    async def converse(message: int) -> None:
        """No worker runs here."""

    @jobs.task(name="fetch_attachments", queue="fetch")
    async def fetch(message: int) -> None:
        """No worker runs here."""

    rasa = RasaClient("http://127.0.0.1:9", "", 1.0)
    doors = Doors(database, converse, fetch, rasa, {zalo.name: zalo, messenger.name: messenger}, {})
    app = FastAPI()
    app.include_router(doors_router(doors, HouseSettings(_env_file=None, database_url=database.url)))
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://house")
    return Door(database, http, zalo, messenger)


def at_present() -> str:
    """Zalo's timestamp of this moment."""
    return str(int(now().timestamp() * 1000))
