"""What staff do with a ticket. Rights are checked here, once; each action is an event, an audit line and a nudge.

The room's front door: who holds a conversation (handoff/hold.py), how tickets come to be (handoff/opening.py) and what
may be read (handoff/reading.py) are reached through this name as well.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import in_vietnam
from bot.contracts.errors import Refused
from bot.contracts.ids import EntryId, SubjectId, TicketId, UnitCode
from handoff.account import Account
from handoff.deadline import plan_promise, plan_unit_deadline
from handoff.hold import (
    AlreadyTaken,
    NotHeld,
    check_may_reply,
    drop_hold,
    find_holder,
    hand_back,
    record_reply,
    release_idle,
    take_from,
    take_over,
)
from handoff.journal import TicketNotFound, lock_ticket, record, ticket_of
from handoff.opening import find_latest_ticket, find_open_ticket, open_ticket
from handoff.reading import (
    load_ticket_for,
    load_tickets_of,
    load_unanswered,
    load_waiting_for,
    ticket_status_for_citizen,
)
from handoff.rights import OVERSEERS, Action, check_may, check_may_with
from handoff.tables import NoteRow, SubjectRow, TicketRow
from handoff.ticket import MOVE_VI, STATE_VI, Move, MoveRefused, Outcome, Priority, State, Ticket, plan_move
from handoff.units import get_family, resolve_unit

__all__ = [
    "AlreadyTaken",
    "NotHeld",
    "TicketNotFound",
    "add_note",
    "check_may_reply",
    "close",
    "find_holder",
    "find_latest_ticket",
    "find_open_ticket",
    "forward",
    "hand_back",
    "load_ticket_for",
    "load_tickets_of",
    "load_unanswered",
    "load_waiting_for",
    "mark_taught",
    "open_ticket",
    "promise",
    "record_answer",
    "record_reply",
    "release_idle",
    "reopen",
    "send_back",
    "take_from",
    "take_over",
    "ticket_status_for_citizen",
    "triage",
]


async def triage(
    session: AsyncSession,
    ticket: TicketId,
    by: Account,
    *,
    subject: SubjectId | None,
    unit: UnitCode | None,
    priority: Priority,
    now: datetime,
) -> Ticket:
    """The desk says what the ticket is about, whose it is and how urgent. Raises NotAllowed, UnitNotFound."""
    row = await _lock_for(session, ticket, by, Action.TRIAGE, now)
    if subject is not None and await session.get(SubjectRow, subject) is None:
        raise Refused(problem="Không có lĩnh vực này.")
    row.subject = subject
    row.unit = (await resolve_unit(session, unit, in_vietnam(now).date())).code if unit else None
    if priority.rank > row.priority.rank:
        row.due_at = min(row.due_at, plan_promise(row.kind, priority, now))
    row.priority = priority
    await record(
        session, row, "triaged", by, now, fields={"subject": subject, "unit": row.unit, "priority": priority.value}
    )
    return ticket_of(row)


async def forward(
    session: AsyncSession,
    ticket: TicketId,
    unit: UnitCode,
    by: Account,
    *,
    why: str,
    now: datetime,
    due: datetime | None = None,
) -> Ticket:
    """Send the ticket to the unit in force today that answers for `unit`; the conversation goes back to the bot.

    The unit has until `due`, by default some working days, by priority. Raises NotAllowed, MoveRefused, UnitNotFound.
    """
    row = await _lock_for(session, ticket, by, Action.FORWARD, now)
    to = (await resolve_unit(session, unit, in_vietnam(now).date())).code
    if due is not None and due <= now:
        raise Refused(problem="Hạn xử lý phải ở sau thời điểm hiện tại.")
    row.state = plan_move(row.state, Move.FORWARD)
    row.forwarded_to, row.taken_by = to, None
    row.unit = row.unit or to
    row.due_at = due or plan_unit_deadline(row.priority, now)
    await drop_hold(session, row, by, now)
    await record(
        session,
        row,
        Move.FORWARD,
        by,
        now,
        fields={"unit": to, "due": row.due_at.isoformat()},
        texts={"why": why},
    )
    return ticket_of(row)


async def send_back(session: AsyncSession, ticket: TicketId, by: Account, *, why: str, now: datetime) -> Ticket:
    """The unit returns the ticket to the duty desk with a reason. Raises NotAllowed, MoveRefused."""
    row = await _lock_for(session, ticket, by, Action.SEND_BACK, now)
    if not why.strip():
        raise Refused(problem="Cần ghi lý do trả lại.")
    if row.forwarded_to is None:
        raise MoveRefused(state_vi=STATE_VI[row.state], move_vi=MOVE_VI[Move.SEND_BACK])
    row.state = plan_move(row.state, Move.SEND_BACK)
    unit, row.forwarded_to = row.forwarded_to, None
    row.due_at = plan_promise(row.kind, row.priority, now)
    await record(session, row, Move.SEND_BACK, by, now, fields={"unit": unit}, texts={"why": why})
    return ticket_of(row)


async def promise(session: AsyncSession, ticket: TicketId, by: Account, *, at: datetime, now: datetime) -> Ticket:
    """Somebody tells the citizen that the answer comes at `at`. Raises NotAllowed, MoveRefused, Refused (the past)."""
    row = await _lock_for(session, ticket, by, Action.PROMISE, now)
    if at <= now:
        raise Refused(problem="Thời điểm hẹn phải ở sau thời điểm hiện tại.")
    row.state = plan_move(row.state, Move.PROMISE)
    row.promised_at = row.due_at = at
    await record(session, row, Move.PROMISE, by, now, fields={"promised_at": at.isoformat()})
    return ticket_of(row)


async def record_answer(session: AsyncSession, ticket: TicketId, by: Account, *, text: str, now: datetime) -> Ticket:
    """The answer to a ticket, given through the ticket and not in the chat.

    The caller posts the outbound message in the same transaction. Raises NotAllowed, MoveRefused, AlreadyTaken, and
    Refused if the text is blank.
    """
    row = await _lock_for(session, ticket, by, Action.ANSWER, now)
    if not text.strip():
        raise Refused(problem="Câu trả lời đang để trống.")
    row.state = plan_move(row.state, Move.ANSWER)
    row.answer = text.strip()
    row.first_reply_at = row.first_reply_at or now
    await record(session, row, Move.ANSWER, by, now, texts={"text": row.answer})
    return ticket_of(row)


async def close(session: AsyncSession, ticket: TicketId, by: Account, *, outcome: Outcome, now: datetime) -> Ticket:
    """The end of a ticket; the conversation goes back to the bot. Raises NotAllowed, MoveRefused, AlreadyTaken."""
    row = await _lock_for(session, ticket, by, Action.CLOSE, now)
    row.state = plan_move(row.state, Move.CLOSE)
    row.closed_at, row.outcome = now, outcome
    await drop_hold(session, row, by, now)
    await record(session, row, Move.CLOSE, by, now, fields={"outcome": outcome.value})
    return ticket_of(row)


async def reopen(session: AsyncSession, ticket: TicketId, by: Account | None, *, why: str, now: datetime) -> Ticket:
    """Back to the desk: the answer did not help. `by` None: the citizen said so. Raises NotAllowed, MoveRefused."""
    row = await _lock_for(session, ticket, by, Action.REOPEN, now) if by else await lock_ticket(session, ticket)
    row.state = plan_move(row.state, Move.REOPEN)
    row.closed_at = row.outcome = row.forwarded_to = row.taken_by = None
    row.promised_at = row.due_at = plan_promise(row.kind, row.priority, now)
    await record(session, row, Move.REOPEN, by, now, texts={"why": why})
    return ticket_of(row)


async def add_note(session: AsyncSession, ticket: TicketId, by: Account, *, text: str, now: datetime) -> None:
    """An internal note, never shown to the citizen. Raises NotAllowed, Refused if it is blank."""
    row = await _access(session, ticket, by, Action.NOTE, now)
    if not text.strip():
        raise Refused(problem="Ghi chú đang để trống.")
    session.add(NoteRow(ticket_id=row.id, account_id=by.id, text=text.strip(), at=now))
    await record(session, row, "noted", by, now)


async def mark_taught(session: AsyncSession, ticket: TicketId, entry: EntryId, by: Account, *, now: datetime) -> Ticket:
    """An editor wrote or widened `entry` because of this question: it leaves the list of unanswered ones."""
    check_may(by, Action.TEACH)
    row = await lock_ticket(session, ticket)
    row.taught_entry, row.taught_at = entry, now
    await record(session, row, "taught", by, now, fields={"entry": entry})
    return ticket_of(row)


async def _access(session: AsyncSession, ticket: TicketId, by: Account, action: Action, now: datetime) -> TicketRow:
    """The ticket's row, locked, once `by` is known to have the right. Raises TicketNotFound, NotAllowed."""
    check_may(by, action)
    row = await lock_ticket(session, ticket)
    check_may_with(by, action, row.forwarded_to, await get_family(session, by.unit, in_vietnam(now).date()))
    return row


async def _lock_for(session: AsyncSession, ticket: TicketId, by: Account, action: Action, now: datetime) -> TicketRow:
    """Like `_access`; raises AlreadyTaken if another operator is at work on the ticket."""
    row = await _access(session, ticket, by, action, now)
    if row.state is State.IN_PROGRESS and row.taken_by != by.id and by.role not in OVERSEERS:
        holder = await find_holder(session, row.conversation_id)
        raise AlreadyTaken(name=holder.display_name if holder else "người khác")
    return row
