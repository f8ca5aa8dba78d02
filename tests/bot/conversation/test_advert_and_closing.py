"""What strangers offer to everybody is no ticket; nor is a goodbye. What only sounds like either goes its usual way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bot.conversation import texts
from bot.conversation.advert import is_advert
from bot.conversation.choices import PERSON
from bot.conversation.closing import is_closing
from handoff.tables import TicketEventRow
from handoff.ticket import State
from kb_import.samples.content import load_samples
from nlu_data.vi_nlu.text import strip_diacritics
from tests.bot.conversation.conftest import TalkHouse

ADVERTS = (
    "Hỗ trợ vay vốn tín chấp giải ngân trong ngày, chỉ cần CCCD, liên hệ zalo 0912345678",
    "Cần tiền gấp? Vay 10-50tr không thế chấp, gọi 0909.888.777",
    "nhà cái uy tín số 1, nạp đầu tặng 100%, đăng ký tại bit.ly/abc",
    "tuyển cộng tác viên làm online tại nhà thu nhập 500k-1tr/ngày ib zalo em",
    "việc nhẹ lương cao tuyển CTV chốt đơn shopee hoa hồng 20%",
    "bán đất nền Sầm Sơn giá gốc chiết khấu 10% liên hệ 0977xxx999",
    "nhận làm bằng đại học, bằng lái xe không cần thi, uy tín, zalo 0922333444",
    "đầu tư crypto lợi nhuận 30% mỗi tháng, tham gia nhóm http://abc.example",
    "cho thuê xe du lịch 4-45 chỗ giá rẻ lh 0912.111.222",
)
NOT_ADVERTS = (
    "có người nhắn vay tiền, tôi báo ai",
    "em bị đòi nợ app vay tiền gọi khủng bố cả nhà phải báo ai, số nó 0912345678",
    "tôi nhận được tin nhắn tuyển cộng tác viên online, có phải lừa đảo không ạ",
    "tờ rơi cho vay tiền dán đầy cột điện ở phố tôi, liên hệ 0912xxxxxx dán khắp nơi",
    "hàng xóm nhà tôi ghi lô đề, muốn tố giác thì gọi đâu",
    "vay vốn ngân hàng chính sách cho hộ nghèo thủ tục thế nào",
    "shop bán hàng giả trên mạng, giá rẻ, tôi muốn tố cáo, số nó là 0912345678",
    "cần tiền gấp chữa bệnh cho con, xin tỉnh hỗ trợ, số tôi 0912345678",
    "loa phường phát quảng cáo bán hàng suốt ngày, đề nghị xã xử lý",
    "các đoàn xe cộ đổ về bến, liên hệ em Lan 0912345678",
)
CLOSINGS = (
    "thôi không cần nữa, tôi tự tìm được rồi",
    "thôi khỏi",
    "không cần nữa đâu",
    "thôi được rồi, tôi tự làm được",
    "tôi biết rồi, khỏi cần trả lời",
    "xong rồi, không cần hỗ trợ nữa",
    "có người giúp rồi, thôi nhé",
    "không phiền các cháu nữa",
    "ok thôi để lúc khác",
)
NOT_CLOSINGS = (
    "thôi cho em hỏi câu khác",
    "tôi không cần xét nghiệm nữa phải không",
    "tôi hỏi xong rồi mà chưa ai trả lời",
    "em làm thủ tục xong rồi bao giờ lấy",
    "làm xong rồi thì nộp ở đâu",
    "tôi tự làm hồ sơ được không",
    "thôi cho tôi gặp người",
    "thôi chết",
    "được rồi",
    "không",
)


@pytest.mark.parametrize("said", ADVERTS)
def test_an_offer_to_everybody_is_an_advertisement(said: str) -> None:
    assert is_advert(said)
    assert is_advert(strip_diacritics(said).upper())


@pytest.mark.parametrize("said", [*NOT_ADVERTS, *CLOSINGS, *NOT_CLOSINGS])
def test_a_citizen_who_tells_of_an_offer_is_none(said: str) -> None:
    assert not is_advert(said)
    assert not is_advert(strip_diacritics(said))


@pytest.mark.parametrize("said", CLOSINGS)
def test_a_citizen_lets_the_matter_rest(said: str) -> None:
    assert is_closing(said)
    assert is_closing(strip_diacritics(said).upper())


@pytest.mark.parametrize("said", [*NOT_CLOSINGS, *NOT_ADVERTS, *ADVERTS])
def test_closing_words_inside_something_else_close_nothing(said: str) -> None:
    assert not is_closing(said)
    assert not is_closing(strip_diacritics(said))


def test_no_question_of_the_sample_banks_is_either() -> None:
    asked = [text for bank in load_samples() for entry in bank.entries for text in (entry.question, *entry.asked)]
    asked += [text for bank in load_samples() for text in bank.unanswerable]
    assert [text for text in asked if is_advert(text) or is_closing(text)] == []


@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    assert not (is_advert(text) and is_closing(text))


async def test_an_advertisement_gets_a_sentence_and_no_ticket(talk: TalkHouse) -> None:
    message = await talk.hear(ADVERTS[0])
    (reply,) = await talk.said_to(message)
    assert reply.text == texts.NO_ADVERTS
    assert [one["payload"] for one in reply.choices] == [PERSON], "whoever was misread gets to a person"
    assert await talk.tickets(reply.conversation_id) == []
    why = await talk.desk.why(message)
    assert why is not None
    assert why.outcome == "advert"


async def test_a_complaint_about_an_offer_goes_the_way_of_a_question(talk: TalkHouse) -> None:
    message = await talk.hear("Chúng nó gọi mời vay tiền nhanh, tôi báo ai?")
    (reply,) = await talk.said_to(message)
    assert reply.text != texts.NO_ADVERTS
    why = await talk.desk.why(message)
    assert why is not None
    assert why.outcome in {"handover", "choose"}


async def test_a_matter_that_rests_is_noted_on_the_ticket_that_nobody_took(talk: TalkHouse) -> None:
    (asked,) = await talk.said_to(await talk.hear("Giá vé cáp treo lên mặt trăng là bao nhiêu?"))
    message = await talk.hear("thôi không cần nữa, tôi tự tìm được rồi")
    (reply,) = await talk.said_to(message)
    (ticket,) = await talk.tickets(asked.conversation_id)
    assert reply.text == texts.let_rest(ticket.code)
    assert reply.ticket is None, "it is no new promise of an answer"
    assert ticket.state is State.WAITING, "whoever takes it decides"
    async with talk.database.transaction() as session:
        events = await session.scalars(
            select(TicketEventRow).where(TicketEventRow.ticket_id == ticket.id, TicketEventRow.message_id == message)
        )
        (event,) = events.all()
    assert "tôi tự tìm được rồi" in event.fields["question"]


async def test_a_matter_that_rests_without_a_ticket_makes_none(talk: TalkHouse) -> None:
    (reply,) = await talk.said_to(await talk.hear("thôi khỏi ạ, em hỏi được rồi"))
    assert reply.text == texts.let_rest(None)
    assert await talk.tickets(reply.conversation_id) == []
