"""Composition root: the only file that joins the rooms together.

`build_gateway` answers the internet (web chat, webhooks, console) and Rasa's actions; `work` runs the jobs. Both are
built from the same parts, read once from the settings.
"""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import procrastinate
import structlog
from fastapi import FastAPI, Request
from procrastinate.tasks import Task
from sqlalchemy.exc import DBAPIError

from actions.server import actions_router
from bot.base.clock import now
from bot.base.db import Database
from bot.base.jobs import HEARTBEAT_S, POLL_S, STALLED_AFTER_S, Patient, job_app
from bot.base.metrics import INDEX_GENERATION
from bot.base.notify import Listener
from bot.base.secret import derived, house_key
from bot.base.settings import HouseSettings, InternalSettings
from bot.contracts.connector import Connector
from bot.contracts.ids import Channel, MessageId
from bot.conversation.citizen_side import WebchatSide
from bot.conversation.converse import Conversing
from bot.conversation.rasa import RasaClient
from bot.conversation.scenes import Scenes
from bot.conversation.services import ConversationServices
from bot.conversation.staff import StaffDesk
from bot.conversation.turn import Turn
from bot.doors import Doors, doors_router
from bot.inbox.fetch import fetch_attachments
from bot.inbox.names import NameLookup
from bot.outbox.deliver import deliver
from bot.outbox.post import Outbox
from connectors.attachments import Sources
from connectors.messenger.connector import MessengerConnector
from connectors.messenger.settings import MessengerSettings
from connectors.webchat.connector import WebchatConnector
from connectors.webchat.routes import webchat_router
from connectors.webchat.settings import WebchatSettings
from connectors.zalo.connector import ZaloConnector
from connectors.zalo.consent import consent_router
from connectors.zalo.settings import ZaloSettings
from console.app import ConsoleServices, mount_console
from console.session import Sessions
from console.visit import load_account
from faq.embed import Embedder, load_embedder, load_untaught
from faq.engine import FaqEngine
from faq.settings import FaqSettings
from faq.store import TOPIC, load_generation
from handoff.hold import release_idle
from handoff.role import Role
from handoff.units import load_units

log = structlog.get_logger(__name__)

RESCUE_EVERY_S = 1.0
KEEP_FRESH_EVERY_S = 900.0
IDLE_EVERY_S = 60.0
NAMES_EVERY_S = 3.0


@dataclass(frozen=True, slots=True)
class House:
    """Everything both processes share."""

    settings: HouseSettings
    internal: InternalSettings
    database: Database
    listener: Listener
    jobs: procrastinate.App
    converse: Task[Any, Any, Any]
    fetch: Task[Any, Any, Any]
    connectors: Mapping[Channel, Connector]
    why_off: Mapping[Channel, str]
    outbox: Outbox
    embedder: Embedder
    engine: FaqEngine
    rasa: RasaClient
    key: bytes


def build_house(settings: HouseSettings, *, pool_size: int) -> House:
    """Read the settings and make the parts; nothing is connected yet."""
    if settings.database_url is None:
        raise ValueError("DATABASE_URL is not set: the supervisor gives it to its parts")
    internal = InternalSettings()
    database = Database(settings.database_url, pool_size=pool_size)
    key = house_key(settings)
    connectors, why_off, sources = _connectors(settings, database, key)
    jobs = job_app(settings.database_url)
    faq_settings = FaqSettings()
    embedder = load_embedder(faq_settings)
    engine = FaqEngine(database, embedder, faq_settings)
    rasa = RasaClient(internal.rasa_url, internal.rasa_token.get_secret_value(), settings.rasa_timeout_s)

    @jobs.task(name="deliver", queue="deliver", retry=Patient())
    async def deliver_job(message: int) -> None:
        patience = timedelta(seconds=settings.delivery_patience_s)
        await deliver(database, connectors, MessageId(message), patience, outbox)

    outbox = Outbox(deliver_job, {name: one.capabilities for name, one in connectors.items()})
    conversing = Conversing(
        database,
        engine,
        rasa,
        outbox,
        settings.rasa_patience_s,
        show_typing=_typing_shower(connectors),
        scenes=Scenes(load_untaught(faq_settings)),
    )

    @jobs.task(name="converse", queue="converse", retry=Patient())
    async def converse_job(message: int) -> None:
        await conversing.converse(MessageId(message))

    @jobs.task(name="fetch_attachments", queue="fetch", retry=Patient())
    async def fetch_job(message: int) -> None:
        await fetch_attachments(database, sources, settings.tongdai_data_dir, MessageId(message))

    return House(
        settings,
        internal,
        database,
        Listener(settings.database_url),
        jobs,
        converse_job,
        fetch_job,
        connectors,
        why_off,
        outbox,
        embedder,
        engine,
        rasa,
        key,
    )


def _connectors(
    settings: HouseSettings, database: Database, key: bytes
) -> tuple[dict[Channel, Connector], dict[Channel, str], dict[Channel, Sources]]:
    zalo, messenger = ZaloSettings(), MessengerSettings()
    storage = settings.tongdai_data_dir
    connectors: dict[Channel, Connector] = {WebchatConnector.name: WebchatConnector(database)}
    why_off: dict[Channel, str] = {}
    if zalo.why_off is None:
        connectors[ZaloConnector.name] = ZaloConnector(zalo, database, key, storage=storage)
    else:
        why_off[ZaloConnector.name] = zalo.why_off
    if messenger.why_off is None:
        connectors[MessengerConnector.name] = MessengerConnector(messenger, database, storage=storage)
    else:
        why_off[MessengerConnector.name] = messenger.why_off
    sources = {ZaloConnector.name: zalo.sources, MessengerConnector.name: messenger.sources}
    return connectors, why_off, sources


def _typing_shower(connectors: Mapping[Channel, Connector]) -> Callable[[Turn], None]:
    running: set[asyncio.Task[None]] = set()

    def show(turn: Turn) -> None:
        connector = connectors.get(turn.channel)
        if connector is not None and connector.capabilities.typing:
            task = asyncio.create_task(connector.show_typing(turn.citizen_ref))
            running.add(task)
            task.add_done_callback(running.discard)

    return show


@contextlib.asynccontextmanager
async def opened(house: House) -> AsyncIterator[None]:
    """Connect, load the index, follow its news; and let go of everything at the end."""
    await house.database.wait_until_up()
    await _name_units(house)
    async with house.jobs.open_async(), house.listener.subscribe(TOPIC) as news:
        house.listener.start()
        await house.engine.start()
        INDEX_GENERATION.set(house.engine.generation)
        gc.collect()
        gc.freeze()  # what is loaded now stays; a full collection would look through it while a citizen waits
        follower = asyncio.create_task(_follow_index(house, news), name="index")
        try:
            yield
        finally:
            follower.cancel()
            await house.listener.stop()
            for connector in house.connectors.values():
                await connector.close()
            await house.rasa.close()
    await house.database.close()


async def _name_units(house: House) -> None:
    async with house.database.transaction() as session:
        house.engine.unit_names = {code: unit.name for code, unit in (await load_units(session)).items()}


async def _follow_index(house: House, news: "asyncio.Queue[dict[str, Any]]") -> None:
    while True:
        await news.get()
        while not news.empty():  # several publications in a row are one refresh
            news.get_nowait()
        try:
            async with house.database.transaction() as session:
                published = await load_generation(session)
            if published != house.engine.generation:
                await house.engine.refresh()
            INDEX_GENERATION.set(house.engine.generation)
        except Exception:
            log.exception("index.refresh_failed")
            await asyncio.sleep(1.0)
            news.put_nowait({"topic": "again"})


def build_gateway(settings: HouseSettings) -> FastAPI:
    """The internet-facing application."""
    house = build_house(settings, pool_size=10)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with opened(house):
            for channel, reason in house.why_off.items():
                log.info("channel.off", channel=channel, reason=reason)
            yield

    app = FastAPI(
        title="Tổng đài 1022",
        lifespan=lifespan,
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    staff = StaffDesk(house.database, house.outbox)
    side = WebchatSide(house.database, house.converse, house.outbox)
    webchat = WebchatSettings()
    if webchat.session_secret is None:
        webchat = webchat.model_copy(update={"session_secret": derived(house.key, "webchat")})
    app.include_router(
        doors_router(
            Doors(house.database, house.converse, house.fetch, house.rasa, house.connectors, house.why_off),
            settings,
        )
    )
    app.include_router(
        actions_router(
            ConversationServices(house.database, house.engine), house.internal.action_token.get_secret_value()
        )
    )
    app.include_router(webchat_router(side, webchat, house.listener))
    https = (settings.tongdai_public_url or "").startswith("https://")
    services = ConsoleServices(
        database=house.database,
        staff=staff,
        engine=house.engine,
        embedder=house.embedder,
        listener=house.listener,
        https=https,
        channel_notes=lambda: (*house.why_off.values(), *(f"Kênh {name} đang bật." for name in house.connectors)),
        connectors=house.connectors,
    )
    sessions = Sessions(derived(house.key, "console").get_secret_value(), https)
    zalo = house.connectors.get(ZaloConnector.name)
    if isinstance(zalo, ZaloConnector):
        app.include_router(consent_router(zalo, house.key, _administrators(services, sessions)))
    mount_console(app, services, storage_secret=sessions.secret)
    return app


def _administrators(services: ConsoleServices, sessions: Sessions) -> Callable[[Request], Awaitable[bool]]:
    async def may(request: Request) -> bool:
        signed_in = sessions.find_login(request)
        account = await load_account(services, signed_in) if signed_in else None
        return account is not None and account.role is Role.ADMIN and not account.must_change_password

    return may


async def work(settings: HouseSettings, stop: asyncio.Event) -> None:
    """Run jobs until `stop`; what a dead worker left half-done is taken up again."""
    house = build_house(settings, pool_size=settings.worker_concurrency)
    async with opened(house):
        worker = asyncio.create_task(
            house.jobs.run_worker_async(
                queues=["converse", "deliver", "fetch"],
                concurrency=settings.worker_concurrency,
                fetch_job_polling_interval=POLL_S,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_AFTER_S,
                delete_jobs="successful",
                install_signal_handlers=False,
                shutdown_graceful_timeout=5.0,
            ),
            name="worker",
        )
        helpers = [
            asyncio.create_task(_rescue_jobs(house.jobs), name="rescue"),
            asyncio.create_task(_keep_fresh(house.connectors.values()), name="fresh"),
            asyncio.create_task(_release_idle(house.database), name="idle"),
            asyncio.create_task(_name_citizens(house), name="names"),
        ]
        stopper = asyncio.create_task(stop.wait())
        log.info("worker.ready", generation=house.engine.generation)
        done, _ = await asyncio.wait({worker, stopper, *helpers}, return_when=asyncio.FIRST_COMPLETED)
        for one in (*helpers, stopper):
            one.cancel()
        if stopper in done:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker
            return
        for one in done:  # a part of the worker fell over: the supervisor starts us again
            one.result()


async def _rescue_jobs(jobs: procrastinate.App) -> None:
    """Give the jobs of workers that died back to the queue; order is kept by their lock."""
    while True:
        await asyncio.sleep(RESCUE_EVERY_S)
        stalled = await jobs.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S)
        for job in stalled:
            log.warning("job.rescued", job=job.id, task=job.task_name)
            await jobs.job_manager.retry_job(job)


async def _release_idle(database: Database) -> None:
    """Give conversations back to the bot whose operator forgot to."""
    while True:
        async with database.transaction() as session:
            released = await release_idle(session, now=now())
        for conversation in released:
            log.info("conversation.released", conversation=conversation)
        await asyncio.sleep(IDLE_EVERY_S)


async def _name_citizens(house: House) -> None:
    """Behind the message path: what the platforms call the people who wrote."""
    lookup = NameLookup(house.database, house.connectors)
    while True:
        with contextlib.suppress(DBAPIError):
            await lookup.round()
        await asyncio.sleep(NAMES_EVERY_S)


async def _keep_fresh(connectors: Iterable[Connector]) -> None:
    while True:
        for connector in connectors:
            refresh = getattr(connector, "keep_fresh", None)
            if refresh is not None:
                with contextlib.suppress(Exception):
                    await refresh()
        await asyncio.sleep(KEEP_FRESH_EVERY_S)
