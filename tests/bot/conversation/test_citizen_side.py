"""What the web chat may do and see: its own citizen's rows, and nothing of anybody else."""

import pytest

from bot.contracts.errors import NotFound
from bot.contracts.messages import Author, Inbound
from bot.conversation.citizen_side import WEBCHAT, WebchatSide
from bot.conversation.tables import MessageRow
from tests.bot.conversation.conftest import BIRTH, MARRIAGE, TalkHouse

ASKED = MARRIAGE.question


@pytest.fixture
def side(talk: TalkHouse) -> WebchatSide:
    return WebchatSide(talk.database, talk.converse, talk.outbox)


def said(talk: TalkHouse, text: str, *, ref: str = "w-lan", client_id: str = "1") -> Inbound:
    return talk.inbound(text, ref=ref, channel=WEBCHAT, provider_message_id=f"{ref}:{client_id}")


async def answered(talk: TalkHouse, side: WebchatSide) -> MessageRow:
    message = await side.accept(said(talk, ASKED))
    await talk.conversing.converse(message)
    (reply,) = await talk.said_to(message)
    return reply


async def test_the_same_message_twice_is_one_row_and_the_history_gives_its_own_id_back(
    talk: TalkHouse, side: WebchatSide
) -> None:
    first, again = await side.accept(said(talk, ASKED)), await side.accept(said(talk, ASKED))
    assert first == again
    await talk.conversing.converse(first)
    mine, answer = await side.history("w-lan", 0, 50)
    assert (mine.author, mine.client_message_id, mine.text) == (Author.CITIZEN, "1", ASKED)
    assert (answer.author, answer.ask_helpful, answer.client_message_id) == (Author.BOT, True, None)
    assert answer.text.startswith(MARRIAGE.answer)
    assert [one.id for one in await side.history("w-lan", mine.id, 50)] == [answer.id]


async def test_nobody_sees_or_rates_anothers_messages(talk: TalkHouse, side: WebchatSide) -> None:
    reply = await answered(talk, side)
    assert await side.history("w-minh", 0, 50) == []
    with pytest.raises(NotFound):
        await side.rate("w-minh", reply.id, True)
    assert (await talk.message(reply.id)).helpful is None


async def test_an_answer_that_did_not_help_is_followed_by_a_way_to_a_person_once(
    talk: TalkHouse, side: WebchatSide
) -> None:
    reply = await answered(talk, side)
    for _ in range(2):
        await side.rate("w-lan", reply.id, False)
    assert (await talk.message(reply.id)).helpful is False
    *_, last = await side.history("w-lan", reply.id, 50)
    assert [one.title for one in last.choices] == ["Gặp cán bộ"]
    assert len(await side.history("w-lan", reply.id, 50)) == 1
    await side.rate("w-lan", reply.id, True)
    assert (await talk.message(reply.id)).helpful is True


async def test_only_answers_can_be_rated(talk: TalkHouse, side: WebchatSide) -> None:
    message = await side.accept(said(talk, ASKED))
    for wanted in (message, 10**9):
        with pytest.raises(NotFound):
            await side.rate("w-lan", wanted, True)


async def test_a_ticket_is_shown_by_its_code_without_its_words(talk: TalkHouse, side: WebchatSide) -> None:
    message = await side.accept(said(talk, "Giá vé cáp treo lên mặt trăng là bao nhiêu?"))
    await talk.conversing.converse(message)
    (reply,) = await talk.said_to(message)
    assert reply.ticket is not None
    status = await side.ticket_status(reply.ticket)
    assert status.code == reply.ticket
    assert not status.answered
    assert "mặt trăng" not in repr(status)
    with pytest.raises(NotFound):
        await side.ticket_status("TH-00000")


async def test_suggestions_can_be_answered_today(talk: TalkHouse, side: WebchatSide) -> None:
    suggested = await side.suggestions()
    assert 0 < len(suggested) <= 4
    assert set(suggested) == {ASKED, BIRTH.question}
