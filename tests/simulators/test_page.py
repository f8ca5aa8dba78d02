"""A person plays the citizen in a browser."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from bot.contracts.messages import Choice
from tests.browser import be_patient, chromium
from tests.simulators.messenger import MessengerSimulator
from tests.simulators.zalo import ZaloSimulator


@pytest.mark.slow
@pytest.mark.parametrize("make", [ZaloSimulator, MessengerSimulator])
async def test_write_read_and_press(make: Callable[[], Any]) -> None:
    simulator = make().start()
    choice = Choice("Gặp cán bộ", "#person")
    async with chromium() as browser:
        phone = await browser.new_context(viewport={"width": 390, "height": 760})
        page = await be_patient(phone).new_page()
        await page.goto(simulator.url)
        await page.get_by_placeholder("Nhắn cho tổng đài…").fill("Chào tổng đài")
        await page.get_by_role("button", name="Gửi", exact=True).click()
        await expect(page.locator("#log .me p").first).to_have_text("Chào tổng đài")
        await _answer(simulator, choice)
        await page.get_by_role("button", name=choice.title).click()
        await expect(page.locator("#log .me p").last).to_have_text(choice.title)
        await page.get_by_text("Gửi thứ khác").click()
        for button, shown in (("Gửi nhãn dán", "[sticker]"), ("Gửi vị trí", "[location]")):
            await page.get_by_role("button", name=button).click()
            await expect(page.locator("#log .me p").last).to_have_text(shown)
        await page.get_by_role("button", name="Chia sẻ số điện thoại").click()
        await expect(page.locator("#log .me p").last).to_have_text(re.compile("Chia sẻ thông tin|84912345678"))
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390
    simulator.stop()


async def _answer(simulator: Any, choice: Choice) -> None:
    """The gateway's answer, as each platform wants it."""
    user = "1000000000000000001"
    async with httpx.AsyncClient(base_url=simulator.url, trust_env=False) as client:
        if isinstance(simulator, ZaloSimulator):
            payload = f"#chon:{choice.payload}|{choice.title}"
            button = {"title": choice.title, "type": "oa.query.hide", "payload": payload}
            attachment = {"type": "template", "payload": {"buttons": [button]}}
            body: dict[str, Any] = {
                "recipient": {"user_id": user},
                "message": {"text": "Chào bác", "attachment": attachment},
            }
            answer = await client.post("/v3.0/oa/message/cs", json=body, headers={"access_token": "sim-access-0"})
        else:
            reply = {"content_type": "text", "title": choice.title, "payload": choice.payload}
            body = {"recipient": {"id": user}, "messaging_type": "RESPONSE"}
            body["message"] = {"text": "Chào bác", "quick_replies": [reply]}
            proof = {"appsecret_proof": simulator.hmac_of(simulator.app_secret, simulator.page_token.encode())}
            headers = {"authorization": f"Bearer {simulator.page_token}"}
            answer = await client.post("/v25.0/me/messages", params=proof, json=body, headers=headers)
        assert answer.status_code == 200
        assert answer.json().get("error", 0) == 0
