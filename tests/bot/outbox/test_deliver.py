"""The way of one message out: whatever the platform and our processes do, the citizen has it once, and we know it."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum, auto

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from bot.base.clock import now
from bot.base.jobs import POLL_S, WaitAndRetry
from bot.contracts.errors import Action, Ambiguous, CannotTell, GiveUp, RetryLater
from bot.contracts.ids import MessageId
from bot.contracts.messages import Author, DeliveryState, Outbound, Receipt, ReceiptState, Reply, Sent
from bot.conversation.tables import MessageRow
from bot.inbox.accept import accept_receipt
from bot.outbox.deliver import ECHO_PATIENCE, MAX_ATTEMPTS, deliver
from tests.bot.house import PULLED, TESTCHAT, BotHouse, ScriptedConnector, undelivered

PARTS = 2
"""Every message here goes out in two parts."""


class PowerCut(BaseException):
    """The process dies: nothing after this line runs."""


class Step(StrEnum):
    """What happens to one attempt to send the parts that are missing."""

    SENT = auto()
    REFUSED_FOR_NOW = auto()
    FIRST_PART_THEN_REFUSED = auto()
    NO_ANSWER_ARRIVED = auto()
    NO_ANSWER_LOST = auto()
    NO_ANSWER_AFTER_FIRST_PART = auto()
    WINDOW_CLOSED = auto()
    ACCOUNT_BROKEN = auto()
    DEAD_BEFORE_SENDING = auto()
    DEAD_AFTER_FIRST_PART = auto()
    DEAD_AFTER_SENDING = auto()


class Platform(ScriptedConnector):
    """Does what the script says, then works. Its history always tells the truth."""

    def __init__(self, script: Sequence[Step] = ()) -> None:
        super().__init__()
        self.script = list(script)
        self.expected = 0
        self.has_all = asyncio.Event()

    def take(self, outbound: Outbound, part: int) -> str:
        given = super().take(outbound, part)
        if len(self.arrived) == self.expected:
            self.has_all.set()
        return given

    async def send(self, outbound: Outbound) -> Sent:
        known = list(outbound.sent_parts)
        missing = range(len(known), PARTS)
        step = self.script.pop(0) if self.script else Step.SENT
        match step:
            case Step.SENT:
                return Sent((*known, *(self.take(outbound, part) for part in missing)))
            case Step.REFUSED_FOR_NOW:
                raise RetryLater("bận", 0.0, sent_parts=tuple(known))
            case Step.FIRST_PART_THEN_REFUSED:
                raise RetryLater("bận", 0.0, sent_parts=(*known, *self._first(outbound, missing)))
            case Step.NO_ANSWER_ARRIVED:
                self._all(outbound, missing)
                raise Ambiguous("không trả lời", 0.0, sent_parts=tuple(known))
            case Step.NO_ANSWER_LOST:
                raise Ambiguous("không trả lời", 0.0, sent_parts=tuple(known))
            case Step.NO_ANSWER_AFTER_FIRST_PART:
                raise Ambiguous("không trả lời", 0.0, sent_parts=(*known, *self._first(outbound, missing)))
            case Step.WINDOW_CLOSED:
                raise GiveUp("ngoài khung", Action.WINDOW, sent_parts=tuple(known))
            case Step.ACCOUNT_BROKEN:
                raise GiveUp("mã truy cập hết hạn", Action.OPERATOR, code="190", sent_parts=tuple(known))
            case Step.DEAD_BEFORE_SENDING:
                raise PowerCut
            case Step.DEAD_AFTER_FIRST_PART:
                self._first(outbound, missing)
                raise PowerCut
            case Step.DEAD_AFTER_SENDING:
                self._all(outbound, missing)
                raise PowerCut

    async def find_sent(self, outbound: Outbound) -> Sent | None:
        ids = tuple(self.id_of(message, part) for message, part in self.arrived if message == outbound.message)
        if len(ids) == PARTS:
            return Sent(ids)
        if len(ids) > len(outbound.sent_parts):
            raise RetryLater("một phần đã tới", 0.0, sent_parts=ids)
        return None

    def _first(self, outbound: Outbound, missing: range) -> tuple[str, ...]:
        return tuple(self.take(outbound, part) for part in missing[:1])

    def _all(self, outbound: Outbound, missing: range) -> None:
        for part in missing:
            self.take(outbound, part)


async def run_job(house: BotHouse, message: MessageId) -> None:
    """One run of the job, whatever becomes of it."""
    with contextlib.suppress(WaitAndRetry, PowerCut):
        await house.deliver(message)


async def state(house: BotHouse, message: MessageId) -> DeliveryState:
    status = (await house.message(message)).status
    assert status is not None
    return DeliveryState(status)


async def bring_home(house: BotHouse, message: MessageId) -> None:
    """Run the job again and again, as the queue does; staff and citizen do what only they can."""
    for _ in range(60):
        await run_job(house, message)
        match await state(house, message):
            case DeliveryState.SENT | DeliveryState.DELIVERED | DeliveryState.SEEN:
                return
            case DeliveryState.HELD:
                async with house.database.transaction() as session:
                    await house.outbox.release_held(session, (await house.message(message)).conversation_id)
            case DeliveryState.FAILED | DeliveryState.UNCERTAIN:
                async with house.database.transaction() as session:
                    await house.outbox.retry(session, message)
            case DeliveryState.QUEUED | DeliveryState.SENDING:
                pass
    raise AssertionError(f"still {await state(house, message)}")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(st.sampled_from(Step), max_size=7))
async def test_whatever_happens_it_arrives_once_and_whole(house: BotHouse, script: list[Step]) -> None:
    house.connector = Platform(script)
    message = await house.post(await house.conversation())
    await bring_home(house, message)
    assert house.connector.arrived == [(message, part) for part in range(PARTS)]
    row = await house.message(message)
    assert row.status == DeliveryState.SENT
    assert row.provider_ids == [house.connector.id_of(message, part) for part in range(PARTS)]
    assert row.failure is None


@pytest.mark.parametrize("step", Step)
async def test_nothing_is_shown_as_sent_that_was_not(house: BotHouse, step: Step) -> None:
    house.connector = Platform([step])
    message = await house.post(await house.conversation())
    await run_job(house, message)
    if await state(house, message) is DeliveryState.SENT:
        assert len(house.connector.arrived) == PARTS


@pytest.mark.parametrize(
    ("step", "stands"),
    [
        (Step.SENT, DeliveryState.SENT),
        (Step.REFUSED_FOR_NOW, DeliveryState.QUEUED),
        (Step.FIRST_PART_THEN_REFUSED, DeliveryState.QUEUED),
        (Step.NO_ANSWER_LOST, DeliveryState.UNCERTAIN),
        (Step.WINDOW_CLOSED, DeliveryState.HELD),
        (Step.ACCOUNT_BROKEN, DeliveryState.FAILED),
        (Step.DEAD_BEFORE_SENDING, DeliveryState.SENDING),
    ],
)
async def test_states_after_one_attempt(house: BotHouse, step: Step, stands: DeliveryState) -> None:
    house.connector = Platform([step])
    message = await house.post(await house.conversation())
    await run_job(house, message)
    assert await state(house, message) is stands
    async with house.database.transaction() as session:
        listed = await undelivered(session)
    assert (message in listed) is (stands in {DeliveryState.UNCERTAIN, DeliveryState.HELD, DeliveryState.FAILED})


async def test_a_sent_message_is_not_sent_by_a_job_that_runs_again(house: BotHouse) -> None:
    message = await house.post(await house.conversation())
    for _ in range(3):
        await house.deliver(message)
    assert house.connector.arrived == [(message, 0)]


async def test_an_uncertain_message_that_an_operator_sends_again_is_looked_for_first(house: BotHouse) -> None:
    house.connector = Platform([Step.NO_ANSWER_ARRIVED])
    message = await house.post(await house.conversation())
    await run_job(house, message)
    async with house.database.transaction() as session:
        assert await house.outbox.retry(session, message)
    await run_job(house, message)
    await run_job(house, message)
    assert len(house.connector.arrived) == PARTS
    assert await state(house, message) is DeliveryState.SENT


async def test_a_channel_switched_off_leaves_an_uncertain_message_uncertain(house: BotHouse) -> None:
    house.connector = Platform([Step.DEAD_AFTER_SENDING])
    message = await house.post(await house.conversation())
    other = await house.post(await house.conversation())
    await run_job(house, message)
    for one in (message, other):
        await deliver(house.database, {}, one)
    assert await state(house, message) is DeliveryState.UNCERTAIN
    assert await state(house, other) is DeliveryState.FAILED
    await bring_home(house, message)
    assert len(house.connector.arrived) == PARTS


async def test_the_receipt_of_a_first_part_does_not_stop_the_second(house: BotHouse) -> None:
    house.connector = Platform([Step.NO_ANSWER_AFTER_FIRST_PART])
    message = await house.post(await house.conversation(ref="lan"))
    await run_job(house, message)
    first = house.connector.id_of(message, 0)
    async with house.database.transaction() as session:
        await accept_receipt(session, Receipt(TESTCHAT, "lan", ReceiptState.DELIVERED, now(), (first,)))
    assert await state(house, message) is DeliveryState.UNCERTAIN
    await bring_home(house, message)
    assert house.connector.arrived == [(message, 0), (message, 1)]
    assert await state(house, message) is DeliveryState.DELIVERED


async def test_after_many_refusals_a_person_is_told_why(house: BotHouse) -> None:
    house.connector = Platform([Step.REFUSED_FOR_NOW] * MAX_ATTEMPTS)
    message = await house.post(await house.conversation())
    for _ in range(MAX_ATTEMPTS + 3):
        await run_job(house, message)
    row = await house.message(message)
    assert row.status == DeliveryState.FAILED
    assert row.failure == f"Đã thử {MAX_ATTEMPTS} lần: bận"
    async with house.database.transaction() as session:
        assert await house.outbox.retry(session, message)
    await run_job(house, message)
    assert await state(house, message) is DeliveryState.SENT


@pytest.mark.parametrize("stands", [DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.DELIVERED])
async def test_only_what_is_stuck_can_be_sent_again(house: BotHouse, stands: DeliveryState) -> None:
    message = await house.post(await house.conversation())
    async with house.database.transaction() as session:
        await session.execute(update(MessageRow).where(MessageRow.id == message).values(status=stands))
        assert not await house.outbox.retry(session, message)


# --- the messaging window --------------------------------------------------------------------------------------------


async def test_held_messages_leave_in_order_when_the_citizen_writes(house: BotHouse) -> None:
    conversation = await house.conversation(ref="lan")
    house.connector.open = False
    kept = [await house.post(conversation, f"tin {n}", Author.OPERATOR) for n in range(3)]
    for one in kept:
        await house.deliver(one)
    assert [await state(house, one) for one in kept] == [DeliveryState.HELD] * 3
    assert house.connector.arrived == []
    house.connector.open = True
    before = len(await house.waiting_jobs())
    await house.accept(house.inbound(ref="lan"))
    async with house.database.transaction() as session:
        assert await house.outbox.release_held(session, conversation) == 3
        assert await house.outbox.release_held(session, conversation) == 0
    released = [number for task, _, number in (await house.waiting_jobs())[before:] if task == "deliver"]
    assert released == kept
    for number in released:
        await house.deliver(MessageId(number))
    assert [message for message, _ in house.connector.arrived] == kept


async def test_a_message_is_not_held_when_the_citizen_wrote_while_it_was_refused(house: BotHouse) -> None:
    conversation = await house.conversation(ref="lan")
    message = await house.post(conversation)

    class WritesMeanwhile(ScriptedConnector):
        async def send(self, outbound: Outbound) -> Sent:
            if not self.arrived and (await house.row(conversation)).last_inbound_at == outbound.last_inbound_at:
                await house.accept(house.inbound(ref="lan"))
                raise GiveUp("ngoài khung", Action.WINDOW)
            return await super().send(outbound)

    house.connector = WritesMeanwhile()
    with pytest.raises(WaitAndRetry):
        await house.deliver(message)
    assert await state(house, message) is DeliveryState.QUEUED


# --- a platform without a history ------------------------------------------------------------------------------------


class Forgetful(Platform):
    """Can't say what went out before the ids that we know."""

    async def find_sent(self, outbound: Outbound) -> Sent | None:
        if len(outbound.sent_parts) == PARTS:
            return Sent(outbound.sent_parts)
        raise CannotTell("no history")


async def test_the_echo_settles_what_the_platform_cannot_tell(house: BotHouse) -> None:
    house.connector = Forgetful([Step.NO_ANSWER_ARRIVED])
    message = await house.post(await house.conversation())
    await run_job(house, message)
    await run_job(house, message)
    assert await state(house, message) is DeliveryState.UNCERTAIN
    ids = [house.connector.id_of(message, part) for part in range(PARTS)]
    for known in (ids[:1], ids):
        async with house.database.transaction() as session:
            await session.execute(update(MessageRow).where(MessageRow.id == message).values(provider_ids=known))
        await run_job(house, message)
    assert await state(house, message) is DeliveryState.SENT
    assert len(house.connector.arrived) == PARTS


async def test_without_an_echo_it_is_sent_again_after_patience(house: BotHouse) -> None:
    house.connector = Forgetful([Step.NO_ANSWER_LOST])
    message = await house.post(await house.conversation())
    await run_job(house, message)
    with pytest.raises(WaitAndRetry):
        await house.deliver(message)
    assert house.connector.arrived == []
    async with house.database.transaction() as session:
        long_ago = now() - ECHO_PATIENCE - timedelta(seconds=1)
        await session.execute(update(MessageRow).where(MessageRow.id == message).values(sending_since=long_ago))
    await house.deliver(message)
    assert len(house.connector.arrived) == PARTS


# --- the queue -------------------------------------------------------------------------------------------------------


async def test_the_queue_keeps_each_conversations_order_across_retries(house: BotHouse) -> None:
    conversations = [await house.conversation() for _ in range(3)]
    said = [(one, await house.post(one, f"tin {n}")) for n in range(4) for one in conversations]
    house.connector = platform = Platform([Step.FIRST_PART_THEN_REFUSED])
    platform.expected = PARTS * len(said)
    async with house.jobs.open_async():
        worker = asyncio.create_task(
            house.jobs.run_worker_async(
                queues=["deliver"],
                concurrency=8,
                fetch_job_polling_interval=POLL_S,
                install_signal_handlers=False,
                listen_notify=False,
            )
        )
        await asyncio.wait({worker, asyncio.create_task(platform.has_all.wait())}, return_when="FIRST_COMPLETED")
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    for conversation in conversations:
        expected = [(message, part) for one, message in said if one == conversation for part in range(PARTS)]
        mine = {message for message, _ in expected}
        assert [one for one in house.connector.arrived if one[0] in mine] == expected


async def test_on_a_channel_that_pulls_the_row_is_the_delivery(house: BotHouse) -> None:
    conversation = await house.conversation(channel=PULLED)
    before = await house.waiting_jobs()
    message = await house.post(conversation)
    assert await state(house, message) is DeliveryState.SENT
    assert await house.waiting_jobs() == before


async def test_a_message_and_its_job_exist_together_or_not_at_all(house: BotHouse) -> None:
    conversation = await house.conversation()
    before = await house.waiting_jobs()

    async def cut() -> None:
        async with house.database.transaction() as session:
            await house.outbox.post(session, conversation, Reply("Tại phường."), author=Author.BOT)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        await cut()
    assert await house.waiting_jobs() == before
    assert await house.count("messages") == 1
