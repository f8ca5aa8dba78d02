"""`make screenshots`: pictures of a real house for the documents, into docs/images/."""

import asyncio
import shutil
import tempfile
import uuid
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from bench.running import citizen, running_house
from bot.base.clock import now
from bot.base.db import Database
from handoff.accounts import add_account, authenticate, change_password
from handoff.role import Role

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-component-update", "--disable-sync"]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 860}
WAITING = (
    "Cho hỏi con tôi 14 tháng tiêm bù mũi sởi ở trạm nào?",
    "Nhà tôi bị cắt nước từ hôm qua, bao giờ có lại?",
    "Tôi muốn gặp cán bộ",
    "me toi kho tho qua, goi ai bay gio",
    "Thủ tục xin trợ cấp cho người trồng rừng năm nay thế nào?",
)


async def hire(database: Database, name: str, role: Role, shown: str, unit: str | None = None) -> str:
    """An account whose one-time password was changed already; the new password."""
    mine = f"Ảnh chụp {uuid.uuid4().hex[:10]}"
    async with database.transaction() as session:
        first = await add_account(session, name, role, unit, shown)  # type: ignore[arg-type]
    account = await authenticate(database, name, first, now())
    async with database.transaction() as session:
        await change_password(session, account.id, first, mine, now=now())
    return mine


async def chat(browser: Browser, base: str) -> None:
    """A citizen on a phone: an answer, choices, a ticket."""
    page = await (await browser.new_context(viewport=PHONE, locale="vi-VN", device_scale_factor=2)).new_page()  # type: ignore[arg-type]
    await page.goto(base)
    await page.screenshot(path=IMAGES / "chat-phone-first.png")
    for number, text in enumerate(("f1 phai cach ly may ngay", "Thủ tục xin giấy phép nuôi chim yến ở đâu?")):
        await page.get_by_role("textbox").fill(text)
        await page.get_by_role("textbox").press("Enter")
        await page.wait_for_timeout(2500)
        await page.screenshot(path=IMAGES / ("chat-phone.png" if number else "chat-phone-answer.png"))
    code = await page.locator("text=/TH-[2-9A-Z]{5}/").first.text_content()
    await page.goto(f"{base}/tra-cuu")
    await page.get_by_role("textbox").fill((code or "")[(code or "").find("TH-") :][:8])
    await page.get_by_role("textbox").press("Enter")
    await page.wait_for_timeout(800)
    await page.screenshot(path=IMAGES / "lookup-phone.png")


async def log_in(page: Page, base: str, name: str, password: str) -> None:
    """Through the door."""
    await page.goto(f"{base}/console/login")
    await page.get_by_label("Tên đăng nhập").fill(name)
    await page.get_by_label("Mật khẩu").fill(password)
    await page.get_by_role("button", name="Đăng nhập").click()
    await page.wait_for_timeout(1500)


async def desk(browser: Browser, base: str, passwords: dict[str, str]) -> None:
    """An operator at night with several people waiting; then an editor."""
    page = await (await browser.new_context(viewport=DESK, locale="vi-VN")).new_page()  # type: ignore[arg-type]
    await log_in(page, base, "lan", passwords["lan"])
    await page.screenshot(path=IMAGES / "console-waiting.png")
    await page.get_by_role("listitem").filter(has_text="tiêm bù mũi sởi").first.click()
    await page.get_by_role("button", name="Tiếp quản").click()
    await page.wait_for_timeout(700)
    await page.get_by_label("Câu trả lời", exact=True).fill(
        "Chào bạn, mời bạn đưa cháu tới trạm y tế phường nơi ở, mang theo sổ tiêm chủng."
    )
    await page.get_by_label("Câu trả lời", exact=True).press("Control+Enter")
    await page.wait_for_timeout(900)
    await page.screenshot(path=IMAGES / "console-ticket.png")
    editor = await (await browser.new_context(viewport=DESK, locale="vi-VN")).new_page()  # type: ignore[arg-type]
    await log_in(editor, base, "bientap", passwords["bientap"])
    for name, path in (("unanswered", "/console/unanswered"), ("imports", "/console/imports")):
        await editor.goto(f"{base}{path}")
        await editor.wait_for_timeout(1500)
        await editor.screenshot(path=IMAGES / f"console-{name}.png")
    phone = await (await browser.new_context(viewport=PHONE, locale="vi-VN")).new_page()  # type: ignore[arg-type]
    await log_in(phone, base, "lan", passwords["lan"])
    await phone.screenshot(path=IMAGES / "console-phone.png")


async def take_pictures(base: str, data: Path) -> None:
    """All of them."""
    database = Database(f"postgresql://postgres:@/postgres?host={data / 'postgres'}", pool_size=2)
    passwords = {
        "lan": await hire(database, "lan", Role.OPERATOR, "Lê Thị Lan"),
        "bientap": await hire(database, "bientap", Role.EDITOR, "Biên tập CDC", "CDC"),
    }
    await database.close()
    for text in WAITING:
        async with citizen(base) as one:
            await one.ask(text)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        await chat(browser, base)
        await desk(browser, base, passwords)
        await browser.close()


def main() -> None:
    """Start a house, take the pictures, stop it."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tongdai-pictures-") as folder:
        data = Path(folder) / "data"
        with running_house(data) as house:
            asyncio.run(take_pictures(house.base, data))


if __name__ == "__main__":
    main()
