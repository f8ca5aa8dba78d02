"""Every button that the bot offers leads somewhere: the greeting's, a form's, the one to a person."""

import re

import pytest

from tests.scenarios.conftest import Town
from tests.scenarios.house import House
from tests.scenarios.people import Phone

pytestmark = pytest.mark.slow

TICKET = re.compile(r"TH-[2-9A-Z]{5}")


def test_each_button_under_the_greeting_leads_somewhere(house: House) -> None:
    offered = house.citizen().ask("Xin chào")["choices"]
    assert len(offered) >= 3
    said = {}
    for choice in offered:
        person = house.citizen()
        person.ask("Xin chào")
        said[choice["title"]] = person.ask(choice["title"], choice["payload"])["text"]
    assert "ghi lại" in said["Gửi phản ánh"]
    assert "mã phiếu" in said["Tra cứu phiếu"]
    assert TICKET.search(said["Gặp cán bộ"])


def test_a_report_begun_with_a_button_ends_in_a_ticket(house: House) -> None:
    person = house.citizen()
    person.ask("Xin chào")
    person.ask("Gửi phản ánh", "/report")
    last = {}
    for text in (
        "Cột điện nghiêng sắp đổ",
        "đầu ngõ 5 đường Trần Phú, phường Hạc Thành",
        "sáng nay",
        "bỏ qua",
        "bỏ qua",
    ):
        last = person.ask(text)
    assert last["ticket"]
    assert TICKET.search(last["text"])


@pytest.mark.parametrize("platform", ["zalo", "messenger"])
def test_a_platforms_button_is_the_same_as_the_web_chats(town: Town, platform: str) -> None:
    phone = Phone(town.zalo if platform == "zalo" else town.messenger)
    greeting = phone.ask("Xin chào")
    phone.press(greeting, "Gửi phản ánh")
    assert "ghi lại" in phone.wait_for(2)[1].text


def test_an_emergency_in_the_middle_of_a_form_ends_the_form(house: House) -> None:
    person = house.citizen()
    person.ask("tôi muốn phản ánh rác thải")
    assert "115" in person.ask("Mẹ tôi khó thở quá, không thở được")["text"]
    assert "địa điểm" not in person.ask("Cảm ơn")["text"].lower()
    assert "ở đâu" not in person.ask("Xin chào")["text"]
