"""A citizen who withdraws is forgotten; the numbers stay."""

from sqlalchemy import text

from bot.base.clock import now
from bot.contracts.messages import Attachment, Kind, Location
from bot.conversation.erase import erase_citizen
from tests.bot.conversation.conftest import TalkHouse
from tests.bot.house import TESTCHAT

SECRET = "Bí mật"
"""Stands in everything that this citizen gave."""


async def test_nothing_the_citizen_gave_is_left_in_the_rooms_tables(talk: TalkHouse) -> None:
    message = await talk.hear(f"{SECRET} {SECRET} lên mặt trăng giá bao nhiêu?", citizen_name=SECRET, phone=SECRET)
    await talk.hear(
        f"{SECRET} nữa",
        kind=Kind.IMAGE,
        attachments=(Attachment(Kind.IMAGE, name=SECRET),),
        location=Location(19.8, 105.7),
        context=SECRET,
        payload=SECRET,
    )
    other = await talk.hear("Của người khác", ref="minh", citizen_name="Minh")
    async with talk.database.transaction() as session:
        assert await erase_citizen(session, TESTCHAT, "lan", now())
    async with talk.database.transaction() as session:
        for table in ("messages", "conversations", "decisions", "tickets", "ticket_events", "notes", "audit_log"):
            rows = await session.execute(text(f"select row_to_json(t)::text from {table} t"))
            for (row,) in rows:
                assert SECRET not in row
                assert SECRET.lower() not in row
    assert (await talk.message(other)).text == "Của người khác"
    assert (await talk.row((await talk.message(other)).conversation_id)).citizen_name == "Minh"
    assert (await talk.message(message)).direction == "in"


async def test_erasing_again_or_nobody_is_no_error(talk: TalkHouse) -> None:
    await talk.hear("Xin chào")
    async with talk.database.transaction() as session:
        assert await erase_citizen(session, TESTCHAT, "lan", now())
        assert await erase_citizen(session, TESTCHAT, "lan", now())
        assert not await erase_citizen(session, TESTCHAT, "nobody", now())


async def test_a_message_delivered_again_after_erasing_is_not_a_new_one(talk: TalkHouse) -> None:
    inbound = talk.inbound(ref="lan")
    message, _ = await talk.accept(inbound)
    async with talk.database.transaction() as session:
        await erase_citizen(session, TESTCHAT, "lan", now())
    assert await talk.accept(inbound) == (message, False)


async def test_what_was_erased_before_its_job_ran_is_not_answered(talk: TalkHouse) -> None:
    message, _ = await talk.accept(talk.inbound("Giá vé lên mặt trăng là bao nhiêu?", ref="lan"))
    async with talk.database.transaction() as session:
        await erase_citizen(session, TESTCHAT, "lan", now())
    await talk.conversing.converse(message)
    assert await talk.said_to(message) == []
    assert await talk.tickets((await talk.message(message)).conversation_id) == []
