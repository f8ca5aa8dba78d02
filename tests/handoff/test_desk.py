"""What staff do with tickets, on the real PostgreSQL."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.contracts.errors import NotAllowed, Refused
from bot.contracts.ids import ConversationId, EntryId, MessageId, SubjectId, TicketCode, UnitCode
from handoff import desk
from handoff.rights import Action
from handoff.role import Role
from handoff.tables import AuditRow, TicketEventRow
from handoff.ticket import MoveRefused, Outcome, Priority, Reason, State, TicketKind
from handoff.unit import UnitNotFound
from tests.handoff.house import NOON, House

ONE = ConversationId(1)
SYT, CDC, SLDTBXH, SNV = UnitCode("SYT"), UnitCode("CDC"), UnitCode("SLDTBXH"), UnitCode("SNV")


async def test_one_message_opens_one_ticket_however_often_it_is_worked_on(house: House) -> None:
    first = await house.ticket(message=MessageId(7))
    again = await house.ticket(message=MessageId(7))
    assert first == again
    async with house.database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(TicketEventRow)) == 1


async def test_further_questions_join_the_ticket_at_the_desk_once_each(house: House) -> None:
    first = await house.ticket(message=MessageId(7))
    for _ in range(2):
        joined = await house.ticket(message=MessageId(8), question="Cần mang giấy tờ gì?", phone="0912345678")
        assert joined.code == first.code
    detail = await house.do(desk.load_ticket_for, first.code, await house.staff())
    assert [event.what for event in detail.events] == ["opened", "question_added"]
    assert detail.events[1].fields["question"] == "Cần mang giấy tờ gì?"
    assert detail.phone == "0912345678"
    assert detail.ticket.question == "Làm lại sổ hộ nghèo ở đâu?"


async def test_a_report_never_joins_another_ticket(house: House) -> None:
    question = await house.ticket()
    report = await house.ticket(kind=TicketKind.REPORT, reason=Reason.FORM)
    second = await house.ticket(kind=TicketKind.REPORT, reason=Reason.FORM)
    assert len({question.code, report.code, second.code}) == 3


async def test_a_question_after_the_first_was_forwarded_gets_its_own_ticket(house: House) -> None:
    first = await house.ticket()
    await house.do(desk.forward, first.id, SYT, await house.staff(), why="Chuyên môn")
    second = await house.ticket()
    assert second.code != first.code
    async with house.database.transaction() as session:
        found = await desk.find_open_ticket(session, ONE)
    assert found is not None
    assert found.code == second.code


async def test_an_emergency_that_joins_makes_the_ticket_urgent(house: House) -> None:
    first = await house.ticket()
    urgent = await house.ticket(
        kind=TicketKind.HELP, reason=Reason.EMERGENCY, priority=Priority.EMERGENCY, now=NOON + timedelta(minutes=1)
    )
    assert urgent.code == first.code
    assert (urgent.priority, urgent.kind, urgent.reason) == (Priority.EMERGENCY, TicketKind.HELP, Reason.EMERGENCY)
    assert urgent.due_at == urgent.promised_at == NOON + timedelta(minutes=6)
    later = await house.ticket(now=NOON + timedelta(minutes=2))
    assert (later.priority, later.due_at) == (Priority.EMERGENCY, urgent.due_at)


async def test_the_unit_gets_it_promises_answers_and_the_desk_closes(house: House) -> None:
    operator, officer = await house.staff(), await house.staff("Hoa", Role.UNIT_OFFICER, SYT)
    ticket = await house.ticket()
    sent = await house.do(desk.forward, ticket.id, SYT, operator, why="Cần chuyên môn")
    assert (sent.state, sent.forwarded_to, sent.unit) == (State.FORWARDED, SYT, SYT)
    at = NOON + timedelta(hours=5)
    promised = await house.do(desk.promise, ticket.id, officer, at=at)
    assert (promised.state, promised.promised_at, promised.due_at) == (State.PROMISED, at, at)
    answered = await house.do(desk.record_answer, ticket.id, officer, text=" Nộp tại UBND xã. ")
    assert answered.state is State.ANSWERED
    assert answered.first_reply_at == NOON
    closed = await house.do(desk.close, ticket.id, operator, outcome=Outcome.ANSWERED)
    assert (closed.state, closed.closed_at, closed.outcome) == (State.CLOSED, NOON, Outcome.ANSWERED)
    detail = await house.do(desk.load_ticket_for, ticket.code, operator)
    assert [event.what for event in detail.events] == ["opened", "forward", "promise", "answer", "close"]
    assert [event.by for event in detail.events] == [None, "Lan", "Hoa", "Hoa", "Lan"]
    assert detail.answer == "Nộp tại UBND xã."
    with pytest.raises(MoveRefused, match="move_refused"):
        await house.do(desk.record_answer, ticket.id, operator, text="Thêm")


async def test_a_unit_officer_sees_and_touches_only_what_the_own_unit_has(house: House) -> None:
    operator = await house.staff()
    of_health, of_cdc = (
        await house.staff("Hoa", Role.UNIT_OFFICER, SYT),
        await house.staff("Bình", Role.UNIT_OFFICER, CDC),
    )
    at_desk = await house.ticket(1)
    at_health = await house.ticket(2)
    await house.do(desk.forward, at_health.id, SYT, operator, why="")
    assert [one.code for one in await house.do(desk.load_waiting_for, of_health)] == [at_health.code]
    assert await house.do(desk.load_waiting_for, of_cdc) == []
    assert (await house.do(desk.load_ticket_for, at_health.code, of_health)).ticket.id == at_health.id
    for code, officer in ((at_health.code, of_cdc), (at_desk.code, of_health), (TicketCode("TH-22222"), of_health)):
        with pytest.raises(desk.TicketNotFound):
            await house.do(desk.load_ticket_for, code, officer)
    for action, fields in (
        (desk.record_answer, {"text": "Không phải của tôi"}),
        (desk.promise, {"at": NOON + timedelta(hours=1)}),
        (desk.send_back, {"why": "Nhầm"}),
        (desk.add_note, {"text": "Ghi chú"}),
    ):
        with pytest.raises(NotAllowed):
            await house.do(action, at_health.id, of_cdc, **fields)
    assert await house.do(desk.load_tickets_of, ConversationId(2), of_cdc) == []


async def test_the_successor_has_the_tickets_of_the_unit_that_ended(house: House) -> None:
    operator = await house.staff()
    of_new, of_old = (
        await house.staff("Hạnh", Role.UNIT_OFFICER, SNV),
        await house.staff("Cúc", Role.UNIT_OFFICER, SLDTBXH),
    )
    before = NOON.replace(year=2024)
    old = await house.ticket(1, now=before)
    sent = await house.do(desk.forward, old.id, SLDTBXH, operator, why="", now=before)
    assert sent.forwarded_to == SLDTBXH
    new = await house.ticket(2)
    sent = await house.do(desk.forward, new.id, SLDTBXH, operator, why="")
    assert sent.forwarded_to == SNV
    for officer in (of_new, of_old):
        seen = await house.do(desk.load_waiting_for, officer)
        assert {one.code for one in seen} == {old.code, new.code}
        assert {one.forwarded_to_name for one in seen} == {"Sở Nội vụ"}
    answered = await house.do(desk.record_answer, old.id, of_new, text="Đã giải quyết.")
    assert answered.state is State.ANSWERED


async def test_a_unit_sends_back_with_a_reason_and_the_desk_sees_it_at_once(house: House) -> None:
    operator, officer = await house.staff(), await house.staff("Hoa", Role.UNIT_OFFICER, SYT)
    ticket = await house.ticket()
    await house.do(desk.forward, ticket.id, SYT, operator, why="")
    with pytest.raises(Refused):
        await house.do(desk.send_back, ticket.id, officer, why="  ")
    back = await house.do(desk.send_back, ticket.id, officer, why="Thuộc Sở Nội vụ")
    assert (back.state, back.forwarded_to) == (State.SENT_BACK, None)
    assert [one.code for one in await house.do(desk.load_waiting_for, operator)] == [ticket.code]
    assert await house.do(desk.load_waiting_for, officer) == []
    detail = await house.do(desk.load_ticket_for, ticket.code, operator)
    assert detail.events[-1].fields == {"unit": "SYT", "why": "Thuộc Sở Nội vụ"}


async def test_a_promise_of_the_desk_itself_cannot_be_sent_back(house: House) -> None:
    operator = await house.staff()
    ticket = await house.ticket()
    await house.do(desk.promise, ticket.id, operator, at=NOON + timedelta(hours=1))
    with pytest.raises(MoveRefused):
        await house.do(desk.send_back, ticket.id, operator, why="Nhầm")


async def test_the_most_urgent_comes_first_and_filters_hold(house: House) -> None:
    operator = await house.staff()
    calm = await house.ticket(1, now=NOON - timedelta(hours=2), subject=SubjectId(5), unit=SLDTBXH)
    soon = await house.ticket(2, priority=Priority.HIGH)
    urgent = await house.ticket(3, priority=Priority.EMERGENCY, kind=TicketKind.HELP)
    late = await house.ticket(4, now=NOON - timedelta(hours=3))
    seen = await house.do(desk.load_waiting_for, operator)
    assert [one.code for one in seen] == [urgent.code, soon.code, late.code, calm.code]
    assert [one.is_overdue for one in seen] == [False, False, True, True]
    by_unit = await house.do(desk.load_waiting_for, operator, unit=SNV)
    assert [(one.code, one.unit, one.subject_name) for one in by_unit] == [
        (calm.code, SNV, "Chính sách an sinh xã hội")
    ]
    assert [one.code for one in await house.do(desk.load_waiting_for, operator, subject=SubjectId(5))] == [calm.code]
    await house.do(desk.take_over, ConversationId(2), operator)
    assert [one.code for one in await house.do(desk.load_waiting_for, operator, mine=True)] == [soon.code]
    assert await house.do(desk.load_waiting_for, operator, states={State.CLOSED}) == []


async def test_triage_names_subject_unit_and_urgency(house: House) -> None:
    operator = await house.staff()
    ticket = await house.ticket()
    done = await house.do(desk.triage, ticket.id, operator, subject=SubjectId(5), unit=SLDTBXH, priority=Priority.HIGH)
    assert (done.subject, done.unit, done.priority) == (SubjectId(5), SNV, Priority.HIGH)
    assert done.due_at < ticket.due_at
    with pytest.raises(UnitNotFound):
        await house.do(desk.triage, ticket.id, operator, subject=None, unit=UnitCode("XX"), priority=Priority.HIGH)
    with pytest.raises(Refused):
        await house.do(desk.triage, ticket.id, operator, subject=SubjectId(99), unit=None, priority=Priority.HIGH)


async def test_a_closed_ticket_opens_again_when_the_answer_did_not_help(house: House) -> None:
    operator = await house.staff()
    ticket = await house.ticket()
    await house.do(desk.close, ticket.id, operator, outcome=Outcome.NOT_OURS)
    again = await house.do(desk.reopen, ticket.id, None, why="Chưa đúng ý", now=NOON + timedelta(days=1))
    assert (again.state, again.closed_at, again.outcome) == (State.WAITING, None, None)
    assert again.due_at > NOON + timedelta(days=1)


async def test_the_citizen_reads_how_far_it_is_and_nothing_personal(house: House) -> None:
    operator, officer = await house.staff(), await house.staff("Hoa", Role.UNIT_OFFICER, SYT)
    ticket = await house.ticket(phone="0912345678", question="Tôi tên Nguyễn Thị Mơ, hỏi về sổ hộ nghèo")
    await house.do(desk.forward, ticket.id, SYT, operator, why="")
    await house.do(desk.record_answer, ticket.id, officer, text="Chị Mơ nộp tại xã.")
    public = await house.do(desk.ticket_status_for_citizen, ticket.code, None)
    assert (public.state_vi, public.unit_name) == ("Đã trả lời", "Sở Y tế tỉnh Thanh Hóa")
    assert "Mơ" not in repr(public)
    assert "0912345678" not in repr(public)
    other = await house.do(desk.ticket_status_for_citizen, ticket.code, ConversationId(99))
    assert other.answer is None
    own = await house.do(desk.ticket_status_for_citizen, ticket.code, ONE)
    assert own.answer == "Chị Mơ nộp tại xã."
    with pytest.raises(desk.TicketNotFound):
        await house.do(desk.ticket_status_for_citizen, TicketCode("TH-22222"), None)


async def test_what_could_not_be_answered_waits_for_an_editor_until_it_is_taught(house: House) -> None:
    editor, operator = await house.staff("Mai", Role.EDITOR, CDC), await house.staff()
    asked = await house.ticket(1, reason=Reason.ASKED_FOR_PERSON, question="Gặp cán bộ")
    await house.ticket(1, question="Trợ cấp mai táng bao nhiêu?", candidates=[{"entry": 3, "confidence": 0.1}])
    other = await house.ticket(2, question="Học phí trường nghề?")
    await house.ticket(3, reason=Reason.ASKED_FOR_PERSON)
    async with house.database.transaction() as session:
        found = await desk.load_unanswered(session, editor)
    assert [(one.ticket, one.questions) for one in found] == [
        (other.id, ("Học phí trường nghề?",)),
        (asked.id, ("Trợ cấp mai táng bao nhiêu?",)),
    ]
    assert found[1].candidates == ({"entry": 3, "confidence": 0.1},)
    await house.do(desk.mark_taught, other.id, EntryId(12), editor)
    async with house.database.transaction() as session:
        assert [one.ticket for one in await desk.load_unanswered(session, editor)] == [asked.id]
        with pytest.raises(NotAllowed):
            await desk.load_unanswered(session, operator)
    with pytest.raises(NotAllowed):
        await house.do(desk.mark_taught, asked.id, EntryId(12), operator)
    with pytest.raises(NotAllowed):
        await house.do(desk.load_waiting_for, editor)


async def test_the_page_is_told_what_its_reader_may_do(house: House) -> None:
    operator, second = await house.staff("Lan"), await house.staff("Minh")
    officer = await house.staff("Hoa", Role.UNIT_OFFICER, SYT)
    ticket = await house.ticket()

    async def may(who: object) -> frozenset[Action]:
        detail = await house.do(desk.load_ticket_for, ticket.code, who)
        assert isinstance(detail.may, frozenset)
        return detail.may

    assert Action.TAKE_OVER in await may(operator)
    assert Action.REPLY not in await may(operator)
    await house.do(desk.take_over, ONE, operator)
    assert {Action.REPLY, Action.HAND_BACK, Action.FORWARD, Action.CLOSE} <= await may(operator)
    assert not {Action.REPLY, Action.HAND_BACK, Action.TAKE_OVER} & await may(second)
    await house.do(desk.forward, ticket.id, SYT, operator, why="")
    assert await may(officer) == {Action.READ, Action.NOTE, Action.ANSWER, Action.PROMISE, Action.SEND_BACK}


async def test_every_action_of_staff_is_in_the_audit_log_without_a_word_of_the_citizen(house: House) -> None:
    operator = await house.staff()
    ticket = await house.ticket(question="Bí mật của tôi", phone="0912345678")
    await house.do(desk.add_note, ticket.id, operator, text="Gọi lại 0912345678")
    await house.do(desk.load_ticket_for, ticket.code, operator)
    await house.do(desk.load_ticket_for, ticket.code, operator)
    await house.do(desk.forward, ticket.id, SYT, operator, why="Người hỏi ở số 0912345678")
    async with house.database.transaction() as session:
        rows = (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()
    assert [row.what for row in rows] == ["noted", "read", "forward"]
    assert all(row.account_id == operator.id and row.ticket_id == ticket.id for row in rows)
    assert not any("0912345678" in str(row.fields) or "mật" in str(row.fields) for row in rows)
