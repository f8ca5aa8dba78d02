"""The console's import page as an editor uses it, in headless Chromium on the real gateway, database and embedder."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect
from viparse.normalize.tcvn3 import TCVN3

from bot.base.db import Database
from faq import store
from tests.kb_import.conftest import BANK, Rows, xls
from tests.kb_import.corpus import encrypted_xlsx, in_old_font
from tests.kb_import.editor import editor_at_imports, send
from tests.kb_import.test_left_out import two_sheets

pytestmark = pytest.mark.slow
PICTURES = os.environ.get("IMPORT_PICTURES")
"""A folder for docs/import.md's pictures; without it none are taken."""


@pytest.fixture
async def page(database: Database, database_url: str) -> AsyncIterator[Page]:
    """An editor of the Health department at the import page."""
    async with editor_at_imports(database, database_url) as one:
        yield one


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.wait_for_timeout(400)
        await page.screenshot(path=Path(PICTURES) / f"import-{name}.png", full_page=True)


async def applied(page: Page, name: str) -> None:
    """The file stands in the history: the notice that says so goes away by itself, perhaps before anybody looks."""
    await expect(page.get_by_role("cell", name=name, exact=True)).to_be_visible()


def with_row(rows: Rows, at: int, **changed: str) -> list[list[object]]:
    copy = [list(row) for row in rows]
    for name, value in changed.items():
        copy[at][{"question": 1, "answer": 2}[name]] = value
    return copy


async def questions(database: Database) -> list[str]:
    async with database.transaction() as session:
        return [one.draft.question for one in await store.load_live_entries(session)]


async def test_an_editor_sends_mends_applies_and_takes_back(page: Page, database: Database) -> None:
    await expect(page.get_by_text("Đơn vị: Sở Y tế")).to_be_visible()
    await expect(page.get_by_text("Chưa có lần nạp nào.")).to_be_visible()

    broken = [*with_row(BANK, 1, answer=""), [5, BANK[0][1], "Bấm 113.", "", "22/10/2021"]]
    await send(page, xls(broken))
    await expect(page.get_by_text("Chưa nạp được.")).to_be_visible()
    await expect(page.get_by_text("Trang “Sheet1”, ô C5")).to_be_visible()
    await expect(page.get_by_role("button", name="Áp dụng")).to_have_count(0)
    await picture(page, "loi")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Tải tệp kèm kết quả").click()
    assert (await download.value).suggested_filename.endswith(".xlsx")

    await send(page, xls(BANK))
    await page.get_by_role("button", name="Áp dụng").click()
    await applied(page, "Bộ câu hỏi SYT.xls")
    assert await questions(database) == [row[1] for row in BANK]

    changed = with_row(BANK[:3], 1, answer="Tiêm vắc xin phòng Covid-19 được miễn phí hoàn toàn.")
    await send(page, xls(changed), "Bộ câu hỏi SYT v2.xls")
    await expect(page.locator("ins", has_text="hoàn toàn")).to_be_visible()
    await expect(page.get_by_text("Tệp không còn 1 mục đang dùng")).to_be_visible()
    await picture(page, "sua")
    await page.get_by_text("Thu hồi cả 1 mục").click()
    await page.get_by_role("button", name="Áp dụng").click()
    await expect(page.get_by_role("cell", name="Bộ câu hỏi SYT v2.xls")).to_be_visible()
    assert len(await questions(database)) == 3
    await picture(page, "lich-su")

    await page.get_by_role("button", name="Hoàn tác").click()
    await page.get_by_role("dialog").get_by_role("button", name="Hoàn tác").click()
    await expect(page.get_by_role("cell", name="Đã hoàn tác")).to_be_visible()
    assert len(await questions(database)) == 4


async def test_an_uncertain_header_is_asked_about(page: Page, database: Database) -> None:
    await send(page, xls(BANK, header=("STT", "Điều dân muốn biết", "Cơ quan nói gì", "Căn cứ", "Cập nhật ngày")))
    await expect(page.get_by_text("Tiêu đề cột chưa rõ.")).to_be_visible()
    await expect(page.get_by_text("Cột B: Điều dân muốn biết").first).to_be_visible()
    await picture(page, "cot")
    await page.get_by_role("button", name="Xác nhận và đọc lại").click()
    await page.get_by_role("button", name="Áp dụng").click()
    await applied(page, "Bộ câu hỏi SYT.xls")
    assert len(await questions(database)) == 4


async def test_an_uncertain_sheet_is_left_out_and_taken_back(page: Page, database: Database) -> None:
    await send(page, two_sheets(), "Hai trang.xlsx")
    await page.get_by_text("Bỏ qua trang này").click()
    await expect(page.get_by_text("Cột B: Điều dân muốn biết").first).to_be_hidden()
    await page.get_by_role("button", name="Xác nhận và đọc lại").click()
    await expect(page.get_by_text("Trang “Nháp 2” được bỏ qua.")).to_be_visible()
    await page.get_by_role("button", name="Áp dụng").click()
    await applied(page, "Hai trang.xlsx")
    assert await questions(database) == [row[1] for row in BANK[:2]]

    await send(page, two_sheets(), "Hai trang.xlsx")
    await expect(page.get_by_text("được bỏ qua, như lần trước")).to_be_visible()
    await page.get_by_role("button", name="Đọc lại trang").click()
    await expect(page.get_by_text("Cột B: Điều dân muốn biết").first).to_be_visible()


async def test_a_refusal_stays_on_the_page_and_old_letters_are_confirmed(page: Page, database: Database) -> None:
    await send(page, encrypted_xlsx(), "Mật khẩu.xlsx")
    await expect(page.get_by_role("alert").filter(has_text="đặt mật khẩu")).to_be_visible()
    await expect(page.get_by_text("Không nhận tệp Mật khẩu.xlsx")).to_be_visible()

    await send(page, in_old_font(TCVN3), "vntime.xls")
    await expect(page.get_by_text("Không nhận tệp")).to_have_count(0)
    await expect(page.get_by_role("button", name="Áp dụng")).to_be_disabled()
    await picture(page, "bang-ma")
    await page.get_by_text("Đã đọc lại chữ đổi từ bảng mã cũ").click()
    await page.get_by_role("button", name="Áp dụng").click()
    await applied(page, "vntime.xls")
    await expect(page.get_by_role("cell", name="Nguyễn Thị Lan")).to_be_visible()
    assert await questions(database) == [row[1] for row in BANK]


async def test_the_report_as_json(page: Page, database: Database) -> None:
    async def ask(content: bytes, **query: str | float | bool) -> tuple[int, dict[str, Any]]:
        answer = await page.request.post(f"{page.url}/report", params=query, data=content)
        return answer.status, await answer.json()

    status, report = await ask(xls(BANK), name="bo.xls")
    assert (status, report["add"], report["unit"], report["bank"]) == (200, 4, "SYT", "bo")
    assert (await ask(xls(BANK), unit="CDC"))[0] == 403
    status, report = await ask(encrypted_xlsx())
    assert (status, report["problems"][0]["code"]) == (422, "password")
    assert await questions(database) == []
    elsewhere = await page.request.post(f"{page.url}/report", data=xls(BANK), headers={"Origin": "http://elsewhere"})
    assert elsewhere.status == 403
    await page.context.clear_cookies()
    stranger = await page.request.post(f"{page.url}/report", data=xls(BANK), max_redirects=0)
    assert stranger.status == 303


async def test_the_template_can_be_fetched(page: Page) -> None:
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Tải mẫu .xlsx").click()
    assert (await download.value).suggested_filename == "mau-bo-cau-hoi-1022.xlsx"
