"""The web chat's API over ASGI, with the small house behind it and news over the real PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from bot.base.db import Database
from bot.base.notify import Listener
from connectors.webchat.routes import webchat_router
from connectors.webchat.settings import WebchatSettings
from tests.connectors.webchat.house import House


@pytest.fixture
async def news_database(server_url: str) -> AsyncIterator[Database]:
    """PostgreSQL to carry news; no tables are needed for that."""
    one = Database(server_url, pool_size=2)
    yield one
    await one.close()


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Listener]:
    """One that is connected: news before that would be lost."""
    one = Listener(url)
    async with one.subscribe("up") as queue:
        one.start()
        await queue.get()
    yield one
    await one.stop()


@pytest.fixture
async def listener(server_url: str) -> AsyncIterator[Listener]:
    """Listens for news."""
    async with listening(server_url) as one:
        yield one


@pytest.fixture
def house(news_database: Database) -> House:
    """A house in which nobody answers by itself."""
    return House(news_database, answers=False)


@pytest.fixture
def settings() -> WebchatSettings:
    """Usual settings with a secret; tests override single ones with `model_copy`."""
    return WebchatSettings(_env_file=None, session_secret=SecretStr("for tests only"))


def app_with(house: House, settings: WebchatSettings, listener: Listener) -> FastAPI:
    """An app with nothing but the web chat."""
    app = FastAPI()
    app.include_router(webchat_router(house, settings, listener))
    return app


@pytest.fixture
async def client(house: House, settings: WebchatSettings, listener: Listener) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a token."""
    transport = httpx.ASGITransport(app=app_with(house, settings, listener))
    async with httpx.AsyncClient(transport=transport, base_url="http://chat.test") as one:
        yield one
