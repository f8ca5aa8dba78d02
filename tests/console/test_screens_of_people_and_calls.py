"""In real browsers: one person on two channels, messages told by phone, alarms, units, short forms, logins."""

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from bot.base.clock import now
from bot.contracts.ids import Channel
from bot.contracts.messages import DeliveryState
from bot.conversation.tables import ConversationRow, MessageRow
from connectors.condition import write_condition
from faq.entry import EntryDraft
from handoff.role import Role
from handoff.tables import AuditRow, UnitRow
from handoff.ticket import Ticket
from tests.console.conftest import LogIn
from tests.console.house import House

pytestmark = pytest.mark.slow


async def open_ticket(page: Page, ticket: Ticket) -> None:
    await page.get_by_role("listitem").filter(has_text=ticket.code).click()
    await expect(page.get_by_role("log")).to_be_visible()


async def test_two_conversations_become_one_person_and_part_again(house: House, address: str, log_in: LogIn) -> None:
    await house.person("lan", shown="Lê Thị Lan")
    chat, zalo = await house.citizen("Hoa"), await house.citizen("Nguyễn Thị Hoa", channel="messenger")
    async with house.database.transaction() as session:
        (await session.get_one(ConversationRow, zalo)).phone = "+84912345678"
    await house.message(zalo, "Tôi đã hỏi trên Facebook hôm qua")
    ticket = await house.ticket(chat, "Làm lại sổ hộ nghèo ở đâu?", phone="0912345678")
    other = await house.ticket(await house.citizen("Trần Văn Nam"), "Hỏi học phí")
    page = await log_in("lan")
    await open_ticket(page, ticket)
    panel = page.get_by_role("region", name="Cùng một người?")
    await expect(panel).to_contain_text("Hội thoại có cùng số điện thoại")
    await panel.get_by_role("button", name="Ghép hội thoại Messenger của Nguyễn Thị Hoa").click()
    log = page.get_by_role("log")
    await expect(log).to_contain_text("Tôi đã hỏi trên Facebook hôm qua")
    await expect(log.locator(".elsewhere")).to_contain_text("Messenger")
    await panel.get_by_label("Tìm hội thoại khác").fill(other.code)
    await expect(panel).to_contain_text("Trần Văn Nam")
    await panel.get_by_label("Tìm hội thoại khác").fill("trần văn")
    await expect(panel).to_contain_text("Trần Văn Nam")
    await panel.get_by_label("Tìm hội thoại khác").fill("")
    await panel.get_by_role("button", name="Gỡ hội thoại Messenger").click()
    await expect(log).not_to_contain_text("Tôi đã hỏi trên Facebook hôm qua")
    async with house.database.transaction() as session:
        done = (await session.scalars(select(AuditRow.what).where(AuditRow.what.in_(["linked", "unlinked"])))).all()
        assert list(done) == ["linked", "unlinked"]
        assert (await session.get_one(ConversationRow, zalo)).person is None


async def test_what_could_not_be_sent_is_told_by_phone_and_never_shown_as_sent(
    house: House, address: str, log_in: LogIn
) -> None:
    await house.person("lan", shown="Lê Thị Lan")
    conversation = await house.citizen("Hoa", channel="messenger")
    async with house.database.transaction() as session:
        (await session.get_one(ConversationRow, conversation)).last_inbound_at = now() - timedelta(days=2)
    ticket = await house.ticket(conversation, "Làm lại sổ hộ nghèo ở đâu?", phone="0912345678")
    held = await house.message(
        conversation, "Mời chị ra UBND xã.", author="bot", status=DeliveryState.HELD, failure="Ngoài khung"
    )
    page = await log_in("lan")
    await open_ticket(page, ticket)
    await expect(page.get_by_text("Đã quá khung được nhắn tin")).to_be_visible()
    line = page.locator(f"[data-mark=message-{held}]")
    await expect(line).to_contain_text("chưa gửi được: Ngoài khung")
    await line.get_by_role("button", name="Chuyển sang gọi điện").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("link", name="0912345678")).to_have_attribute("href", "tel:0912345678")
    await expect(dialog).to_contain_text("Mời chị ra UBND xã.")
    await dialog.get_by_role("button", name="Không liên lạc được").click()
    await expect(line).to_contain_text("không liên lạc được (Lê Thị Lan")
    async with house.database.transaction() as session:  # still waits for the citizen's next message
        assert (await session.get_one(MessageRow, held)).status == DeliveryState.HELD
    await line.get_by_role("button", name="Ghi kết quả gọi").click()
    await page.get_by_role("dialog").get_by_role("button", name="Đã gọi").click()
    await expect(line).to_contain_text("đã báo qua điện thoại (Lê Thị Lan")
    await expect(line).not_to_contain_text("đã gửi")
    await expect(line.get_by_role("button", name="Gửi lại")).to_have_count(0)
    async with house.database.transaction() as session:  # nobody sends it as well
        assert (await session.get_one(MessageRow, held)).status == DeliveryState.FAILED
    await page.goto(f"{address}/console/undelivered")
    await expect(page.get_by_text("Mọi tin đều đã gửi được.")).to_be_visible()
    await house.message(conversation, "Câu khác", author="bot", status=DeliveryState.FAILED, failure="Đã chặn trang")
    await page.reload()
    await expect(page.get_by_role("main")).to_contain_text("Đã chặn trang")
    await expect(page.locator("#c-undelivered")).to_have_text("1")
    await page.get_by_role("button", name="Gọi điện báo").click()
    await page.get_by_role("dialog").get_by_role("button", name="Đã gọi").click()
    await expect(page.get_by_text("Mọi tin đều đã gửi được.")).to_be_visible()


async def test_alarms_are_told_in_full_to_administrators_and_calmly_to_the_desk(
    house: House, address: str, log_in: LogIn
) -> None:
    await house.person("qt", Role.ADMIN, shown="Quản trị")
    await house.person("lan")
    async with house.database.transaction() as session:
        await write_condition(
            session, Channel("messenger"), "1022", trouble_vi="Mã truy cập trang đã hết hạn.", trouble_at=now()
        )
    admin, lan = await log_in("qt"), await log_in("lan")
    await expect(admin.get_by_text("Mã truy cập trang đã hết hạn.")).to_be_visible()
    await expect(lan.get_by_text("Kênh Messenger đang trục trặc")).to_be_visible()
    await expect(lan.get_by_text("Mã truy cập")).to_have_count(0)


async def test_how_long_one_may_still_write_stands_beside_the_reply_box(
    house: House, address: str, log_in: LogIn
) -> None:
    await house.person("lan")
    ticket = await house.ticket(await house.citizen(channel="messenger"))
    page = await log_in("lan")
    await open_ticket(page, ticket)
    await expect(page.get_by_text("Còn nhắn được đến")).to_be_visible()


async def test_an_administrator_sets_how_sure_the_bot_must_be(house: House, address: str, log_in: LogIn) -> None:
    await house.person("qt", Role.ADMIN, shown="Quản trị")
    await house.entries("SYT", "Y tế", EntryDraft("Tiêm vắc xin sởi cho trẻ ở đâu?", "Tại trạm y tế xã, miễn phí."))
    page = await log_in("qt")
    await page.get_by_role("link", name="Độ chắc của bot").click()
    await expect(page.get_by_role("button", name="Áp dụng")).to_be_disabled()
    slider = page.get_by_role("slider")
    before = float(await slider.get_attribute("aria-valuenow") or 0)
    handle = slider.locator("[tabindex='0']")
    await handle.press("ArrowRight")
    await handle.press("ArrowRight")
    await expect(page.get_by_text(f"Muốn đúng {before + 1:g}%".replace(".", ","))).to_be_visible()
    await page.get_by_role("button", name="Áp dụng").click()
    await expect(page.get_by_text(f"Đang áp dụng: {before + 1:g}%".replace(".", ","))).to_be_visible()
    async with house.database.transaction() as session:
        assert await session.scalar(select(AuditRow.id).where(AuditRow.what == "target_set"))


async def test_a_short_form_is_understood_as_soon_as_it_is_saved(house: House, address: str, log_in: LogIn) -> None:
    await house.person("bt", Role.EDITOR, "SYT", "Biên tập")
    await house.entries("SYT", "Y tế", EntryDraft("Tiêm vắc xin sởi cho trẻ ở đâu?", "Tại trạm y tế xã, miễn phí."))
    page = await log_in("bt")
    await page.get_by_role("link", name="Viết tắt").click()
    await page.get_by_label("Viết tắt (ví dụ").fill("zqx")
    await page.get_by_label("Nghĩa đầy đủ").fill("tiem vac xin")
    await page.get_by_role("button", name="Thêm", exact=True).click()
    await expect(page.get_by_text("Hãy viết nghĩa đầy đủ có dấu")).to_be_visible()
    await page.get_by_label("Nghĩa đầy đủ").fill("tiêm vắc xin sởi")
    await page.get_by_role("button", name="Thêm", exact=True).click()
    await expect(page.get_by_role("row").filter(has_text="zqx")).to_contain_text("cán bộ thêm")
    await page.goto(f"{address}/console/entries")
    await page.get_by_label("Hỏi thử").fill("zqx cho trẻ ở đâu?")
    await page.get_by_role("button", name="Hỏi thử").click()
    await expect(page.get_by_role("status").filter(has_text="Bot")).to_contain_text("Tại trạm y tế xã")


async def test_a_units_contact_is_edited_and_a_former_districts_heir_chosen(
    house: House, address: str, log_in: LogIn
) -> None:
    await house.person("qt", Role.ADMIN, shown="Quản trị")
    page = await log_in("qt")
    await page.get_by_role("link", name="Đơn vị", exact=True).click()
    await page.get_by_label("Tìm đơn vị").fill("so y te")
    await page.get_by_role("button", name="Sửa SYT").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Điện thoại cho người dân gọi").fill("0237 385 2264")
    await dialog.get_by_label("Giờ làm việc").fill("7:30–17:00, thứ Hai đến thứ Sáu")
    await dialog.get_by_role("button", name="Lưu", exact=True).click()
    await expect(page.get_by_role("row").filter(has_text="SYT")).to_contain_text("0237 385 2264")
    await page.get_by_label("Tìm đơn vị").fill("Bỉm Sơn")
    await page.get_by_role("button", name="Sửa 381").click()
    await dialog.get_by_label("Việc của đơn vị này nay thuộc về").fill("phường Bỉm Sơn")
    await page.get_by_role("option", name="UBND phường Bỉm Sơn").click()
    await dialog.get_by_role("button", name="Lưu", exact=True).click()
    await expect(page.get_by_role("row").filter(has_text="381")).to_contain_text("UBND phường Bỉm Sơn")
    async with house.database.transaction() as session:
        assert await session.scalar(select(UnitRow.hours).where(UnitRow.code == "SYT"))


async def test_one_login_is_ended_and_the_other_goes_on(house: House, address: str, log_in: LogIn) -> None:
    await house.person("lan", shown="Lê Thị Lan")
    here, there = await log_in("lan"), await log_in("lan")
    await expect(there.get_by_text("Không có ai đang chờ")).to_be_visible()
    await here.get_by_role("link", name="Lê Thị Lan").click()
    ends = here.get_by_role("button", name="Đăng xuất thiết bị này")
    await expect(ends).to_have_count(2)
    other = (
        here.locator(".f-person")
        .filter(has_not_text="dùng lần cuối")
        .or_(here.locator(".f-person").filter(has_not=here.locator(".c-chip")))
    )
    await other.get_by_role("button").click()
    await expect(there.get_by_role("heading", name="Đăng nhập")).to_be_visible()  # without a click over there
    await expect(ends).to_have_count(1)
    await here.reload()
    await expect(ends).to_have_count(1)


async def test_a_button_that_is_being_pressed_when_news_come_does_what_it_says(
    house: House, address: str, log_in: LogIn
) -> None:
    await house.person("lan")
    ticket = await house.ticket(conversation := await house.citizen())
    page = await log_in("lan")
    await open_ticket(page, ticket)
    await page.get_by_role("button", name="Hẹn trả lời").hover()
    await page.mouse.down()
    await house.say_more(conversation, "Cho tôi hỏi thêm")
    await expect(page.get_by_role("complementary").get_by_text("Người dân hỏi thêm")).to_have_count(1)
    await page.mouse.up()
    await expect(page.get_by_role("dialog")).to_contain_text("Hẹn thời điểm trả lời")


@pytest.mark.parametrize("width", [1280, 390])
async def test_no_page_is_wider_than_its_screen(house: House, address: str, log_in: LogIn, width: int) -> None:
    await house.person("qt", Role.ADMIN, shown="Quản trị viên hệ thống")
    ticket = await house.ticket(await house.citizen(), "Làm lại sổ hộ nghèo ở đâu?" * 8)
    page = await log_in("qt", width=width)
    await expect(page.get_by_role("listitem")).to_have_count(1)
    paths = ["", "/shift", "/undelivered", "/unanswered", "/entries", "/short-forms", "/status", "/tuning", "/units"]
    for path in [*paths, "/accounts", "/me", f"/tickets/{ticket.code}"]:
        await page.goto(f"{address}/console{path}")
        await expect(page.get_by_role("main")).not_to_be_empty()
        await page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
