"""What platforms let people share without typing, in the middle of a report: a place, a phone number, a picture."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.scenarios.conftest import Town
from tests.scenarios.house import House, eventually
from tests.scenarios.people import Phone

pytestmark = pytest.mark.slow


@pytest.fixture(params=["zalo", "messenger"])
def phone(request: pytest.FixtureRequest, town: Town) -> Phone:
    """A new citizen on each platform."""
    return Phone(town.zalo if request.param == "zalo" else town.messenger)


def after(phone: Phone, house: House, act: Callable[[], object]) -> str:
    """Let the citizen do something; the last thing that is said to it, once all of it is on the phone."""
    handled = partial(
        house.sql,
        "select count(*) from messages m join conversations c on c.id = m.conversation_id "
        "where c.citizen_ref = %s and m.direction = 'in' and m.handled_at is not null",
        phone.user,
    )
    before = handled()[0][0]
    phone.simulator.running.call(act)
    eventually("it is worked out", lambda: handled()[0][0] > before)
    rows = phone.wait_until_sent(house)
    return phone.wait_for(len(rows))[-1].text


def write(phone: Phone, house: House, text: str) -> str:
    """Type something."""
    return after(phone, house, lambda: phone.simulator.say(phone.user, text))


def play(phone: Phone, house: House, what: str) -> str:
    """Press a button of the platform's own."""
    return after(phone, house, lambda: phone.simulator.play(phone.user, what))


def test_a_shared_place_and_number_fill_the_report(phone: Phone, house: House) -> None:
    assert "Sự việc cụ thể" in write(phone, house, "Tôi muốn phản ánh")
    assert "ở đâu" in write(phone, house, "Đèn đường bị hỏng, tối om")
    assert "khi nào" in play(phone, house, "location")
    assert "viết bằng chữ" in play(phone, house, "sticker")  # it says so, and the form waits
    assert "hình ảnh" in write(phone, house, "từ sáng nay")
    assert "số điện thoại" in write(phone, house, "bỏ qua")
    done = play(phone, house, "contact")
    kind, code, question, number = house.sql(
        "select kind, code, question, phone from tickets where conversation_id = %s", phone.conversation(house)
    )[0]
    assert code in done
    assert kind == "report"
    assert "Địa điểm: vị trí 19.806700, 105.776400" in question
    assert number == "0912345678"


def test_a_number_shared_early_is_not_asked_for_again(phone: Phone, house: House) -> None:
    write(phone, house, "Tôi muốn phản ánh")
    assert "ở đâu" in write(phone, house, "Rác chất đống trước cổng chợ")
    # Zalo's profile has an address, which answers where; Messenger gives nothing but the number
    asked = play(phone, house, "contact")
    if "ở đâu" in asked:
        asked = write(phone, house, "cổng chợ Vườn Hoa")
    assert "khi nào" in asked
    assert "hình ảnh" in write(phone, house, "hôm qua")
    code_said = write(phone, house, "bỏ qua")
    ((code, number),) = house.sql(
        "select code, phone from tickets where conversation_id = %s", phone.conversation(house)
    )
    assert code in code_said
    assert number == "0912345678"


def test_shared_outside_a_report_it_is_acknowledged_and_kept(phone: Phone, house: House) -> None:
    assert "vị trí của bạn" in play(phone, house, "location")
    assert "thông tin liên hệ của bạn" in play(phone, house, "contact")
    conversation = phone.conversation(house)
    found = house.sql("select phone, citizen_name from conversations where id = %s", conversation)
    assert found[0][0] == "0912345678"
    assert house.sql("select 1 from tickets where conversation_id = %s", conversation) == []


def test_the_operator_sees_a_name_instead_of_an_id(phone: Phone, house: House) -> None:
    phone.ask("Xin chào")
    conversation = phone.conversation(house)
    name = eventually(
        "the platform's name",
        lambda: house.sql("select citizen_name from conversations where id = %s", conversation)[0][0],
    )
    assert "dân" in name.lower()
    assert phone.user[-4:] in name
