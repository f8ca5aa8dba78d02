"""Who gets as far as NiceGUI."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Response

from bot.contracts.ids import AccountId
from console.gate import Gate
from console.session import COOKIE, Sessions
from handoff.logins import LoginId

SESSIONS = Sessions("secret", https=False)


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI()
    app.add_middleware(Gate, sessions=SESSIONS)

    @app.get("/{rest:path}")
    async def inside(rest: str) -> str:
        return "inside"

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")


def cookie() -> str:
    response = Response()
    SESSIONS.begin(response, AccountId(7), LoginId(1))
    return response.headers["set-cookie"].split(";")[0].removeprefix(f"{COOKIE}=")


@pytest.mark.parametrize("path", ["/console", "/console/entries/1", "/console/loginx", "/console/static"])
async def test_pages_need_a_login(client: httpx.AsyncClient, path: str) -> None:
    got = await client.get(path)
    assert (got.status_code, got.headers["location"]) == (303, f"/console/login?next={path}")
    client.cookies.set(COOKIE, cookie())
    assert (await client.get(path)).text == '"inside"'


@pytest.mark.parametrize("path", ["/console/login", "/console/static/console.css", "/_nicegui/3/x.js"])
async def test_what_the_login_page_needs_is_open(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).text == '"inside"'


@pytest.mark.parametrize("path", ["/wp-admin", "/consoles", "/.env"])
async def test_other_addresses_are_not_there(client: httpx.AsyncClient, path: str) -> None:
    client.cookies.set(COOKIE, cookie())
    assert (await client.get(path)).status_code == 404


async def test_pages_are_never_kept_and_never_framed(client: httpx.AsyncClient) -> None:
    got = await client.get("/console/login")
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["x-frame-options"] == "DENY"
    assert "cache-control" not in (await client.get("/console/static/console.css")).headers


@pytest.mark.parametrize("length", ["", "x", "-1", str(2**40)])
async def test_a_file_too_large_is_refused_before_it_is_received(client: httpx.AsyncClient, length: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        raise AssertionError("nobody reads this")
        yield b""

    headers = {"content-length": length} if length else {}
    got = await client.post("/_nicegui/client/1/upload/2", content=endless(), headers=headers)
    assert got.status_code == 413
    assert (
        await client.post("/_nicegui/client/1/upload/2", content=b"abc")
    ).status_code == 405  # got as far as the app
