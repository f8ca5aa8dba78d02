"""The whole path over Zalo and Messenger: the real house, and platforms that misbehave as the real ones do."""

from collections.abc import Iterator
from dataclasses import asdict

import httpx
import pytest

from bot.contracts.errors import Conflict
from handoff.hold import AlreadyTaken
from handoff.role import Role
from tests.scenarios.conftest import Town, Words
from tests.scenarios.house import House, eventually
from tests.scenarios.ledger import open_work
from tests.scenarios.people import Phone, hire, last_of, staff_desk
from tests.simulators.faults import Faults

pytestmark = pytest.mark.slow

PERSON = "Gặp cán bộ"


@pytest.fixture(params=["zalo", "messenger"])
def phone(request: pytest.FixtureRequest, town: Town) -> Iterator[Phone]:
    """A new citizen on each platform; the platform behaves well again afterwards."""
    simulator = town.zalo if request.param == "zalo" else town.messenger
    yield Phone(simulator)
    simulator.faults.change(asdict(Faults()))


def button_titles(said: object) -> list[str]:
    """What the buttons under a message say."""
    return [one["title"] for one in getattr(said, "buttons", [])]


def test_answered_and_chosen_with_a_button(phone: Phone, house: House, words: Words) -> None:
    assert words.answer in phone.ask(words.known).text
    offered = phone.ask(words.vague)
    titles = button_titles(offered)
    assert 2 <= len(titles) <= 4
    assert any(PERSON in title for title in titles)  # perhaps with a number before it
    before = len(phone.got)
    phone.press(offered, titles[0])
    assert "Nguồn:" in phone.wait_for(before + 1)[before].text
    phone.wait_until_sent(house)


async def test_taken_over_answered_in_the_chat_and_given_back(phone: Phone, house: House, words: Words) -> None:
    handed = phone.ask(words.unknown)
    conversation = phone.conversation(house)
    code = house.sql("select code from tickets where conversation_id = %s", conversation)[0][0]
    assert code in handed.text
    async with staff_desk(house) as desk:
        first, second = [(await hire(desk.database, Role.OPERATOR)).account for _ in range(2)]
        await desk.take_over(conversation, first)
        await desk.reply(conversation, first, "Chào bác, ngày 5/12 tại Bệnh viện Mắt ạ.")
        assert phone.wait_for(2)[1].text == "Chào bác, ngày 5/12 tại Bệnh viện Mắt ạ."
        with pytest.raises(AlreadyTaken):
            await desk.take_over(conversation, second)
        with pytest.raises(Conflict):
            await desk.reply(conversation, second, "Tôi cũng trả lời.")
        phone.wait_until_handled(house, phone.say(words.known))
        assert len(phone.wait_until_sent(house)) == len(phone.got) == 2
        await desk.hand_back(conversation, first)
        assert words.answer in phone.ask(words.known).text
    assert len(phone.wait_until_sent(house)) == len(phone.got) == 3


def test_a_colleague_in_the_platforms_own_inbox_silences_the_bot(phone: Phone, house: House, words: Words) -> None:
    phone.ask(words.known)
    simulator = phone.simulator
    simulator.running.call(lambda: simulator.officer_says(phone.user, "Em là cán bộ trực, bác chờ em xem ạ."))
    conversation = phone.conversation(house)
    eventually(
        "the colleague's words are in the history",
        lambda: house.sql("select 1 from messages where conversation_id = %s and author = 'operator'", conversation),
    )
    phone.wait_until_handled(house, phone.say(words.known))
    assert len(phone.wait_until_sent(house)) == len(phone.got) == 2


def test_duplicates_are_dropped_and_order_is_kept(phone: Phone, house: House, words: Words) -> None:
    phone.simulator.faults.duplicate_rate = 1.0
    said = [phone.say(text) for text in (words.known, words.unknown, "cảm ơn nhé", words.known, "Xin chào")]
    got = phone.wait_for(len(said))
    eventually("every repeat has come", lambda: phone.simulator.courier.is_idle)
    for one in said:
        phone.wait_until_handled(house, one)
    rows = phone.wait_until_sent(house)
    asked = house.sql(
        "select provider_message_id from messages where direction = 'in' and conversation_id = %s order by id",
        phone.conversation(house),
    )
    assert [one for (one,) in asked] == said
    assert [row["answers"] for row in rows] == sorted({row["answers"] for row in rows})
    assert [one.id for one in phone.got] == [one for row in rows for one in row["provider_ids"]]
    assert len(phone.got) == len(got) == len(said)


def test_errors_are_retried_until_the_message_is_there_once(phone: Phone, house: House, words: Words) -> None:
    codes = {"zalo": [-200, -32], "messenger": [2, 613]}
    phone.simulator.faults.next_codes = list(codes[phone.simulator.name])
    phone.say(words.known)
    eventually("the errors were met", lambda: not phone.simulator.faults.next_codes)
    (row,) = phone.wait_until(house, "queued")
    assert phone.got == []
    assert row["failure"]

    def put_the_clock_forward() -> bool:
        """The platform asked us to wait up to a minute, a person would not; the job may just be writing that down."""
        house.sql(
            "update procrastinate_jobs set scheduled_at = now() where task_name = 'deliver' and status = 'todo' "
            "and (args->>'message')::bigint = %s returning id",
            row["id"],
        )
        return bool(phone.got)

    eventually("it arrives", put_the_clock_forward, every_s=0.5)
    phone.wait_until_sent(house)
    assert len(phone.got) == 1


def test_an_accepted_message_whose_answer_was_cut_off_is_not_sent_twice(
    phone: Phone, house: House, words: Words
) -> None:
    phone.simulator.faults.cut_next = 1
    phone.say(words.known)
    phone.wait_for(1)
    (row,) = phone.wait_until_sent(house)
    assert row["provider_ids"] == [one.id for one in phone.got]
    phone.ask("cảm ơn nhé")
    assert len(phone.got) == 2


async def test_what_can_not_be_sent_is_shown_and_can_be_sent_again(phone: Phone, house: House, words: Words) -> None:
    phone.simulator.faults.next_codes = [-204] if phone.simulator.name == "zalo" else [368]
    phone.say(words.known)
    row = eventually("it has failed", lambda: [one for one in phone.rows(house) if one["status"] == "failed"])[0]
    assert row["failure"]
    assert phone.got == []
    async with staff_desk(house) as desk:
        history = await desk.history(phone.conversation(house))
        assert history[-1].failure == row["failure"]
        operator = (await hire(desk.database, Role.OPERATOR)).account
        assert await desk.send_again(last_of(phone, house), operator)
    assert words.answer in phone.wait_for(1)[0].text


async def test_an_answer_outside_the_window_waits_for_the_citizens_next_message(
    phone: Phone, house: House, words: Words
) -> None:
    phone.ask(words.unknown)
    conversation = phone.conversation(house)
    simulator = phone.simulator
    simulator.running.call(lambda: simulator.age(phone.user, 24 * 8))
    house.sql(
        "update conversations set last_inbound_at = now() - interval '8 days' where id = %s returning id", conversation
    )
    async with staff_desk(house) as desk:
        operator = (await hire(desk.database, Role.OPERATOR)).account
        await desk.take_over(conversation, operator)
        await desk.reply(conversation, operator, "Xin lỗi bác vì trả lời muộn: ngày 5/12 ạ.")
        eventually("it is held", lambda: phone.rows(house)[-1]["status"] == "held")
        assert len(phone.got) == 1
        phone.say("vẫn đang chờ đây")
        assert phone.wait_for(2)[1].text == "Xin lỗi bác vì trả lời muộn: ngày 5/12 ạ."
        phone.wait_until_sent(house)


def test_zalo_token_is_refreshed_once_in_the_middle(town: Town, house: House, words: Words) -> None:
    phones = [Phone(town.zalo) for _ in range(4)]
    phones[0].ask(words.known)
    used = list(town.zalo.refreshes)
    town.zalo.running.call(town.zalo.expire_tokens)
    for phone in phones:
        phone.say(words.known)
    for phone in phones:
        assert words.answer in phone.wait_for(1)[-1].text
    new = town.zalo.refreshes[len(used) :]
    assert len(new) == len(set(new)) == 1
    assert not set(new) & set(used)


def test_a_wrong_signature_stores_nothing(phone: Phone, house: House) -> None:
    phone.ask("Xin chào")
    eventually("nothing else is on its way", lambda: phone.simulator.courier.is_idle and open_work(house) == 0)
    attempt = phone.simulator.courier.attempts[-1]
    before = house.sql("select count(*) from messages")
    name = next(one for one in attempt.headers if "signature" in one.lower())
    url = phone.simulator.courier.url
    headers = {**attempt.headers, name: attempt.headers[name][:-4] + "0000"}
    with httpx.Client(trust_env=False) as client:
        assert client.post(url, content=attempt.body, headers=headers).status_code == 403
        assert client.post(url, content=attempt.body + b" ", headers=attempt.headers).status_code == 403
        assert client.post(url, content=b"x" * 10_000_000, headers=attempt.headers).status_code == 413
    assert house.sql("select count(*) from messages") == before


def test_messenger_shakes_hands(town: Town, house: House) -> None:
    assert town.messenger.shake_hands()
    town.messenger.verify_token, right = "wrong", town.messenger.verify_token
    assert not town.messenger.shake_hands()
    town.messenger.verify_token = right
