"""Messages that a platform will not take for hours, or never answers for: waited for, bounded, and told to a person."""

import contextlib
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text, update

from bot.base.clock import now
from bot.base.jobs import WaitAndRetry, WaitUntil
from bot.contracts.errors import Ambiguous, CannotTell, NotYet, Refused, RetryLater
from bot.contracts.ids import MessageId
from bot.contracts.messages import DeliveryState, Outbound, Sent
from bot.conversation.overview import load_history, load_undelivered
from bot.conversation.staff import StaffDesk
from bot.conversation.tables import ConversationRow, MessageRow
from bot.outbox import deliver as deliver_module
from bot.outbox.deliver import ECHO_PATIENCE, HELD_VI, IN_DOUBT_VI, MAX_ATTEMPTS, REPEATED_VI, WAITS_S, deliver
from bot.outbox.late import BEHIND_VI, LATE_AFTER
from handoff.call import CallOutcome
from tests.bot.house import TESTCHAT, BotHouse, ScriptedConnector, undelivered
from tests.handoff.house import House as HandoffHouse


class Barred(ScriptedConnector):
    """Takes nothing before a time it names; asked too early it says so again."""

    def __init__(self, clock: "Clock", until: datetime) -> None:
        super().__init__()
        self.clock, self.until, self.asked = clock, until, 0

    async def send(self, outbound: Outbound) -> Sent:
        self.asked += 1
        if self.clock.at < self.until:
            raise NotYet("Trang đang tạm bị cấm gửi tin", self.until)
        return await super().send(outbound)


class Clock:
    """What time deliver.py believes it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = now()
        monkeypatch.setattr(deliver_module, "now", lambda: self.at)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def run(house: BotHouse, message: MessageId) -> WaitAndRetry | None:
    """One run of the job; when it wants to run again."""
    try:
        await house.deliver(message)
    except WaitAndRetry as again:
        return again
    return None


@pytest.mark.parametrize("hours", [0.5, 4, 8, 23])
async def test_a_time_that_the_platform_names_is_waited_for(house: BotHouse, clock: Clock, hours: float) -> None:
    """Messenger bars a page for four hours, Zalo's night lasts eight: far more than all ordinary tries together."""
    until = clock.at + timedelta(hours=hours)
    house.connector = connector = Barred(clock, until)
    message = await house.post(await house.conversation())
    again = await run(house, message)
    assert isinstance(again, WaitUntil)
    assert again.at == until
    row = await house.message(message)
    assert (row.status, row.attempts) == (DeliveryState.QUEUED, 0)
    assert row.failure is not None
    assert row.failure.startswith("Trang đang tạm bị cấm gửi tin. Tự gửi lại sau ")
    clock.at = until
    assert await run(house, message) is None
    row = await house.message(message)
    assert (row.status, row.failure, row.failing_since) == (DeliveryState.SENT, None, None)
    assert connector.asked == 2


async def test_a_bar_that_is_renewed_all_day_ends_with_a_person(house: BotHouse, clock: Clock) -> None:
    """30 min, 1, 2, 4, 4 … hours: after a day the operator sees that it could not be sent, and why."""
    house.connector = connector = Barred(clock, clock.at)
    message = await house.post(await house.conversation())
    began, hours = clock.at, iter([0.5, 1, 2, 4, 4, 4, 4, 4, 4])
    while True:
        connector.until = clock.at + timedelta(hours=next(hours))
        if await run(house, message) is None:
            break
        clock.at = connector.until
    row = await house.message(message)
    assert row.status == DeliveryState.FAILED
    assert row.failure == "Không gửi được trong thời hạn: Trang đang tạm bị cấm gửi tin"
    assert timedelta(hours=19) < clock.at - began <= timedelta(hours=24)
    async with house.database.transaction() as session:
        assert message in await undelivered(session)


async def test_a_time_beyond_the_bound_is_told_at_once(house: BotHouse, clock: Clock) -> None:
    house.connector = Barred(clock, clock.at + timedelta(hours=3))
    message = await house.post(await house.conversation())
    await deliver(house.database, {TESTCHAT: house.connector}, message, timedelta(hours=2))
    assert (await house.message(message)).status == DeliveryState.FAILED


async def test_an_operators_retry_and_a_release_begin_anew(house: BotHouse, clock: Clock) -> None:
    house.connector = connector = Barred(clock, clock.at + timedelta(hours=30))
    message = await house.post(await house.conversation())
    assert await run(house, message) is None
    assert (await house.message(message)).status == DeliveryState.FAILED
    clock.at += timedelta(hours=29)
    async with house.database.transaction() as session:
        assert await house.outbox.retry(session, message)
    assert isinstance(await run(house, message), WaitUntil)  # one hour more, not thirty
    clock.at = connector.until
    assert await run(house, message) is None
    assert (await house.message(message)).status == DeliveryState.SENT


async def test_the_wait_is_in_postgresql_and_later_messages_stay_behind_it(house: BotHouse, clock: Clock) -> None:
    """Run by the real queue: the job is scheduled for the platform's time, so a restart changes nothing."""
    until = clock.at + timedelta(hours=4)
    house.connector = connector = Barred(clock, until)
    conversation = await house.conversation()
    first = await house.post(conversation, "một")
    await house.post(conversation, "hai")
    async with house.jobs.open_async():
        await house.jobs.run_worker_async(
            queues=["deliver"], wait=False, install_signal_handlers=False, listen_notify=False
        )
    assert connector.asked == 1  # the second one waits at the first one's lock
    async with house.database.transaction() as session:
        rows = (
            await session.execute(
                text(
                    "select (args->>'message')::bigint, scheduled_at from procrastinate_jobs "
                    "where task_name = 'deliver' order by id"
                )
            )
        ).all()
    assert rows[0][0] == first
    assert until <= rows[0][1] <= until + timedelta(seconds=62)
    assert rows[1][1] is None


async def test_ordinary_tries_wait_longer_and_longer_for_an_hour_and_more(house: BotHouse) -> None:
    class Down(ScriptedConnector):
        async def send(self, outbound: Outbound) -> Sent:
            raise RetryLater("no connection", 5.0)

    house.connector = Down()
    message = await house.post(await house.conversation())
    waits = []
    while (again := await run(house, message)) is not None:
        waits.append(again.after_s)
    assert waits == [max(5.0, one) for one in WAITS_S]
    assert sum(waits) > 3600
    assert (await house.message(message)).failure == f"Đã thử {MAX_ATTEMPTS} lần: no connection"


@pytest.mark.parametrize("tries", [1, 4, 5])
async def test_a_code_that_is_worth_few_tries_gets_few(house: BotHouse, tries: int) -> None:
    class Refuses(ScriptedConnector):
        asked = 0

        async def send(self, outbound: Outbound) -> Sent:
            self.asked += 1
            raise RetryLater("gửi không thành công (mã -200)", tries=tries)

    house.connector = connector = Refuses()
    message = await house.post(await house.conversation())
    for _ in range(tries + 2):
        await run(house, message)
    assert connector.asked == tries
    assert (await house.message(message)).status == DeliveryState.FAILED


# --- the gap that no sender can close ---------------------------------------------------------------------------------


class Silent(ScriptedConnector):
    """Takes every message, answers nothing, and has no history."""

    async def send(self, outbound: Outbound) -> Sent:
        self.take(outbound, 0)
        raise Ambiguous("no answer", 0.0)

    async def find_sent(self, outbound: Outbound) -> Sent | None:
        raise CannotTell("no history")


async def after_patience(house: BotHouse, message: MessageId) -> None:
    """The echo did not come in time; run the job."""
    async with house.database.transaction() as session:
        long_ago = now() - ECHO_PATIENCE - timedelta(seconds=1)
        await session.execute(update(MessageRow).where(MessageRow.id == message).values(sending_since=long_ago))
    await run(house, message)


async def test_what_nothing_can_settle_is_repeated_once_and_then_a_persons(house: BotHouse) -> None:
    house.connector = Silent()
    message = await house.post(await house.conversation())
    await run(house, message)
    await after_patience(house, message)
    assert (await house.message(message)).failure == REPEATED_VI
    for _ in range(3):
        await after_patience(house, message)
    assert len(house.connector.arrived) == 2  # the one uncertain gap, and nothing beyond it
    row = await house.message(message)
    assert (row.status, row.failure) == (DeliveryState.UNCERTAIN, IN_DOUBT_VI)
    async with house.database.transaction() as session:
        assert message in await undelivered(session)
        assert await house.outbox.retry(session, message)  # the operator looked, and wants it sent
    await after_patience(house, message)
    assert len(house.connector.arrived) == 3


async def test_a_killed_process_gives_the_echo_its_whole_time(house: BotHouse) -> None:
    """While the house was down no echo could come in: the patience begins when the doubt is noticed."""
    house.connector = Silent()
    message = await house.post(await house.conversation())
    async with house.database.transaction() as session:
        an_hour_ago = now() - timedelta(hours=1)
        values = {"status": DeliveryState.SENDING, "sending_since": an_hour_ago}
        await session.execute(update(MessageRow).where(MessageRow.id == message).values(values))
    assert await run(house, message) is not None
    assert house.connector.arrived == []
    assert (await house.message(message)).status == DeliveryState.UNCERTAIN


async def test_a_platform_that_never_answers_and_never_has_it_is_given_up(house: BotHouse) -> None:
    class Swallows(ScriptedConnector):
        asked = 0

        async def send(self, outbound: Outbound) -> Sent:
            self.asked += 1
            raise Ambiguous("no answer", 0.0)

    house.connector = connector = Swallows()
    message = await house.post(await house.conversation())
    for _ in range(MAX_ATTEMPTS + 3):
        await run(house, message)
    assert connector.asked == MAX_ATTEMPTS
    row = await house.message(message)
    assert (row.status, row.failure) == (DeliveryState.FAILED, f"Đã thử {MAX_ATTEMPTS} lần: nền tảng không trả lời.")


async def test_a_history_that_can_not_be_asked_for_a_day_leaves_it_in_doubt(house: BotHouse, clock: Clock) -> None:
    class Unreachable(Silent):
        async def find_sent(self, outbound: Outbound) -> Sent | None:
            raise RetryLater("no connection", 5.0)

    house.connector = Unreachable()
    message = await house.post(await house.conversation())
    with contextlib.suppress(WaitAndRetry):
        await house.deliver(message)
    assert await run(house, message) is not None
    clock.at += timedelta(hours=25)
    assert await run(house, message) is None
    row = await house.message(message)
    assert (row.status, row.failure) == (DeliveryState.UNCERTAIN, IN_DOUBT_VI)
    assert len(house.connector.arrived) == 1


# --- what waits for too long is told, and goes on being tried ---------------------------------------------------------


async def age(house: BotHouse, message: MessageId, minutes: float) -> None:
    """So long ago it was written, first refused, and last heard of."""
    then = now() - timedelta(minutes=minutes)
    async with house.database.transaction() as session:
        row = await session.get_one(MessageRow, message)
        row.created_at = then
        row.failing_since, row.sending_since = row.failing_since and then, row.sending_since and then
        (await session.get_one(ConversationRow, row.conversation_id)).last_inbound_at = then


async def listed(house: BotHouse, message: MessageId) -> str | None:
    """What the list of undelivered messages says about it."""
    async with house.database.transaction() as session:
        return next((one.failure for one in await load_undelivered(session) if one.message == message), None)


async def test_a_platforms_long_bar_is_listed_with_the_reason_and_still_waited_for(
    house: BotHouse, clock: Clock
) -> None:
    house.connector = Barred(clock, clock.at + timedelta(hours=4))
    message = await house.post(await house.conversation())
    assert isinstance(await run(house, message), WaitUntil)
    assert await listed(house, message) is None  # only just
    await age(house, message, LATE_AFTER.total_seconds() / 60 + 1)
    said = await listed(house, message)
    assert said is not None
    assert said.startswith("Chờ gửi từ ")
    assert "Trang đang tạm bị cấm gửi tin. Tự gửi lại sau " in said
    async with house.database.transaction() as session:
        (view,) = [
            one
            for one in await load_history(session, [(await house.message(message)).conversation_id])
            if one.id == message
        ]
    assert (view.late, view.failure) == (True, said)
    house.connector = ScriptedConnector()
    assert await run(house, message) is None
    assert await listed(house, message) is None


@pytest.mark.parametrize(("minutes", "is_listed"), [(14, False), (16, True)])
async def test_what_nobody_tried_is_listed_from_the_limit_on(house: BotHouse, minutes: float, is_listed: bool) -> None:
    message = await house.post(await house.conversation())
    await age(house, message, minutes)
    said = await listed(house, message)
    assert (said is not None) is is_listed
    assert said is None or BEHIND_VI in said


async def test_a_held_answer_that_the_citizen_released_is_not_late_at_once(house: BotHouse) -> None:
    house.connector.open = False
    conversation = await house.conversation("lan")
    message = await house.post(conversation)
    await run(house, message)
    await age(house, message, 300)
    assert await listed(house, message) == HELD_VI
    house.connector.open = True
    await house.accept(house.inbound("Còn đó không?", ref="lan"))
    async with house.database.transaction() as session:
        assert await house.outbox.release_held(session, conversation) in {0, 1}
    assert (await house.message(message)).status == DeliveryState.QUEUED
    assert await listed(house, message) is None


@pytest.mark.parametrize("answers", [RetryLater("no connection"), Ambiguous("no answer", 0.0)])
async def test_what_was_told_by_phone_while_it_was_sent_stays_told(house: BotHouse, answers: RetryLater) -> None:
    """A person calls while the platform thinks about it; whatever comes back, it is not sent again."""

    class Thinks(ScriptedConnector):
        async def send(self, outbound: Outbound) -> Sent:
            async with house.database.transaction() as session:
                (await session.get_one(MessageRow, outbound.message)).status = DeliveryState.FAILED
            raise answers

    house.connector = Thinks()
    message = await house.post(await house.conversation())
    await run(house, message)
    house.connector = connector = ScriptedConnector()
    await run(house, message)
    assert (await house.message(message)).status == DeliveryState.FAILED
    assert connector.arrived == []


async def test_a_late_message_can_be_told_by_phone_and_is_then_not_sent(house: BotHouse) -> None:
    by = await HandoffHouse(house.database).staff()
    desk = StaffDesk(house.database, house.outbox)
    message = await house.post(await house.conversation())
    with pytest.raises(Refused):
        await desk.tell_by_phone(message, by)
    await age(house, message, 16)
    await desk.tell_by_phone(message, by)
    assert await listed(house, message) is not None  # nobody has called yet
    await desk.record_call(message, by, CallOutcome.TOLD)
    assert await listed(house, message) is None
    await run(house, message)
    assert house.connector.arrived == []
