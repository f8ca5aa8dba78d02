"""When `tongdai serve` says READY."""

import asyncio
import io
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI, Response
from rich.console import Console

from bot import serve
from bot.base.settings import HouseSettings
from tests.connectors.webchat.serving import serving


async def test_a_house_that_takes_long_says_so_once_and_is_announced_when_it_is_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    statuses = [503, 503, 503, 200]
    gateway = FastAPI()

    @gateway.get("/readyz")
    async def ready() -> Response:
        return Response(status_code=statuses.pop(0))

    monkeypatch.setattr(serve, "READY_WITHIN_S", 0.0)
    said = Console(file=io.StringIO())
    async with serving(gateway) as url:
        settings = HouseSettings(_env_file=None, tongdai_host="127.0.0.1", tongdai_port=urlsplit(url).port or 0)
        await serve._announce_ready(settings, said, asyncio.Event())
    lines = said.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.split()[0] for line in lines if line.startswith(("Hệ thống chưa sẵn sàng", "READY"))] == [
        "Hệ",
        "READY",
    ]
