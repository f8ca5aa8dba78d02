"""In a real browser: an answer that the channel no longer carries, from the sender's word to the operator's choice."""

from datetime import timedelta

import pytest
from playwright.async_api import expect
from pydantic import SecretStr

from bot.base.clock import now
from bot.base.jobs import job_app
from bot.contracts.connector import Capabilities, Connector
from bot.contracts.ids import Channel, ConversationId, MessageId
from bot.contracts.messages import DeliveryState
from bot.conversation.tables import ConversationRow, MessageRow
from bot.outbox.deliver import deliver
from bot.outbox.post import Outbox
from connectors.messenger.connector import MessengerConnector
from connectors.messenger.settings import MessengerSettings
from connectors.webchat.connector import WebchatConnector
from tests.console.conftest import LogIn
from tests.console.house import House

pytestmark = pytest.mark.slow
PHONE = "0912345678"


async def send(house: House, message: MessageId) -> None:
    """The delivery job, with the channels that the gateway of these tests has."""
    jobs = job_app(house.database.url)

    @jobs.task(name="deliver", queue="deliver")
    async def deliver_job(message: int) -> None:
        """Nothing is deferred: on the web chat a committed row is a sent message."""

    settings = MessengerSettings(
        app_secret=SecretStr("s"), page_token=SecretStr("t"), verify_token=SecretStr("v"), page_id="1022"
    )
    connectors: dict[Channel, Connector] = {
        MessengerConnector.name: MessengerConnector(settings, house.database),
        WebchatConnector.name: WebchatConnector(house.database),
    }
    outbox = Outbox(deliver_job, {WebchatConnector.name: Capabilities(2000, 3, pulls=True)})
    await deliver(house.database, connectors, message, outbox=outbox)
    for one in connectors.values():
        await one.close()


async def wrote(house: House, conversation: ConversationId, hours_ago: float) -> None:
    """When the citizen last did."""
    async with house.database.transaction() as session:
        row = await session.get_one(ConversationRow, conversation)
        row.last_inbound_at, row.phone = now() - timedelta(hours=hours_ago), PHONE


async def test_a_held_answer_is_offered_to_be_told_by_phone_or_over_the_channel_that_is_open(
    house: House, address: str, log_in: LogIn
) -> None:
    await house.person("lan", shown="Lê Thị Lan")
    facebook = await house.citizen("Nguyễn Thị Hoa", channel="messenger")
    ticket = await house.ticket(facebook, "Làm lại sổ hộ nghèo ở đâu?", phone=PHONE)
    await wrote(house, facebook, hours_ago=200)  # beyond the day, and beyond a person's seven days
    answer = await house.message(facebook, "Mời chị ra UBND xã.", author="bot", status=DeliveryState.QUEUED)
    await send(house, answer)

    page = await log_in("lan")
    await page.goto(f"{address}/console/undelivered")
    held = page.get_by_role("main").locator("section").filter(has_text="Mời chị ra UBND xã.")
    await expect(held).to_contain_text("Ngoài khung được nhắn tin")
    await expect(held).to_contain_text(PHONE)
    await expect(held.get_by_role("button", name="Gọi điện báo")).to_be_visible()
    await expect(held).not_to_contain_text("nhắn được qua")

    chat = await house.citizen("Hoa")  # the same number, on the web chat, just now
    await wrote(house, chat, hours_ago=0)
    await page.reload()
    await expect(held).to_contain_text("Có hội thoại Web chat cùng số điện thoại còn nhắn được")
    await page.goto(f"{address}/console/tickets/{ticket.code}")
    await expect(page.get_by_text("Có hội thoại Web chat cùng số điện thoại còn nhắn được")).to_be_visible()
    panel = page.get_by_role("region", name="Cùng một người?")
    await panel.get_by_role("button", name="Ghép hội thoại Web chat của Hoa").click()
    await expect(page.get_by_text("Còn nhắn được qua Web chat")).to_be_visible()
    line = page.locator(f"[data-mark=message-{answer}]")
    await expect(line.get_by_role("button", name="Chuyển sang gọi điện")).to_be_visible()
    await line.get_by_role("button", name="Gửi lại").click()
    await expect(line.get_by_role("button", name="Gửi lại")).to_have_count(0)
    await send(house, answer)
    await expect(line).to_contain_text("đã gửi qua trang trò chuyện")
    async with house.database.transaction() as session:
        first = await session.get_one(MessageRow, answer)
        assert first.status == DeliveryState.FAILED  # never shown as sent where it was not
        other = await session.get_one(MessageRow, first.extra["elsewhere"])
        assert (other.conversation_id, other.text, other.status) == (chat, first.text, DeliveryState.SENT)
    await page.goto(f"{address}/console/undelivered")
    await expect(page.get_by_text("Mọi tin đều đã gửi được.")).to_be_visible()
