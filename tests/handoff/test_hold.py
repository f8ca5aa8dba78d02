"""Who holds a conversation: two people at once, giving it back, forgetting it."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.contracts.errors import NotAllowed
from bot.contracts.ids import ConversationId, MessageId, UnitCode
from handoff import desk
from handoff.account import Account
from handoff.role import Role
from handoff.tables import HoldRow, TicketRow
from handoff.ticket import Outcome, Priority, Reason, State, Ticket, TicketKind
from tests.handoff.house import NOON, House

ONE = ConversationId(1)


async def holder_of(house: House, conversation: ConversationId = ONE) -> str | None:
    async with house.database.transaction() as session:
        holder = await desk.find_holder(session, conversation)
    return holder.display_name if holder else None


async def state_of(house: House, ticket: Ticket) -> State:
    async with house.database.transaction() as session:
        return (await session.get_one(TicketRow, ticket.id)).state


async def test_second_operator_is_told_who_has_it(house: House) -> None:
    lan, minh = await house.staff("Lan"), await house.staff("Minh")
    ticket = await house.ticket()
    taken = await house.do(desk.take_over, ONE, lan)
    assert (taken.code, taken.state, taken.taken_by) == (ticket.code, State.IN_PROGRESS, lan.id)
    with pytest.raises(desk.AlreadyTaken) as refused:
        await house.do(desk.take_over, ONE, minh)
    assert refused.value.message_vi == "Hội thoại này đang do Lan tiếp quản."
    async with house.database.transaction() as session:
        with pytest.raises(desk.AlreadyTaken):
            await desk.check_may_reply(session, ONE, minh)
        assert (await desk.check_may_reply(session, ONE, lan)).account == lan.id
    for action, fields in (
        (desk.record_answer, {"text": "Xen vào"}),
        (desk.close, {"outcome": Outcome.ANSWERED}),
        (desk.promise, {"at": NOON + timedelta(hours=1)}),
    ):
        with pytest.raises(desk.AlreadyTaken):
            await house.do(action, ticket.id, minh, **fields)
    with pytest.raises(desk.AlreadyTaken):
        await house.do(desk.hand_back, ONE, minh)


@pytest.mark.parametrize("with_ticket", [True, False])
async def test_of_many_who_click_at_once_exactly_one_gets_it(house: House, with_ticket: bool) -> None:
    staff = [await house.staff(f"Cán bộ {number}") for number in range(8)]
    if with_ticket:
        await house.ticket()
    ready = asyncio.Barrier(len(staff))

    async def click(by: Account) -> Ticket:
        async with house.database.transaction() as session:
            await session.scalar(select(1))  # everybody has a connection before anybody clicks
            await ready.wait()
            ticket = await desk.take_over(session, ONE, by, now=NOON)
            await asyncio.sleep(0.02)  # the others now wait for this transaction
            return ticket

    outcomes = await asyncio.gather(*(click(one) for one in staff), return_exceptions=True)
    won = [one for one in outcomes if isinstance(one, Ticket)]
    lost = [one for one in outcomes if isinstance(one, desk.AlreadyTaken)]
    assert (len(won), len(lost)) == (1, len(staff) - 1)
    winner = next(one for one in staff if one.id == won[0].taken_by)
    assert {one.fields["name"] for one in lost} == {winner.display_name}
    async with house.database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(HoldRow)) == 1
        assert await session.scalar(select(func.count()).select_from(TicketRow)) == 1


async def test_messages_that_come_at_once_make_one_ticket(house: House) -> None:
    made = await asyncio.gather(*(house.ticket(message=MessageId(number)) for number in (7, 7, 7, 8, 8, 9)))
    assert len({one.code for one in made}) == 1


async def test_taking_over_twice_changes_nothing(house: House) -> None:
    lan = await house.staff()
    first = await house.do(desk.take_over, ONE, lan)
    assert await house.do(desk.take_over, ONE, lan) == first
    assert (first.reason, first.question, first.state) == (Reason.TAKEN_OVER, "", State.IN_PROGRESS)


async def test_taking_over_takes_everything_at_the_desk_and_nothing_at_a_unit(house: House) -> None:
    lan = await house.staff()
    away = await house.ticket()
    await house.do(desk.forward, away.id, UnitCode("SYT"), lan, why="")
    question = await house.ticket()
    report = await house.ticket(kind=TicketKind.REPORT, reason=Reason.FORM, priority=Priority.HIGH)
    taken = await house.do(desk.take_over, ONE, lan)
    assert taken.code == report.code
    assert [await state_of(house, one) for one in (away, question, report)] == [
        State.FORWARDED,
        State.IN_PROGRESS,
        State.IN_PROGRESS,
    ]


async def test_nobody_replies_in_a_conversation_that_is_the_bots(house: House) -> None:
    lan = await house.staff()
    await house.ticket()
    async with house.database.transaction() as session:
        with pytest.raises(desk.NotHeld):
            await desk.check_may_reply(session, ONE, lan)
    with pytest.raises(desk.NotHeld):
        await house.do(desk.hand_back, ONE, lan)


async def test_handed_back_without_a_reply_it_waits_again_and_with_one_it_is_answered(house: House) -> None:
    lan, minh = await house.staff("Lan"), await house.staff("Minh")
    ticket = await house.ticket()
    await house.do(desk.take_over, ONE, lan)
    back = await house.do(desk.hand_back, ONE, lan)
    assert (back.state, back.taken_by) == (State.WAITING, None)
    assert await holder_of(house) is None
    await house.do(desk.take_over, ONE, minh)
    await house.do(desk.record_reply, ONE, minh, MessageId(501))
    back = await house.do(desk.hand_back, ONE, minh)
    assert (back.code, back.state, back.first_reply_at) == (ticket.code, State.ANSWERED, NOON)
    detail = await house.do(desk.load_ticket_for, ticket.code, lan)
    assert [event.what for event in detail.events] == [
        "opened",
        "take_over",
        "hand_back",
        "take_over",
        "replied",
        "hand_back",
    ]


async def test_a_promise_survives_handing_back(house: House) -> None:
    lan = await house.staff()
    ticket = await house.ticket()
    await house.do(desk.take_over, ONE, lan)
    await house.do(desk.record_reply, ONE, lan, MessageId(501))
    await house.do(desk.promise, ticket.id, lan, at=NOON + timedelta(hours=2))
    assert (await house.do(desk.hand_back, ONE, lan)).state is State.PROMISED
    assert (await house.do(desk.take_over, ONE, lan)).state is State.IN_PROGRESS


async def test_forwarding_or_closing_gives_the_conversation_back_to_the_bot(house: House) -> None:
    lan = await house.staff()
    ticket = await house.ticket()
    await house.do(desk.take_over, ONE, lan)
    await house.do(desk.forward, ticket.id, UnitCode("SYT"), lan, why="")
    assert await holder_of(house) is None
    taken = await house.do(desk.take_over, ONE, lan)
    assert (taken.code, taken.state) == (ticket.code, State.FORWARDED)
    assert await holder_of(house) == "Lan"
    await house.do(desk.close, ticket.id, lan, outcome=Outcome.ANSWERED)
    assert await holder_of(house) is None


async def test_closing_one_of_two_keeps_the_conversation_for_the_other(house: House) -> None:
    lan = await house.staff()
    report = await house.ticket(kind=TicketKind.REPORT, priority=Priority.HIGH)
    question = await house.ticket()
    await house.do(desk.take_over, ONE, lan)
    await house.do(desk.close, report.id, lan, outcome=Outcome.ANSWERED)
    async with house.database.transaction() as session:
        holder = await desk.find_holder(session, ONE)
    assert holder is not None
    assert holder.ticket == question.id


async def test_a_supervisor_gives_it_to_somebody_else(house: House) -> None:
    lan, minh = await house.staff("Lan"), await house.staff("Minh")
    boss, officer = (
        await house.staff("Sơn", Role.SUPERVISOR),
        await house.staff("Hoa", Role.UNIT_OFFICER, UnitCode("SYT")),
    )
    await house.ticket()
    await house.do(desk.take_over, ONE, lan)
    with pytest.raises(NotAllowed):
        await house.do(desk.take_from, ONE, minh, minh.id)
    with pytest.raises(NotAllowed):
        await house.do(desk.take_from, ONE, boss, officer.id)
    moved = await house.do(desk.take_from, ONE, boss, minh.id)
    assert moved.taken_by == minh.id
    async with house.database.transaction() as session:
        assert (await desk.check_may_reply(session, ONE, minh)).account == minh.id
        with pytest.raises(desk.AlreadyTaken):
            await desk.check_may_reply(session, ONE, lan)
    assert (await house.do(desk.hand_back, ONE, boss)).state is State.WAITING


@pytest.mark.parametrize("role", [Role.UNIT_OFFICER, Role.EDITOR])
async def test_only_the_desk_takes_over(house: House, role: Role) -> None:
    await house.ticket()
    with pytest.raises(NotAllowed):
        await house.do(desk.take_over, ONE, await house.staff("Hoa", role, UnitCode("SYT")))
    with pytest.raises(NotAllowed):
        await house.do(desk.take_over, ONE, await house.staff("Tú", active=False))
    assert await holder_of(house) is None


async def test_the_bot_speaks_again_when_the_operator_forgot(house: House) -> None:
    lan = await house.staff()
    ticket = await house.ticket()
    await house.do(desk.take_over, ONE, lan)
    await house.do(desk.take_over, ConversationId(2), lan)
    await house.do(desk.record_reply, ConversationId(2), lan, MessageId(501), now=NOON + timedelta(hours=7))
    assert await house.do(desk.release_idle, now=NOON + timedelta(hours=9)) == [ONE]
    assert await holder_of(house) is None
    assert await holder_of(house, ConversationId(2)) == "Lan"
    assert await state_of(house, ticket) is State.WAITING
