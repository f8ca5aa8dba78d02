"""Several files at once at the import's two doors, in Chromium and over HTTP on the real gateway."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import FilePayload, Page, expect

from bot.base.db import Database
from kb_import.sheet import BOUNDS
from tests.kb_import.conftest import BANK, xls
from tests.kb_import.editor import editor_at_imports, send

pytestmark = pytest.mark.slow
LONG = xls(
    [(one, f"Thủ tục số {one} làm ở đâu, mang giấy tờ gì?", f"Ở xã, bàn {one}.") for one in range(20_000)],
    header=("STT", "Câu hỏi", "Trả lời"),
)
"""So many questions that their vectors take minutes."""


@pytest.fixture
async def page(database: Database, database_url: str) -> AsyncIterator[Page]:
    """An editor of the Health department at the import page."""
    async with editor_at_imports(database, database_url) as one:
        yield one


async def test_all_of_the_field_opens_files_and_toasts_leave_the_pages_head_free(page: Page) -> None:
    field = page.locator(".c-upload")
    box = await field.bounding_box()
    assert box is not None
    for across, down in ((0.3, 0.25), (0.5, 0.85)):
        async with page.expect_file_chooser() as chosen:
            await field.click(position={"x": box["width"] * across, "y": box["height"] * down})
    one: FilePayload = {"name": "Bộ.xls", "mimeType": "application/vnd.ms-excel", "buffer": xls(BANK)}
    await (await chosen.value).set_files(one)
    await expect(page.get_by_role("button", name="Áp dụng")).to_be_visible()
    toasts = await page.locator(".q-notifications__list--top.items-center").bounding_box()
    content = await page.get_by_role("main").locator("section").first.bounding_box()
    assert toasts is not None
    assert content is not None
    assert toasts["x"] + toasts["width"] <= content["x"]


async def test_the_second_file_waits_until_the_first_is_read_or_its_page_closed(page: Page) -> None:
    await send(page, LONG, "Dài.xls")
    await expect(page.get_by_text("dòng/giây")).to_be_visible()
    other = await page.context.new_page()
    await other.goto("/console/imports")
    await send(other, xls(BANK), "Ngắn.xls")
    await expect(other.get_by_text("Đang chờ đến lượt: trước bạn còn 1 tệp.")).to_be_visible()
    await page.close()
    await expect(other.get_by_role("button", name="Áp dụng")).to_be_visible(timeout=120_000)


async def test_over_http_one_file_at_a_time_and_none_too_large(page: Page) -> None:
    address = page.url.removesuffix("/console/imports")
    kept = {one["name"]: one["value"] for one in await page.context.cookies()}
    content = xls(BANK)
    async with httpx.AsyncClient(
        base_url=f"{address}/console/imports", cookies=kept, headers={"origin": address}, timeout=120
    ) as client:
        statuses: list[int] = []
        while 429 not in statuses:  # should the second come in before the first: once more
            begun, go_on = asyncio.Event(), asyncio.Event()

            async def slowly(begun: asyncio.Event = begun, go_on: asyncio.Event = go_on) -> AsyncIterator[bytes]:
                yield content[:100]
                begun.set()
                await go_on.wait()
                yield content[100:]

            first = asyncio.create_task(client.post("/report?name=cham.xls", content=slowly()))
            await asyncio.wait_for(begun.wait(), 60)
            second = await client.post("/report?name=nhanh.xls", content=content)
            go_on.set()
            statuses = [second.status_code, (await first).status_code]
        assert sorted(statuses) == [200, 429]
        assert (await client.post("/report", content=bytes(BOUNDS.file_bytes + 1))).status_code == 413
        assert (await client.post("/report?name=bo.xls", content=content)).json()["add"] == len(BANK)
