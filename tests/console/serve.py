"""A gateway with nothing but the console: its own process, because NiceGUI is one per process.

`python -m tests.console.serve PORT` with DATABASE_URL set; prints READY when it serves.
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import procrastinate
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from bot.base.db import Database
from bot.base.jobs import job_app
from bot.base.notify import Listener
from bot.contracts.connector import Capabilities, Connector
from bot.contracts.ids import Channel
from bot.conversation.staff import StaffDesk
from bot.outbox.post import Outbox
from connectors.messenger.connector import MessengerConnector
from connectors.messenger.settings import MessengerSettings
from connectors.webchat.connector import WebchatConnector
from console.app import ConsoleServices, mount_console
from faq.embed import load_embedder
from faq.engine import FaqEngine
from faq.settings import FaqSettings
from faq.store import TOPIC
from handoff.units import load_units


async def main(url: str, port: int) -> None:
    """Serve until the process is told to stop."""
    database, listener = Database(url), Listener(url)
    jobs: procrastinate.App = job_app(url)

    @jobs.task(name="deliver")
    async def deliver(message: int) -> None:
        """Never runs here: no worker. On the web chat a committed row is a sent message."""

    async with database.transaction() as session:
        names = {unit.code: unit.short_name for unit in (await load_units(session)).values()}
    settings = FaqSettings()
    embedder = load_embedder(settings)
    engine = FaqEngine(database, embedder, settings, unit_names=names)
    await engine.start()
    staff = StaffDesk(database, Outbox(deliver, {Channel("webchat"): Capabilities(2000, 3, pulls=True)}))

    async def keep_fresh() -> None:
        async with listener.subscribe(TOPIC) as news:
            while True:
                await news.get()
                await engine.refresh()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        listener.start()
        refreshing = asyncio.create_task(keep_fresh())
        async with jobs.open_async():
            yield
        refreshing.cancel()
        await listener.stop()
        await database.close()

    app = FastAPI(lifespan=lifespan)

    @app.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/")
    async def chat() -> str:
        return "chat"

    notes = ("Web chat: đang bật.", "Zalo OA: đang tắt, chưa có ZALO_APP_ID.")
    messenger = MessengerSettings(
        app_secret=SecretStr("s"), page_token=SecretStr("t"), verify_token=SecretStr("v"), page_id="1022"
    )
    connectors: dict[Channel, Connector] = {
        WebchatConnector.name: WebchatConnector(database),
        MessengerConnector.name: MessengerConnector(messenger, database),
    }
    services = ConsoleServices(database, staff, engine, embedder, listener, False, lambda: notes, connectors)
    mount_console(app, services, storage_secret="only-for-tests")
    await Announcing(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=2)).serve()


class Announcing(uvicorn.Server):
    """Says when it takes connections."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, and one line for whoever waits."""
        await super().startup(sockets)
        print("READY", flush=True)


if __name__ == "__main__":
    asyncio.run(main(os.environ["DATABASE_URL"], int(sys.argv[1])))
