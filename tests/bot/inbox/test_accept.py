"""What came in is a row with a job, once, or nothing at all."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.base.clock import now
from bot.contracts.ids import MessageId
from bot.contracts.messages import (
    Attachment,
    Author,
    DeliveryState,
    Echo,
    Inbound,
    Kind,
    Location,
    Receipt,
    ReceiptState,
)
from bot.conversation.turn import load_turn
from bot.inbox.accept import MAX_TEXT, accept, accept_echo, accept_receipt
from tests.bot.house import TESTCHAT, BotHouse


async def test_a_message_is_a_row_and_a_job_locked_on_its_conversation(house: BotHouse) -> None:
    message, is_new = await house.accept(house.inbound("Xin chào"))
    row = await house.message(message)
    assert is_new
    assert (row.text, row.direction, row.author) == ("Xin chào", "in", "citizen")
    assert await house.waiting_jobs() == [("converse", f"conversation:{row.conversation_id}", message)]


async def test_delivered_twice_is_one_message(house: BotHouse) -> None:
    inbound = house.inbound()
    first, again = await house.accept(inbound), await house.accept(inbound)
    assert first == (again[0], True)
    assert not again[1]
    assert len(await house.waiting_jobs()) == 1


async def test_delivered_ten_times_at_once_is_one_message(house: BotHouse) -> None:
    inbound = house.inbound()
    results = await asyncio.gather(*(house.accept(inbound) for _ in range(10)))
    assert sorted(is_new for _, is_new in results) == [False] * 9 + [True]
    assert len({message for message, _ in results}) == 1
    assert len(await house.waiting_jobs()) == 1


async def accept_until_the_power_is_cut(house: BotHouse, inbound: Inbound) -> None:
    async with house.database.transaction() as session:
        await accept(session, inbound, house.converse)
        raise RuntimeError("power cut")


async def test_the_job_exists_exactly_if_the_row_does(house: BotHouse) -> None:
    with pytest.raises(RuntimeError, match="power cut"):
        await accept_until_the_power_is_cut(house, house.inbound())
    assert await house.count("messages") == 0
    assert await house.count("conversations") == 0
    assert await house.waiting_jobs() == []


async def test_a_platform_that_repeats_after_our_crash_loses_nothing(house: BotHouse) -> None:
    inbound = house.inbound()
    with pytest.raises(RuntimeError, match="power cut"):
        await accept_until_the_power_is_cut(house, inbound)
    assert (await house.accept(inbound))[1]


async def test_order_within_and_locks_between_conversations(house: BotHouse) -> None:
    turns = [house.inbound(f"{ref} {n}", ref=ref) for n in range(5) for ref in ("lan", "minh")]
    for one in turns:
        await house.accept(one)
    jobs = await house.waiting_jobs()
    locks = {lock for _, lock, _ in jobs}
    assert len(locks) == 2
    for lock in locks:
        texts = [(await house.message(MessageId(number))).text for _, its, number in jobs if its == lock]
        assert [one.split()[1] for one in texts] == ["0", "1", "2", "3", "4"]


async def test_twenty_citizens_at_once(house: BotHouse) -> None:
    turns = [house.inbound(ref=f"citizen-{n % 4}") for n in range(20)]
    results = await asyncio.gather(*(house.accept(one) for one in turns))
    assert len({message for message, _ in results}) == 20
    assert await house.count("conversations") == 4
    assert len(await house.waiting_jobs()) == 20


async def test_what_postgresql_cannot_keep_is_left_out(house: BotHouse) -> None:
    inbound = house.inbound(
        "a\x00b\ud83d",
        payload="#q:\x001",
        citizen_name="L\x00an\udfff",
        phone="09\x00",
        context="comment:\x00",
        provider_message_id="mid\x00\ud800",
        attachments=(Attachment(Kind.FILE, name="đơn\x00.pdf\udc00", url="https://x\x00"),),
    )
    message, _ = await house.accept(inbound)
    row = await house.message(message)
    assert row.text == "ab?"
    assert row.attachments[0]["name"] == "đơn.pdf?"
    assert (await house.row(row.conversation_id)).citizen_name == "Lan?"
    assert (await house.accept(inbound)) == (message, False)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.text(st.characters(), max_size=200))
async def test_any_text_is_accepted_and_kept(house: BotHouse, said: str) -> None:
    message, _ = await house.accept(house.inbound(said))
    kept = said.replace("\x00", "").encode("utf-8", "replace").decode()
    assert (await house.message(message)).text == kept


async def test_a_huge_text_is_cut_not_refused(house: BotHouse) -> None:
    message, _ = await house.accept(house.inbound("ă" * 1_000_000))
    assert len((await house.message(message)).text) == MAX_TEXT


async def test_location_phone_and_name_are_remembered(house: BotHouse) -> None:
    conversation = await house.conversation(
        ref="lan", citizen_name="Lan", phone="0912345678", location=Location(19.8, 105.7)
    )
    await house.accept(house.inbound(ref="lan"))
    row = await house.row(conversation)
    assert (row.citizen_name, row.phone) == ("Lan", "0912345678")


async def test_a_late_message_does_not_take_the_window_back(house: BotHouse) -> None:
    conversation = await house.conversation(ref="lan")
    before = (await house.row(conversation)).last_inbound_at
    await house.accept(house.inbound(ref="lan", sent_at=now() - timedelta(hours=2)))
    assert (await house.row(conversation)).last_inbound_at == before


async def test_leaving_opens_no_window(house: BotHouse) -> None:
    conversation = await house.conversation(ref="lan")
    before = (await house.row(conversation)).last_inbound_at
    await house.accept(house.inbound("", ref="lan", kind=Kind.UNFOLLOW))
    assert (await house.row(conversation)).last_inbound_at == before


# --- receipts --------------------------------------------------------------------------------------------------------


async def sent(house: BotHouse) -> MessageId:
    message = await house.post(await house.conversation(ref="lan"))
    await house.deliver(message)
    return message


async def receive(house: BotHouse, state: ReceiptState, *ids: str, ref: str = "lan") -> int:
    async with house.database.transaction() as session:
        return await accept_receipt(session, Receipt(TESTCHAT, ref, state, now(), ids))


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        ([ReceiptState.DELIVERED], DeliveryState.DELIVERED),
        ([ReceiptState.SEEN], DeliveryState.SEEN),
        ([ReceiptState.DELIVERED, ReceiptState.SEEN], DeliveryState.SEEN),
        ([ReceiptState.SEEN, ReceiptState.DELIVERED], DeliveryState.SEEN),
        ([ReceiptState.SEEN, ReceiptState.SEEN, ReceiptState.DELIVERED], DeliveryState.SEEN),
    ],
)
async def test_receipts_never_go_back(house: BotHouse, told: list[ReceiptState], stands: DeliveryState) -> None:
    message = await sent(house)
    for state in told:
        await receive(house, state, house.connector.id_of(message, 0))
    assert (await house.message(message)).status == stands


async def test_a_receipt_up_to_a_time(house: BotHouse) -> None:
    message = await sent(house)
    later = await house.post((await house.message(message)).conversation_id)
    async with house.database.transaction() as session:
        changed = await accept_receipt(session, Receipt(TESTCHAT, "lan", ReceiptState.SEEN, now(), (), now()))
    assert changed == 1
    assert (await house.message(message)).status == DeliveryState.SEEN
    assert (await house.message(later)).status == DeliveryState.QUEUED


async def test_a_receipt_of_somebody_else_changes_nothing(house: BotHouse) -> None:
    message = await sent(house)
    await house.conversation(ref="minh")
    assert await receive(house, ReceiptState.SEEN, house.connector.id_of(message, 0), ref="minh") == 0
    assert await receive(house, ReceiptState.SEEN, "mid\x00unknown") == 0
    assert (await house.message(message)).status == DeliveryState.SENT


# --- echoes ----------------------------------------------------------------------------------------------------------


async def echo(house: BotHouse, ref: str = "lan", **fields: object) -> None:
    async with house.database.transaction() as session:
        await accept_echo(session, Echo(TESTCHAT, ref, sent_at=now(), **fields))  # type: ignore[arg-type]


async def test_the_echo_of_our_own_message_changes_nothing(house: BotHouse) -> None:
    message = await sent(house)
    before = await house.count("messages")
    await echo(house, provider_message_id=house.connector.id_of(message, 0), by_human=True)
    assert await house.count("messages") == before
    assert (await house.row((await house.message(message)).conversation_id)).answered_outside_at is None


async def test_an_echo_that_names_our_row_gives_it_its_id(house: BotHouse) -> None:
    message = await house.post(await house.conversation(ref="lan"))
    await echo(house, provider_message_id="mid-9", outbound=message)
    await echo(house, provider_message_id="mid-9", outbound=message)
    assert (await house.message(message)).provider_ids == ["mid-9"]


async def test_a_person_in_the_platforms_own_inbox_takes_the_conversation(house: BotHouse) -> None:
    conversation = await house.conversation(ref="lan")
    for _ in range(2):
        await echo(house, provider_message_id="mid-7", by_human=True, text="Chị ra phường nhé\x00")
    row = await house.row(conversation)
    assert row.answered_outside_at is not None
    assert await house.count("messages") == 2
    message, _ = await house.accept(house.inbound(ref="lan"))
    async with house.database.transaction() as session:
        turn = await load_turn(session, message, now())
    assert turn is not None
    assert turn.with_person


async def test_an_echo_of_another_program_is_not_a_takeover(house: BotHouse) -> None:
    conversation = await house.conversation(ref="lan")
    await echo(house, provider_message_id="mid-7", text="Quảng cáo")
    await echo(house, ref="nobody", provider_message_id="mid-8", by_human=True)
    assert (await house.row(conversation)).answered_outside_at is None
    assert await house.count("messages") == 1


async def test_an_echo_cannot_claim_a_row_of_another_channel_or_an_inbound_one(house: BotHouse) -> None:
    message, _ = await house.accept(house.inbound(ref="lan"))
    await echo(house, provider_message_id="mid-7", outbound=message, by_human=False)
    assert (await house.message(message)).provider_ids == []
    assert Author((await house.message(message)).author) is Author.CITIZEN
