"""The whole path in browsers: a citizen in the web chat and colleagues in the console, on one real house."""

import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from bot.base.db import Database
from handoff.role import Role
from tests.browser import be_patient, chromium
from tests.scenarios.conftest import Words
from tests.scenarios.house import House
from tests.scenarios.people import Colleague, hire

pytestmark = pytest.mark.slow
CODE = re.compile(r"TH-[0-9A-Z]{5}")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as one:
        yield one


@dataclass
class Screens:
    """Browsers side by side: each person has one of their own."""

    browser: Browser
    house: House
    database: Database

    async def _page(self) -> Page:
        context = await self.browser.new_context(locale="vi-VN", viewport={"width": 1280, "height": 800})
        page = await be_patient(context).new_page()
        page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        return page

    async def citizen(self) -> Page:
        """Somebody opens the web chat."""
        page = await self._page()
        await page.goto(self.house.url)
        return page

    async def colleague(self, role: Role, unit: str | None = None, name: str | None = None) -> Page:
        """Somebody of ours opens the console and logs in."""
        person: Colleague = await hire(self.database, role, unit, name)
        page = await self._page()
        await page.goto(f"{self.house.url}/console/login")
        await page.get_by_label("Tên đăng nhập").fill(person.account.name)
        await page.get_by_label("Mật khẩu").fill(person.password)
        await page.get_by_role("button", name="Đăng nhập").click()
        await page.wait_for_url(lambda url: "/console/login" not in url)  # whoever goes on earlier has no cookie yet
        return page


@pytest.fixture
async def screens(browser: Browser, house: House) -> AsyncIterator[Screens]:
    database = Database(house.database_url, pool_size=2)
    yield Screens(browser, house, database)
    await database.close()


async def ask(page: Page, text: str, wanted: str | re.Pattern[str] = "") -> str:
    """The citizen writes; the bot's next words, which have `wanted` in them."""
    bubbles = said(page, "bot")
    before = await bubbles.count()
    await page.get_by_label("Câu hỏi của bạn").fill(text)
    await page.keyboard.press("Enter")
    await expect(bubbles).not_to_have_count(before)
    await expect(bubbles.last).to_contain_text(wanted)
    return await bubbles.last.inner_text()


def said(page: Page, author: str) -> Locator:
    """What `author` said in the web chat."""
    return page.locator(f".from-{author} .bubble")


def reply_field(page: Page) -> Locator:
    """Where a colleague writes."""
    return page.get_by_label("Câu trả lời", exact=True)


async def open_ticket(page: Page, code: str) -> None:
    """From the waiting list, as it updates itself."""
    await page.get_by_role("listitem").filter(has_text=code).click()


async def code_for(page: Page, text: str) -> str:
    """The citizen writes what nobody has answered yet; the ticket code that the bot then says."""
    found = CODE.search(await ask(page, text, CODE))
    assert found
    return found.group()


async def test_answered_then_chosen_then_handed_over(screens: Screens, words: Words) -> None:
    page = await screens.citizen()
    await ask(page, words.known, words.answer)
    person = page.get_by_role("button", name="Gặp cán bộ")
    await ask(page, words.vague)
    choices = page.locator(".from-bot").last.get_by_role("button")
    await expect(person.last).to_be_visible()
    assert 2 <= await choices.count() <= 4
    answers = await said(page, "bot").count()
    chosen = await choices.first.inner_text()
    await choices.first.click()
    await expect(said(page, "citizen").last).to_contain_text(chosen.strip()[:20])
    await expect(said(page, "bot")).not_to_have_count(answers)
    await expect(said(page, "bot").last).to_contain_text("Nguồn:")
    code = await code_for(page, words.unknown)
    await expect(page.get_by_role("group", name=f"Phiếu {code}")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("group", name=f"Phiếu {code}")).to_be_visible()
    await page.goto(f"{screens.house.url}/tra-cuu?ma={code}")
    await expect(page.get_by_text(code).first).to_be_visible()


async def test_taken_over_side_by_side_and_given_back(screens: Screens, words: Words) -> None:
    citizen = await screens.citizen()
    lan = await screens.colleague(Role.OPERATOR, name="Lê Thị Lan")
    minh = await screens.colleague(Role.OPERATOR, name="Trần Minh")
    code = await code_for(citizen, words.unknown)
    for page in (lan, minh):
        await open_ticket(page, code)
        await expect(page.get_by_role("log")).to_contain_text(words.unknown)
    await lan.get_by_role("button", name="Tiếp quản").click()
    await expect(minh.get_by_text("Đang do Lê Thị Lan tiếp quản")).to_be_visible()
    await expect(reply_field(minh)).to_be_disabled()
    await expect(minh.get_by_role("button", name="Tiếp quản")).to_be_hidden()

    await reply_field(lan).fill("Chào bác, ngày 5/12 tại Bệnh viện Mắt ạ.")
    await reply_field(lan).press("Control+Enter")
    await expect(said(citizen, "operator")).to_have_text("Chào bác, ngày 5/12 tại Bệnh viện Mắt ạ.")
    silent_since = await said(citizen, "bot").count()
    await citizen.get_by_label("Câu hỏi của bạn").fill(f"Cảm ơn cháu. {words.known}")
    await citizen.keyboard.press("Enter")
    for page in (lan, minh):
        await expect(page.get_by_role("log")).to_contain_text("Cảm ơn cháu.")
    await reply_field(lan).fill("Bác hỏi thêm câu nào nữa không ạ?")
    await reply_field(lan).press("Control+Enter")
    await expect(said(citizen, "operator")).to_have_count(2)
    await expect(said(citizen, "bot")).to_have_count(silent_since)

    await lan.get_by_role("button", name="Trả lại cho bot").click()
    await expect(minh.get_by_text("Bot đang phụ trách hội thoại")).to_be_visible()
    await ask(citizen, words.known, words.answer)
    assert screens.house.sql(
        "select count(*) from messages m join conversations c on c.id = m.conversation_id "
        "join tickets t on t.conversation_id = c.id where t.code = %s and m.author = 'operator'",
        code,
    ) == [(2,)]


async def test_a_unit_answers_later_and_the_citizen_gets_it(screens: Screens, words: Words) -> None:
    citizen = await screens.citizen()
    code = await code_for(citizen, words.unknown)
    desk = await screens.colleague(Role.OPERATOR)
    await open_ticket(desk, code)
    await desk.get_by_role("button", name="Chuyển đơn vị").click()
    await desk.get_by_label("Đơn vị", exact=True).fill("SYT")
    await desk.get_by_role("option", name="(SYT)").click()
    await desk.get_by_label("Lý do, điều cần đơn vị trả lời").fill("Thuộc ngành y tế")
    await desk.get_by_role("button", name="Chuyển", exact=True).click()
    officer = await screens.colleague(Role.UNIT_OFFICER, "SYT")
    await open_ticket(officer, code)
    await ask(citizen, words.known, words.answer)  # the bot goes on answering meanwhile
    await citizen.goto("about:blank")
    await reply_field(officer).fill("Đoàn mổ mắt làm việc từ ngày 5 đến 9/12.")
    await officer.get_by_role("button", name="Trả lời phiếu").click()
    await expect(officer.get_by_role("log")).to_contain_text("Đoàn mổ mắt làm việc từ ngày 5 đến 9/12.")
    await citizen.goto(screens.house.url)
    answer = said(citizen, "operator")
    await expect(answer).to_contain_text(code)
    await expect(answer).to_contain_text("Đoàn mổ mắt làm việc từ ngày 5 đến 9/12.")
    await expect(answer).to_contain_text("Sở Y tế")


@pytest.mark.flaky(reruns=0)  # once it has taught, its question is answered
async def test_what_could_not_be_answered_is_taught_and_then_answered(screens: Screens, words: Words) -> None:
    word = uuid.uuid4().hex[:5]
    question = words.to_teach
    citizen = await screens.citizen()
    code = await code_for(citizen, question)
    editor = await screens.colleague(Role.EDITOR, "SGTVT")
    await editor.goto(f"{screens.house.url}/console/unanswered")
    await editor.get_by_role("button", name=f"Bổ sung {code}").click()
    await editor.get_by_label("Câu hỏi", exact=True).fill(question)
    await editor.get_by_label("Câu trả lời đã duyệt").fill(f"Tại trạm đăng kiểm Lạch Bạng, quầy {word}.")
    await editor.get_by_role("button", name="Lưu và công bố").click()
    await expect(editor.get_by_role("status")).to_contain_text("Bot trả lời ngay")
    somebody_else = await screens.citizen()
    await ask(somebody_else, question, f"Lạch Bạng, quầy {word}")
