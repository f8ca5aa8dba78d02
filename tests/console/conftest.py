"""The console in real browsers: on the real PostgreSQL and the real embedder."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from playwright.async_api import Browser, Page

from bot.base.db import Database
from tests.browser import be_patient, chromium
from tests.console.house import PASSWORD, House, gateway

LogIn = Callable[..., Awaitable[Page]]
"""`await log_in(name, password=PASSWORD, width=1280)`: somebody at a computer of their own."""


@pytest.fixture
async def house(database: Database) -> House:
    """A seeded database with builders."""
    one = House(database)
    await one.furnish()
    return one


@pytest.fixture
def address(house: House, database_url: str) -> Iterator[str]:
    """The console behind uvicorn in a process of its own."""
    with gateway(database_url) as one:
        yield one


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window."""
    async with chromium() as one:
        yield one


@pytest.fixture
async def log_in(browser: Browser, address: str) -> LogIn:
    """Somebody logs in; fails if a page asks another host for anything, or if a script of it fails."""

    async def log_in(name: str, password: str = PASSWORD, *, width: int = 1280) -> Page:
        context = await browser.new_context(locale="vi-VN", viewport={"width": width, "height": 800})
        page = await be_patient(context).new_page()
        page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        page.on("request", lambda request: _check_own_host(request.url, address))
        await page.goto(f"{address}/console/login")
        await page.get_by_label("Tên đăng nhập").fill(name)
        await page.get_by_label("Mật khẩu").fill(password)
        await page.get_by_role("button", name="Đăng nhập").click()
        await page.wait_for_url(lambda url: "/console/login" not in url)  # whoever goes on earlier has no cookie yet
        return page

    return log_in


def _check_own_host(url: str, address: str) -> None:
    assert url.startswith((address, "data:", "blob:", address.replace("http", "ws", 1))), f"third-party host: {url}"
