"""What our people and citizens may read of tickets. `load_…_for` checks the reader's rights."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import in_vietnam
from bot.contracts.errors import NotAllowed
from bot.contracts.ids import AccountId, ConversationId, SubjectId, TicketCode, TicketId, UnitCode
from handoff.account import Account
from handoff.hold import find_holder
from handoff.journal import TicketNotFound, audit, ticket_of
from handoff.rights import Action, check_may, check_may_with, plan_actions
from handoff.role import Role
from handoff.tables import AccountRow, AuditRow, NoteRow, TicketEventRow, TicketRow
from handoff.ticket import KIND_VI, OPEN, STATE_VI, UNANSWERED_REASONS, Priority, State
from handoff.unit import Subject, Unit, family_of, unit_today
from handoff.units import load_subjects, load_units
from handoff.views import Note, PublicStatus, TicketDetail, TicketEvent, TicketView, UnansweredQuestion

READ_AGAIN_AFTER = timedelta(hours=1)
"""Opening the same ticket again within this time is one line in the audit log."""
_REASONS = [reason.value for reason in UNANSWERED_REASONS]


async def load_waiting_for(
    session: AsyncSession,
    account: Account,
    *,
    now: datetime,
    states: Collection[State] = OPEN,
    subject: SubjectId | None = None,
    unit: UnitCode | None = None,
    mine: bool = False,
    limit: int = 200,
) -> list[TicketView]:
    """Tickets that wait for somebody, most urgent first: emergencies, then by deadline.

    Asked only for those that need nobody any more (answered, closed), it gives the newest first.
    Operators and supervisors see all; a unit officer sees what was forwarded to the own unit or to one it succeeded.
    `unit` keeps those that are, by routing or forwarding, of that unit today; `mine` those that `account` took.
    Raises NotAllowed for roles that handle no tickets.
    """
    check_may(account, Action.READ)
    units = await load_units(session)
    wanted: list[ColumnElement[bool]] = [TicketRow.state.in_(states)]
    if account.role is Role.UNIT_OFFICER:
        wanted.append(TicketRow.forwarded_to.in_(family_of(units, account.unit, in_vietnam(now).date())))
    if unit is not None:
        family = family_of(units, unit, in_vietnam(now).date())
        wanted.append(or_(TicketRow.forwarded_to.in_(family), TicketRow.unit.in_(family)))
    if subject is not None:
        wanted.append(TicketRow.subject == subject)
    if mine:
        wanted.append(TicketRow.taken_by == account.id)
    rows = await session.scalars(select(TicketRow).where(and_(*wanted)).order_by(*_order(states)).limit(limit))
    return await _views(session, rows.all(), units, now)


def _order(states: Collection[State]) -> tuple[Any, ...]:
    if not OPEN.intersection(states):
        return (TicketRow.id.desc(),)
    rank = case({one.value: one.rank for one in Priority}, value=TicketRow.priority)
    return (rank.desc(), TicketRow.due_at, TicketRow.id)


async def load_ticket_for(session: AsyncSession, code: TicketCode, account: Account, *, now: datetime) -> TicketDetail:
    """All of one ticket, with what the reader may do with it. Raises TicketNotFound, NotAllowed.

    A ticket of another unit is not found, so that codes can't be tried out. Reading is written to the audit log.
    """
    check_may(account, Action.READ)
    row = await session.scalar(select(TicketRow).where(TicketRow.code == code))
    if row is None:
        raise TicketNotFound
    units = await load_units(session)
    try:
        check_may_with(account, Action.READ, row.forwarded_to, family_of(units, account.unit, in_vietnam(now).date()))
    except NotAllowed:
        raise TicketNotFound from None
    await _audit_reading(session, row, account, now)
    holder = await find_holder(session, row.conversation_id)
    holds = holder is not None and holder.account == account.id
    return TicketDetail(
        ticket=ticket_of(row),
        view=(await _views(session, [row], units, now))[0],
        phone=row.phone,
        candidates=tuple(row.candidates),
        answer=row.answer,
        events=await _load_events(session, row),
        notes=await _load_notes(session, row),
        holder=holder,
        may=plan_actions(account, row.state, holds=holds, is_held=holder is not None),
    )


async def load_tickets_of(
    session: AsyncSession, conversation: ConversationId, account: Account, *, now: datetime
) -> list[TicketView]:
    """Every ticket of one conversation that the reader may see, newest first, closed ones too. Raises NotAllowed."""
    check_may(account, Action.READ)
    units = await load_units(session)
    wanted: list[ColumnElement[bool]] = [TicketRow.conversation_id == conversation]
    if account.role is Role.UNIT_OFFICER:
        wanted.append(TicketRow.forwarded_to.in_(family_of(units, account.unit, in_vietnam(now).date())))
    rows = await session.scalars(select(TicketRow).where(and_(*wanted)).order_by(TicketRow.id.desc()))
    return await _views(session, rows.all(), units, now)


async def ticket_status_for_citizen(
    session: AsyncSession, code: TicketCode, conversation: ConversationId | None, *, now: datetime
) -> PublicStatus:
    """How far a ticket is, for whoever knows its code: nothing about the person or the question. Raises TicketNotFound.

    The answer itself is told only in the `conversation` that the ticket came from.
    """
    row = await session.scalar(select(TicketRow).where(TicketRow.code == code))
    if row is None:
        raise TicketNotFound
    unit = unit_today(await load_units(session), row.forwarded_to, in_vietnam(now).date())
    return PublicStatus(
        code=row.code,
        state=row.state,
        state_vi=STATE_VI[row.state],
        kind_vi=KIND_VI[row.kind],
        unit_name=unit.name if unit else None,
        created_at=row.created_at,
        promised_at=row.promised_at,
        closed_at=row.closed_at,
        answer=row.answer if conversation is not None and conversation == row.conversation_id else None,
    )


async def load_unanswered(session: AsyncSession, account: Account, *, limit: int = 100) -> list[UnansweredQuestion]:
    """Questions that no entry answers and that nobody has taught yet, newest first. Raises NotAllowed."""
    check_may(account, Action.TEACH)
    joined = exists().where(
        TicketEventRow.ticket_id == TicketRow.id,
        TicketEventRow.what == "question_added",
        TicketEventRow.fields["reason"].astext.in_(_REASONS),
    )
    rows = (
        await session.scalars(
            select(TicketRow)
            .where(TicketRow.taught_at.is_(None), or_(TicketRow.reason.in_(UNANSWERED_REASONS), joined))
            .order_by(TicketRow.id.desc())
            .limit(limit)
        )
    ).all()
    subjects = await load_subjects(session)
    further = await _load_further(session, [row.id for row in rows])
    return [_unanswered(row, subjects, further.get(row.id, ())) for row in rows]


def _unanswered(
    row: TicketRow, subjects: Mapping[SubjectId, Subject], further: Sequence[TicketEventRow]
) -> UnansweredQuestion:
    """The questions of one ticket that lack an entry: the first one, and those that joined."""
    own = [row.question] if row.reason in UNANSWERED_REASONS else []
    candidates = list(row.candidates) if own else [one for event in further for one in event.fields["candidates"]]
    return UnansweredQuestion(
        ticket=row.id,
        code=row.code,
        questions=tuple(own + [event.fields["question"] for event in further]),
        reason=row.reason,
        subject=row.subject,
        subject_name=subjects[row.subject].name if row.subject is not None else None,
        unit=row.unit,
        created_at=row.created_at,
        candidates=tuple(candidates),
        answer=row.answer,
        state=row.state,
    )


async def _load_further(session: AsyncSession, tickets: Sequence[TicketId]) -> dict[TicketId, list[TicketEventRow]]:
    rows = await session.scalars(
        select(TicketEventRow)
        .where(
            TicketEventRow.ticket_id.in_(tickets),
            TicketEventRow.what == "question_added",
            TicketEventRow.fields["reason"].astext.in_(_REASONS),
        )
        .order_by(TicketEventRow.id)
    )
    found: dict[TicketId, list[TicketEventRow]] = {}
    for row in rows:
        found.setdefault(row.ticket_id, []).append(row)
    return found


async def _load_events(session: AsyncSession, row: TicketRow) -> tuple[TicketEvent, ...]:
    found = await session.execute(
        select(TicketEventRow, AccountRow.display_name)
        .outerjoin(AccountRow, AccountRow.id == TicketEventRow.account_id)
        .where(TicketEventRow.ticket_id == row.id)
        .order_by(TicketEventRow.id)
    )
    return tuple(TicketEvent(event.what, name, event.at, event.fields) for event, name in found)


async def _load_notes(session: AsyncSession, row: TicketRow) -> tuple[Note, ...]:
    found = await session.execute(
        select(NoteRow, AccountRow.display_name)
        .join(AccountRow, AccountRow.id == NoteRow.account_id)
        .where(NoteRow.ticket_id == row.id)
        .order_by(NoteRow.id)
    )
    return tuple(Note(name, note.text, note.at) for note, name in found)


async def _audit_reading(session: AsyncSession, row: TicketRow, account: Account, now: datetime) -> None:
    lately = exists().where(
        AuditRow.ticket_id == row.id,
        AuditRow.account_id == account.id,
        AuditRow.what == "read",
        AuditRow.at > now - READ_AGAIN_AFTER,
    )
    if not await session.scalar(select(lately)):
        await audit(session, "read", account, now, ticket=row.id, conversation=row.conversation_id)


async def _views(
    session: AsyncSession, rows: Sequence[TicketRow], units: Mapping[UnitCode, Unit], now: datetime
) -> list[TicketView]:
    subjects = await load_subjects(session)
    takers = {row.taken_by for row in rows if row.taken_by is not None}
    found = await session.execute(select(AccountRow.id, AccountRow.display_name).where(AccountRow.id.in_(takers)))
    names = {account: name for account, name in found}
    return [_view(row, units, subjects, names, now) for row in rows]


def _view(
    row: TicketRow,
    units: Mapping[UnitCode, Unit],
    subjects: Mapping[SubjectId, Subject],
    names: Mapping[AccountId, str],
    now: datetime,
) -> TicketView:
    today = in_vietnam(now).date()
    unit, forwarded_to = unit_today(units, row.unit, today), unit_today(units, row.forwarded_to, today)
    return TicketView(
        id=row.id,
        code=row.code,
        kind=row.kind,
        state=row.state,
        priority=row.priority,
        reason=row.reason,
        conversation=row.conversation_id,
        question=row.question,
        subject=row.subject,
        subject_name=subjects[row.subject].name if row.subject is not None else None,
        unit=unit.code if unit else None,
        unit_name=unit.short_name if unit else None,
        forwarded_to=forwarded_to.code if forwarded_to else None,
        forwarded_to_name=forwarded_to.short_name if forwarded_to else None,
        taken_by=row.taken_by,
        taken_by_name=names[row.taken_by] if row.taken_by is not None else None,
        place=row.place,
        created_at=row.created_at,
        promised_at=row.promised_at,
        due_at=row.due_at,
        is_overdue=ticket_of(row).is_overdue(now),
    )
