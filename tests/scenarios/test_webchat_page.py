"""The chat page in Chromium, as a citizen uses it: phone, keyboard, bad network."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.async_api import Browser, Page, expect
from pydantic import SecretStr

from bot.base.db import Database
from bot.contracts.messages import Author
from connectors.webchat.routes import webchat_router
from connectors.webchat.settings import WebchatSettings
from tests.browser import be_patient, chromium
from tests.connectors.webchat.conftest import listening
from tests.connectors.webchat.house import CODE, House
from tests.connectors.webchat.serving import serving
from tests.ports import free_port

pytestmark = pytest.mark.slow
PHONE = {"width": 360, "height": 740}
HOST_PAGE = '<h1>Cổng thông tin xã</h1><script src="/widget.js"></script>'


@dataclass
class Site:
    """The served page and what stands behind it."""

    url: str
    house: House
    app: FastAPI

    @property
    def citizen(self) -> str:
        return self.house.inbounds[-1].citizen_ref


@pytest.fixture
async def app_and_house(server_url: str) -> AsyncIterator[tuple[FastAPI, House]]:
    database = Database(server_url, pool_size=2)
    async with listening(server_url) as listener:
        house = House(database)
        app = FastAPI()
        settings = WebchatSettings(_env_file=None, session_secret=SecretStr("for tests only"))
        app.include_router(webchat_router(house, settings, listener))

        @app.get("/host")
        async def host() -> HTMLResponse:
            return HTMLResponse(HOST_PAGE)

        yield app, house
    await database.close()


@pytest.fixture
async def site(app_and_house: tuple[FastAPI, House]) -> AsyncIterator[Site]:
    app, house = app_and_house
    async with serving(app) as url:
        yield Site(url, house, app)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as one:
        yield one


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A phone; a test fails when the page's script does."""
    context = await browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    one = await be_patient(context).new_page()
    errors: list[str] = []
    one.on("pageerror", lambda error: errors.append(str(error)))
    yield one
    assert errors == []
    await context.close()


async def ask(page: Page, text: str) -> None:
    await page.get_by_label("Câu hỏi của bạn").fill(text)
    await page.keyboard.press("Enter")


def said(page: Page, author: str):  # type: ignore[no-untyped-def]
    return page.locator(f".from-{author} .bubble")


async def test_answer_on_a_phone_fits_is_rated_and_survives_a_reload(page: Page, site: Site) -> None:
    await page.goto(site.url)
    await page.get_by_role("button", name="Làm thẻ bảo hiểm").click()
    await expect(said(page, "bot")).to_contain_text("Trẻ em dưới 6 tuổi")
    await expect(page.get_by_text("Đã gửi")).to_be_visible()
    await page.get_by_role("button", name="Không", exact=True).click()
    await expect(page.get_by_text("Bạn chọn: Không")).to_be_focused()
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await expect(page.get_by_role("link", name="dichvucong.gov.vn")).to_have_attribute(
        "href", "https://dichvucong.gov.vn"
    )
    await page.reload()
    await expect(said(page, "bot")).to_have_count(1)
    await expect(said(page, "citizen")).to_have_count(1)
    await expect(page.get_by_text("Bạn chọn: Không")).to_be_visible()
    assert [one.helpful for _, one in site.house.rows] == [None, False]


async def test_choice_and_ticket_and_operator(page: Page, site: Site) -> None:
    await page.goto(site.url)
    await ask(page, "trợ cấp")
    await page.get_by_role("button", name="Hồ sơ và nơi nộp").click()
    await expect(said(page, "citizen")).to_have_count(2)
    await expect(said(page, "bot")).to_have_count(2)
    assert site.house.inbounds[-1].payload == "entry:1"
    await ask(page, "gặp cán bộ")
    card = page.get_by_role("group", name=f"Phiếu {CODE}")
    await expect(card.get_by_role("link", name="Tra cứu")).to_have_attribute("href", f"/tra-cuu?ma={CODE}")
    await expect(said(page, "operator")).to_contain_text("Chào bạn")
    writing = page.get_by_text("Đang soạn trả lời")
    while not await writing.is_visible():  # told again as long as somebody writes; a page without its line misses one
        await site.house.tell("typing", citizen_ref=site.citizen)
        await page.wait_for_timeout(500)
    await site.house.say(site.citizen, "Bạn chờ tôi chút", Author.OPERATOR)
    await expect(page.get_by_text("Đang soạn trả lời")).to_be_hidden()


async def test_server_restart_loses_nothing_and_sends_nothing_twice(
    page: Page, app_and_house: tuple[FastAPI, House]
) -> None:
    app, house = app_and_house
    port = free_port()  # nobody else is given it while the server is away
    async with serving(app, port) as url:
        await page.goto(url)
        await ask(page, "một")
        await expect(said(page, "bot")).to_have_count(1)
    await ask(page, "hai")
    await ask(page, "ba")
    await expect(page.get_by_role("button", name="Thử lại")).to_have_count(2)
    citizen = house.inbounds[0].citizen_ref
    await house.say(citizen, "khi máy chủ tắt", Author.OPERATOR)
    async with serving(app, port):
        await expect(said(page, "operator")).to_have_text("khi máy chủ tắt")
        await expect(said(page, "bot")).to_have_count(3)
        await expect(page.get_by_role("button", name="Thử lại")).to_have_count(0)
    assert [one.text for one in house.inbounds] == ["một", "hai", "ba"]


async def test_unsent_messages_survive_a_reload(page: Page, site: Site) -> None:
    await page.goto(site.url)
    await page.route("**/api/v1/chat/messages", lambda route: route.abort())
    await ask(page, "chưa có mạng")
    await expect(page.get_by_text("Chưa gửi được.")).to_be_visible()
    await page.unroute("**/api/v1/chat/messages")
    await page.reload()
    await expect(said(page, "bot")).to_have_count(1)
    await expect(said(page, "citizen")).to_have_text("chưa có mạng")
    assert len(site.house.inbounds) == 1


async def test_keyboard_alone_is_enough(browser: Browser, site: Site) -> None:
    page = await be_patient(await browser.new_context()).new_page()
    await page.goto(site.url)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Đến ô nhập câu hỏi")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Câu hỏi của bạn")).to_be_focused()
    await page.keyboard.type("dòng một")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("dòng hai")
    await page.keyboard.press("Enter")
    await expect(said(page, "citizen")).to_have_text("dòng một\ndòng hai")
    await expect(said(page, "bot")).to_have_count(1)
    for _ in range(8):  # backwards from the field to the answer's buttons
        await page.keyboard.press("Shift+Tab")
        if await page.evaluate("document.activeElement.textContent") == "Có":
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Bạn chọn: Có")).to_be_focused()


async def test_enter_belongs_to_the_input_method_while_it_composes(page: Page, site: Site) -> None:
    await page.goto(site.url)
    await page.get_by_label("Câu hỏi của bạn").fill("tiếng Viê")
    await page.evaluate(
        "document.getElementById('text').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    await expect(page.get_by_label("Câu hỏi của bạn")).to_have_value("tiếng Viê")
    assert site.house.inbounds == []


async def test_text_of_others_stays_text(page: Page, site: Site) -> None:
    await page.goto(site.url)
    await ask(page, "nguy hiểm")
    await expect(said(page, "bot")).to_contain_text("<img src=x")
    assert await page.locator(".from-bot .bubble :not(a)").count() == 0
    assert await page.evaluate("window.hacked") is None
    hrefs = await page.locator(".from-bot .bubble a").evaluate_all("all => all.map(one => one.href)")
    assert hrefs == ["https://a.vn/"]


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("Gọi 115 ngay, hoặc 0912 345 678.", ["tel:115", "tel:0912345678"]),
        ("Nghị quyết 1022/NQ-HĐND, có 115 hộ, CCCD 038099001234", []),
        ("ĐT (0237) 3852 246 - 19001234", ["tel:02373852246", "tel:19001234"]),
        ("0912345678 - 0987654321", ["tel:0912345678", "tel:0987654321"]),
        ("(xem https://a.gov.vn/b?c=1).", ["https://a.gov.vn/b?c=1"]),
        ("ngày 01.10.2021, 1.022.000 đồng", []),
        ("thư tới a@thanhhoa.gov.vn", ["mailto:a@thanhhoa.gov.vn"]),
    ],
)
async def test_links_and_numbers_are_found(page: Page, site: Site, text: str, links: list[str]) -> None:
    await page.goto(site.url)
    pieces = await page.evaluate("async text => (await import('/webchat/linkify.js')).linkify(text)", text)
    assert "".join(one["text"] for one in pieces) == text
    assert [one["href"] for one in pieces if one.get("href")] == links


async def test_page_without_storage_still_answers(browser: Browser, site: Site) -> None:
    context = await browser.new_context()
    await context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no') }})"
    )
    page = await be_patient(context).new_page()
    await page.goto(site.url)
    await ask(page, "xin chào")
    await expect(said(page, "bot")).to_have_count(1)
    await expect(page.get_by_text("không cho lưu")).to_be_visible()


async def test_forgetting_leaves_nothing_on_this_device(page: Page, site: Site) -> None:
    await page.goto(site.url)
    await ask(page, "riêng tư")
    await expect(said(page, "bot")).to_have_count(1)
    await page.get_by_label("Mở trình đơn").click()
    await page.get_by_role("button", name="Xoá trò chuyện trên máy này").click()
    await page.get_by_role("button", name="Xoá", exact=True).click()
    await expect(said(page, "citizen")).to_have_count(0)
    await page.wait_for_function("localStorage.length === 0")


async def test_ticket_look_up(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/tra-cuu")
    await page.get_by_label("Mã phiếu").fill("th-0000")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Không tìm thấy phiếu TH-0000")
    await page.get_by_label("Mã phiếu").fill("th – 7k3p9")
    await page.get_by_role("button", name="Tra cứu").click()
    await expect(page.get_by_role("heading", name="Đang xử lý")).to_be_visible()
    await expect(page.get_by_text("14:05 ngày 04/11/2026")).to_be_visible()


async def test_widget_opens_answers_and_gives_the_focus_back(browser: Browser, site: Site) -> None:
    page = await be_patient(await browser.new_context()).new_page()
    await page.goto(f"{site.url}/host")
    await page.get_by_role("button", name="Hỏi đáp 1022").click()
    chat = page.frame_locator("iframe")
    await expect(chat.get_by_role("button", name="Làm thẻ bảo hiểm")).to_be_visible()  # its script runs
    await chat.get_by_label("Câu hỏi của bạn").fill("xin chào")
    await chat.get_by_role("button", name="Gửi", exact=True).click()
    await expect(chat.locator(".from-bot .bubble")).to_have_count(1)
    await chat.get_by_label("Thu nhỏ khung trò chuyện").click()
    await expect(page.get_by_role("button", name="Hỏi đáp 1022")).to_be_focused()


CONTRASTS = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const under = (one) => {
    for (; one; one = one.parentElement) {
      const colour = rgb(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const one of document.body.querySelectorAll("*")) {
    if (!one.checkVisibility() || ![...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(one).color)), light(under(one))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${one.tagName}.${one.className}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""
NAMELESS = """() => [...document.querySelectorAll("a, button, input, textarea, summary, img")]
  .filter((one) => one.checkVisibility())
  .filter((one) => one.tagName === "IMG" ? !one.hasAttribute("alt")
    : !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length))
  .map((one) => one.outerHTML)"""
SMALL = """() => [...document.querySelectorAll("button, .choices .chip, textarea, .emergency a")]
  .filter((one) => one.checkVisibility()).map((one) => [one.textContent, one.getBoundingClientRect()])
  .filter(([, box]) => box.height < 32 || box.width < 24).map(([text]) => text)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_read_and_reach_it(browser: Browser, site: Site, scheme: str) -> None:
    context = await browser.new_context(viewport=PHONE, color_scheme=scheme)  # type: ignore[arg-type]
    page = await be_patient(context).new_page()
    await page.goto(site.url)
    for text, author in (("trợ cấp", "bot"), ("gặp cán bộ", "operator"), ("xin chào", "bot")):
        await ask(page, text)
        await expect(said(page, author)).not_to_have_count(0)
    await expect(page.get_by_text("giúp được bạn không")).to_be_visible()
    assert await page.evaluate(CONTRASTS) == []
    assert await page.evaluate(NAMELESS) == []
    assert await page.evaluate(SMALL) == []
    for role in ("banner", "main", "contentinfo", "log", "navigation"):
        await expect(page.get_by_role(role)).to_have_count(1)
    await page.goto(f"{site.url}/tra-cuu?ma={CODE}")
    await expect(page.get_by_role("heading", name="Đang xử lý")).to_be_visible()
    assert await page.evaluate(CONTRASTS) == []
    assert await page.evaluate(NAMELESS) == []
