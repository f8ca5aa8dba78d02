"""What our people do in a conversation reaches the citizen, and only from whoever holds it."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.base.clock import now
from bot.contracts.errors import NotAllowed, NotFound, Refused
from bot.contracts.ids import ConversationId, MessageId, UnitCode
from bot.contracts.messages import Author, DeliveryState
from bot.conversation.staff import MAX_REPLY
from bot.conversation.tables import MessageRow
from handoff import desk
from handoff.hold import AlreadyTaken, NotHeld
from handoff.role import Role
from tests.bot.conversation.conftest import TalkHouse


async def test_only_the_holder_may_reply_and_the_other_is_told_who_that_is(talk: TalkHouse) -> None:
    conversation = await talk.conversation(ref="lan")
    lan, minh = await talk.people.staff("Lan"), await talk.people.staff("Minh")
    with pytest.raises(NotHeld):
        await talk.desk.reply(conversation, lan, "Chị ra phường nhé")
    await talk.desk.take_over(conversation, lan)
    with pytest.raises(AlreadyTaken) as caught:
        await talk.desk.reply(conversation, minh, "Chị ra huyện nhé")
    assert "Lan" in caught.value.message_vi
    with pytest.raises(AlreadyTaken):
        await talk.desk.take_over(conversation, minh)
    message = await talk.desk.reply(conversation, lan, "  Chị ra phường nhé ")
    row = await talk.message(message)
    assert (row.text, row.author, row.account) == ("Chị ra phường nhé", Author.OPERATOR, lan.id)
    assert ("deliver", f"deliver:{conversation}", message) in await talk.waiting_jobs()
    assert await talk.count("messages") == 2


@pytest.mark.parametrize("said", ["", "  \n ", "ă" * (MAX_REPLY + 1)])
async def test_a_reply_that_cannot_be_sent_is_refused_and_leaves_nothing(talk: TalkHouse, said: str) -> None:
    conversation = await talk.conversation(ref="lan")
    lan = await talk.people.staff("Lan")
    await talk.desk.take_over(conversation, lan)
    with pytest.raises(Refused):
        await talk.desk.reply(conversation, lan, said)
    assert await talk.count("messages") == 1


async def test_the_history_shows_who_said_what_and_how_far_it_came(talk: TalkHouse) -> None:
    conversation = await talk.conversation(ref="lan")
    lan = await talk.people.staff("Lan")
    await talk.desk.take_over(conversation, lan)
    message = await talk.desk.reply(conversation, lan, "Chị ra phường nhé")
    await talk.deliver(message)
    first, second = await talk.desk.history(conversation)
    assert (first.author, first.by, first.status) == (Author.CITIZEN, None, None)
    assert (second.by, second.status) == ("Lan", DeliveryState.SENT)
    assert [one.id for one in await talk.desk.history(conversation, after=first.id)] == [second.id]


async def test_the_latest_messages_come_oldest_first(talk: TalkHouse) -> None:
    conversation = await talk.conversation(ref="lan")
    later = [(await talk.accept(talk.inbound(f"tin {n}", ref="lan")))[0] for n in range(5)]
    assert [one.id for one in await talk.desk.history(conversation, limit=3)] == later[-3:]


async def test_a_unit_officer_answers_a_forwarded_ticket_later(talk: TalkHouse) -> None:
    message = await talk.hear("Giá vé cáp treo lên mặt trăng là bao nhiêu tiền một lượt?")
    conversation = (await talk.message(message)).conversation_id
    (ticket,) = await talk.tickets(conversation)
    officer = await talk.people.staff("Hoa", Role.UNIT_OFFICER, UnitCode("SYT"))
    before = await talk.count("messages")
    with pytest.raises(NotAllowed):
        await talk.desk.answer_ticket(ticket.id, officer, "Chưa có cáp treo.")
    with pytest.raises(NotAllowed):
        await talk.desk.promise(ticket.id, officer, now() + timedelta(hours=3))
    assert await talk.count("messages") == before
    lan = await talk.people.staff("Lan")
    await talk.people.do(desk.forward, ticket.id, UnitCode("SYT"), lan, why="của ngành y tế", now=now())
    sent = await talk.desk.answer_ticket(ticket.id, officer, "Chưa có cáp treo.")
    assert (
        await talk.message(sent)
    ).text == f"Trả lời phiếu {ticket.code}:\nChưa có cáp treo.\n\n— Sở Y tế tỉnh Thanh Hóa."


async def stuck(talk: TalkHouse, message: MessageId) -> MessageId:
    async with talk.database.transaction() as session:
        await session.execute(
            update(MessageRow).where(MessageRow.id == message).values(status=DeliveryState.FAILED, failure="bận")
        )
    return message


async def test_a_failed_reply_is_sent_again_by_the_holder_only(talk: TalkHouse) -> None:
    conversation = await talk.conversation(ref="lan")
    lan, minh = await talk.people.staff("Lan"), await talk.people.staff("Minh")
    await talk.desk.take_over(conversation, lan)
    message = await stuck(talk, await talk.desk.reply(conversation, lan, "Chị ra phường nhé"))
    with pytest.raises(AlreadyTaken):
        await talk.desk.send_again(message, minh)
    assert await talk.desk.send_again(message, lan)
    assert not await talk.desk.send_again(message, lan)
    assert (await talk.message(message)).status == DeliveryState.QUEUED


async def test_only_the_desk_sends_the_bots_words_again(talk: TalkHouse) -> None:
    message = await stuck(talk, await talk.post(await talk.conversation(ref="lan")))
    with pytest.raises(NotAllowed):
        await talk.desk.send_again(message, await talk.people.staff("Hoa", Role.UNIT_OFFICER, UnitCode("SYT")))
    assert await talk.desk.send_again(message, await talk.people.staff("Lan"))
    with pytest.raises(NotFound):
        await talk.desk.send_again(MessageId(10**9), await talk.people.staff("Lan"))


async def test_conversations_of_one_person_are_linked_through_each_other(talk: TalkHouse) -> None:
    a, b, c, d = [await talk.conversation() for _ in range(4)]
    lan = await talk.people.staff("Lan")
    await talk.desk.link_person(c, d, lan)
    await talk.desk.link_person(b, c, lan)
    await talk.desk.link_person(a, d, lan)
    assert set((await talk.desk.conversation(a)).same_person) == {b, c, d}
    assert (await talk.row(d)).person == a
    with pytest.raises(NotFound):
        await talk.desk.link_person(a, ConversationId(10**9), lan)
    with pytest.raises(NotAllowed):
        await talk.desk.link_person(a, b, await talk.people.staff("Hoa", Role.UNIT_OFFICER, UnitCode("SYT")))


async def test_handing_back_forgets_what_was_offered(talk: TalkHouse) -> None:
    message = await talk.hear("", kind="image")
    conversation = (await talk.message(message)).conversation_id
    assert (await talk.row(conversation)).last_choices != []
    lan = await talk.people.staff("Lan")
    await talk.desk.take_over(conversation, lan)
    await talk.desk.hand_back(conversation, lan)
    assert (await talk.row(conversation)).last_choices == []


async def test_what_is_not_there_is_not_found(talk: TalkHouse) -> None:
    with pytest.raises(NotFound):
        await talk.desk.conversation(ConversationId(10**9))
    assert await talk.desk.why(MessageId(10**9)) is None
    assert await talk.desk.history(ConversationId(10**9)) == []
