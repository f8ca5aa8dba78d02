"""What a decision becomes: choices that can be answered in words, an apology that fits, no ticket about nothing."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from bot.base.clock import in_vietnam, now
from bot.conversation import texts
from bot.conversation.choices import NOT_HELPED, PERSON, entry_payload
from bot.conversation.respond import Response, respond_to
from bot.conversation.tables import ConversationRow
from bot.conversation.turn import load_turn
from faq.decide import Answer, Answers, HandOver, OfferChoices, Reason
from faq.store import get_entry
from tests.bot.conversation.conftest import BIRTH, MARRIAGE, TalkHouse


async def _offer(talk: TalkHouse, number: int) -> Response:
    """As if the search had not been sure between the first `number` entries."""
    message, _ = await talk.accept(talk.inbound("giấy tờ", ref="lan"))
    found = await talk.engine.ask(BIRTH.question, today=in_vietnam(now()).date())
    async with talk.database.transaction() as session:
        entries = tuple([await get_entry(session, one) for one in talk.entries[:number]])
        turn = await load_turn(session, message, now())
        assert turn is not None
        done = await respond_to(session, turn, OfferChoices(entries, 0.4, found.evidence))
        await session.execute(
            update(ConversationRow)
            .where(ConversationRow.id == turn.conversation)
            .values(
                last_choices=[{"title": one.title, "payload": one.payload} for one in done.offered],
                last_question=turn.text,
            )
        )
    return done


async def test_one_likely_entry_is_asked_about_with_yes_or_no(talk: TalkHouse) -> None:
    done = await _offer(talk, 1)
    assert done.replies[0].text == texts.CHOOSE_ONE
    assert [one.payload for one in done.replies[0].choices] == [entry_payload(talk.entries[0]), PERSON]
    (answer,) = await talk.said_to(await talk.hear("dạ đúng rồi"))
    assert answer.text.startswith(BIRTH.answer)


async def test_refusing_what_was_offered_brings_a_person_who_sees_the_question(talk: TalkHouse) -> None:
    await _offer(talk, 2)
    (reply,) = await talk.said_to(await talk.hear("không phải mấy câu này"))
    (ticket,) = await talk.tickets(reply.conversation_id)
    assert ticket.question == "giấy tờ"


async def test_after_one_was_picked_the_other_can_still_be_picked(talk: TalkHouse) -> None:
    done = await _offer(talk, 2)
    assert done.replies[0].text == texts.CHOOSE
    (first,) = await talk.said_to(await talk.hear("1"))
    (second,) = await talk.said_to(await talk.hear("cho xem câu 2 nữa"))
    assert first.text.startswith(BIRTH.answer)
    assert second.text.startswith(MARRIAGE.answer)


@pytest.mark.parametrize("said", ["?", "...", "!!!"])
async def test_signs_without_words_make_no_ticket(talk: TalkHouse, said: str) -> None:
    (reply,) = await talk.said_to(await talk.hear(said))
    assert reply.text == texts.NO_QUESTION
    assert not await talk.tickets(reply.conversation_id)


async def test_the_same_question_after_a_bad_answer_is_handed_over_with_an_apology(talk: TalkHouse) -> None:
    await talk.hear(BIRTH.question)
    await talk.hear("", payload=NOT_HELPED)
    (reply,) = await talk.said_to(await talk.hear(BIRTH.question))
    assert reply.text.startswith(texts.SORRY_NOT_HELPED)
    assert reply.ticket
    assert "chưa có câu trả lời" not in reply.text


async def test_of_two_questions_the_one_without_an_answer_is_named(talk: TalkHouse) -> None:
    said = f"1. {BIRTH.question}\n2. Giá vé cáp treo lên mặt trăng là bao nhiêu tiền?"
    answer, rest = await talk.said_to(await talk.hear(said))
    assert answer.text.startswith(BIRTH.answer)
    assert "“Giá vé cáp treo lên mặt trăng là bao nhiêu tiền”" in rest.text
    assert rest.ticket


async def test_of_two_questions_the_one_that_is_not_sure_is_offered_beside_the_answer(talk: TalkHouse) -> None:
    message, _ = await talk.accept(talk.inbound("khai sinh cần gì, kết hôn thế nào", ref="lan"))
    found = await talk.engine.ask(BIRTH.question, today=in_vietnam(now()).date())
    async with talk.database.transaction() as session:
        birth, marriage = [await get_entry(session, one) for one in talk.entries[:2]]
        turn = await load_turn(session, message, now())
        assert turn is not None
        parts = (Answer(birth, 0.9, found.evidence, "khai sinh cần gì"),)
        both = Answers(parts, (), found.evidence, (marriage,), "kết hôn thế nào")
        done = await respond_to(session, turn, both)
        bad = await respond_to(session, replace(turn, unhelpful=frozenset({marriage.id})), both)
    answer, rest = done.replies
    assert answer.entry == birth.id
    assert rest.text == texts.choose_left("kết hôn thế nào")
    assert [one.payload for one in done.offered] == [entry_payload(marriage.id), PERSON]
    assert done.question == "kết hôn thế nào"
    assert await talk.tickets(turn.conversation), "what did not help is not offered again: a person is asked"
    assert "“kết hôn thế nào”" in bad.replies[-1].text


@pytest.mark.parametrize("reason", [one for one in Reason if one is not Reason.NO_WORDS])
async def test_every_other_reason_to_hand_over_makes_a_ticket(talk: TalkHouse, reason: Reason) -> None:
    message, _ = await talk.accept(talk.inbound("Lạc đà có được vào chợ không?", ref="lan"))
    found = await talk.engine.ask("Lạc đà có được vào chợ không?", today=in_vietnam(now()).date())
    async with talk.database.transaction() as session:
        turn = await load_turn(session, message, now())
        assert turn is not None
        done = await respond_to(session, turn, HandOver(reason, 0.0, found.evidence))
    assert done.outcome == "handover"
    assert done.replies[0].ticket
