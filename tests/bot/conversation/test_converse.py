"""A message's job: emergencies first, then what was picked, then the department's answer; once, whatever happens."""

import asyncio

import pytest

from bot.base.clock import now
from bot.contracts.messages import Attachment, Echo, Kind
from bot.conversation import texts
from bot.conversation.choices import HELPED, NOT_HELPED, PERSON, entry_payload
from bot.inbox.accept import accept_echo
from handoff.role import Role
from handoff.ticket import Outcome, Priority
from tests.bot.conversation.conftest import BIRTH, TalkHouse
from tests.bot.house import TESTCHAT


async def test_the_answer_is_the_departments_word_for_word_with_unit_and_date(talk: TalkHouse) -> None:
    message = await talk.hear("thu tuc dang ky khai sinh cho tre em nhu the nao")
    (reply,) = await talk.said_to(message)
    assert reply.text.startswith(f"{BIRTH.answer}\n\n— Nguồn: Sở Y tế")
    assert "cập nhật ngày 01/10/2026" in reply.text
    assert reply.text.endswith("Căn cứ: Luật Hộ tịch 2014.")
    assert reply.entry == talk.entries[0]
    assert reply.ask_helpful
    why = await talk.desk.why(message)
    assert why is not None
    assert why.outcome == "answer"
    assert why.evidence["search"]["candidates"][0]["entry"] == talk.entries[0]


async def test_what_nobody_wrote_an_answer_for_goes_to_a_person_with_a_code(talk: TalkHouse) -> None:
    message = await talk.hear("Giá vé cáp treo lên mặt trăng là bao nhiêu tiền một lượt?")
    (reply,) = await talk.said_to(message)
    (ticket,) = await talk.tickets(reply.conversation_id)
    assert reply.ticket == ticket.code
    assert ticket.code in reply.text
    assert ticket.question == "Giá vé cáp treo lên mặt trăng là bao nhiêu tiền một lượt?"


async def test_a_job_that_runs_again_says_nothing_twice(talk: TalkHouse) -> None:
    message = await talk.hear("Đăng ký kết hôn cần mang theo giấy tờ gì?")
    await asyncio.gather(*(talk.conversing.converse(message) for _ in range(3)))
    assert len(await talk.said_to(message)) == 1


async def test_two_workers_at_once_say_it_once(talk: TalkHouse) -> None:
    message, _ = await talk.accept(talk.inbound("Lạc đà có được vào chợ không?", ref="lan"))
    await asyncio.gather(*(talk.conversing.converse(message) for _ in range(4)))
    replies = await talk.said_to(message)
    assert len(replies) == 1
    assert len(await talk.tickets(replies[0].conversation_id)) == 1


# --- emergencies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "number"), [("me toi kho tho qua", "115"), ("CHÁY NHÀ RỒI", "114"), ("nó cầm dao", "113")]
)
async def test_an_emergency_gets_the_number_first_and_a_person(talk: TalkHouse, said: str, number: str) -> None:
    message = await talk.hear(said)
    first, second = await talk.said_to(message)
    assert f"NGAY {number}" in first.text
    (ticket,) = await talk.tickets(first.conversation_id)
    assert ticket.priority is Priority.EMERGENCY
    assert second.ticket == ticket.code


async def test_an_emergency_breaks_the_silence_after_an_answer_elsewhere(talk: TalkHouse) -> None:
    await talk.conversation(ref="lan")
    async with talk.database.transaction() as session:
        await accept_echo(session, Echo(TESTCHAT, "lan", "mid-1", now(), "Chị chờ em nhé", by_human=True))
    assert await talk.said_to(await talk.hear("vâng ạ")) == []
    assert len(await talk.said_to(await talk.hear("mẹ tôi bất tỉnh rồi"))) == 2


async def test_an_emergency_in_a_held_conversation_alarms_the_desk_and_the_bot_is_silent(talk: TalkHouse) -> None:
    conversation = await talk.conversation(ref="lan")
    await talk.desk.take_over(conversation, await talk.people.staff("Lan"))
    message = await talk.hear("mẹ tôi khó thở quá")
    assert await talk.said_to(message) == []
    assert Priority.EMERGENCY in {one.priority for one in await talk.tickets(conversation)}


# --- who has the conversation ----------------------------------------------------------------------------------------


async def test_the_bot_is_silent_while_a_person_has_the_conversation(talk: TalkHouse) -> None:
    conversation = await talk.conversation(ref="lan")
    lan = await talk.people.staff("Lan")
    await talk.desk.take_over(conversation, lan)
    message = await talk.hear("Đăng ký kết hôn cần mang theo giấy tờ gì?")
    assert await talk.said_to(message) == []
    assert (await talk.message(message)).handled_at is not None
    await talk.desk.hand_back(conversation, lan)
    assert len(await talk.said_to(await talk.hear("Đăng ký kết hôn cần mang theo giấy tờ gì?"))) == 1


# --- what was picked -------------------------------------------------------------------------------------------------


async def test_a_picked_entry_is_sent_and_one_that_is_not_valid_today_never(talk: TalkHouse) -> None:
    birth, _, expired, future = talk.entries
    (answer,) = await talk.said_to(await talk.hear("", payload=entry_payload(birth), kind=Kind.BUTTON))
    assert answer.entry == birth
    for entry in (expired, future, 10**15):
        (reply,) = await talk.said_to(await talk.hear(f"#q:{entry}"))
        assert reply.text == texts.NO_LONGER
        assert reply.entry is None


@pytest.mark.parametrize("picks", ["gặp cán bộ", PERSON, "1"])
async def test_asking_for_a_person_carries_the_question(talk: TalkHouse, picks: str) -> None:
    asked = "Giá vé cáp treo lên mặt trăng là bao nhiêu?"
    conversation = (await talk.message(await talk.hear(asked))).conversation_id
    (waiting,) = await talk.tickets(conversation)
    await talk.desk.close(waiting.id, await talk.people.staff("Sup", Role.SUPERVISOR), _outcome())
    await talk.hear("", kind=Kind.IMAGE, attachments=(Attachment(Kind.IMAGE),))
    (reply,) = await talk.said_to(await talk.hear(picks))
    *_, ticket = await talk.tickets(conversation)
    assert reply.ticket == ticket.code != waiting.code
    assert ticket.question == asked


async def test_a_rating_is_kept_with_the_answer(talk: TalkHouse) -> None:
    message = await talk.hear("Đăng ký kết hôn cần mang theo giấy tờ gì?")
    await talk.hear("", payload=NOT_HELPED, kind=Kind.BUTTON)
    (answer,) = await talk.said_to(message)
    assert answer.helpful is False
    await talk.hear(HELPED)
    (answer,) = await talk.said_to(message)
    assert answer.helpful is True


async def test_an_answer_that_did_not_help_is_not_given_again(talk: TalkHouse) -> None:
    asked = "Đăng ký kết hôn cần mang theo giấy tờ gì?"
    await talk.hear(asked)
    await talk.hear(NOT_HELPED)
    (reply,) = await talk.said_to(await talk.hear(asked))
    assert reply.entry is None
    assert reply.ticket is not None


# --- not words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.AUDIO, Kind.FILE, Kind.LOCATION, Kind.STICKER])
async def test_what_is_not_words_is_acknowledged(talk: TalkHouse, kind: Kind) -> None:
    (reply,) = await talk.said_to(await talk.hear("", kind=kind))
    assert reply.text == texts.not_text(kind)


@pytest.mark.parametrize(
    ("kind", "said"),
    [(Kind.TEXT, texts.EMPTY), (Kind.FOLLOW, texts.GREETING), (Kind.REACTION, None), (Kind.UNFOLLOW, None)],
)
async def test_empty_messages_and_gestures(talk: TalkHouse, kind: Kind, said: str | None) -> None:
    replies = await talk.said_to(await talk.hear("  ", kind=kind))
    assert [one.text for one in replies] == ([said] if said else [])


def _outcome() -> Outcome:
    return next(iter(Outcome))
