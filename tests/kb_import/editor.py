"""An editor of the Health department in a browser, at the import page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page

from bot.base.db import Database
from handoff.role import Role
from tests.browser import be_patient, chromium
from tests.console.house import PASSWORD, House, gateway


@asynccontextmanager
async def editor_at_imports(database: Database, database_url: str) -> AsyncIterator[Page]:
    """Logged in; paths are relative to the console's address."""
    house = House(database)
    await house.furnish()
    await house.person("lan", Role.EDITOR, "SYT", "Nguyễn Thị Lan")
    with gateway(database_url) as address:
        async with chromium() as browser:
            context = await browser.new_context(
                base_url=address, viewport={"width": 1280, "height": 900}, locale="vi-VN"
            )
            page = await be_patient(context).new_page()
            await page.goto("/console/login")
            await page.locator("input[name=name]").fill("lan")
            await page.locator("input[name=password]").fill(PASSWORD)
            await page.get_by_role("button", name="Đăng nhập").click()
            await page.wait_for_url(lambda url: "/console/login" not in url)
            await page.goto("/console/imports")
            yield page


async def send(page: Page, content: bytes, name: str = "Bộ câu hỏi SYT.xls") -> None:
    """Choose a file, as the editor does."""
    files = [{"name": name, "mimeType": "application/vnd.ms-excel", "buffer": content}]
    await page.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type]
