"""Who holds a conversation. The primary key of `holds` is the rule: one conversation, one holder.

While somebody holds it the bot is silent; only the holder may write to the citizen.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.notify import notify
from bot.contracts.errors import Conflict, NotAllowed, NotFound
from bot.contracts.ids import AccountId, ConversationId, MessageId
from handoff.account import Account
from handoff.journal import audit, lock_conversation, record, ticket_of
from handoff.opening import insert_ticket
from handoff.rights import OVERSEERS, RIGHTS, Action, check_may
from handoff.tables import AccountRow, HoldRow, TicketRow
from handoff.ticket import AT_DESK, OPEN, Move, Reason, State, Ticket, TicketKind, plan_move
from handoff.views import Holder

IDLE = timedelta(hours=8)
"""After so long without a reply the bot speaks again: the operator forgot to hand back."""


class AlreadyTaken(Conflict):
    """Another person of ours holds this conversation."""

    code, vi = "conversation.already_taken", "Hội thoại này đang do {name} tiếp quản."


class NotHeld(Conflict):
    """Nobody holds this conversation, so nobody may reply in it."""

    code, vi = "conversation.not_held", "Hãy tiếp quản hội thoại trước khi trả lời."


async def find_holder(session: AsyncSession, conversation: ConversationId) -> Holder | None:
    """Who holds the conversation now; None while it is the bot's."""
    found = (
        await session.execute(
            select(HoldRow, AccountRow.display_name)
            .join(AccountRow, AccountRow.id == HoldRow.account_id)
            .where(HoldRow.conversation_id == conversation)
        )
    ).one_or_none()
    if found is None:
        return None
    hold, name = found
    return Holder(hold.conversation_id, hold.account_id, name, hold.ticket_id, hold.since)


async def take_over(session: AsyncSession, conversation: ConversationId, by: Account, *, now: datetime) -> Ticket:
    """`by` holds the conversation from now on, and has every ticket of it that lay at the desk.

    Returns the most urgent of these tickets, or a new one if the citizen has none open. Taking over what one already
    holds changes nothing. Raises AlreadyTaken with the holder's name, NotAllowed.
    """
    check_may(by, Action.TAKE_OVER)
    await lock_conversation(session, conversation)
    if holder := await find_holder(session, conversation):
        if holder.account != by.id:
            raise AlreadyTaken(name=holder.display_name)
        return ticket_of(await session.get_one(TicketRow, holder.ticket))
    open_rows = await _lock_open(session, conversation)
    taken = [row for row in open_rows if _is_at_desk(row)]
    for row in taken:
        row.state, row.taken_by = plan_move(row.state, Move.TAKE_OVER), by.id
        await record(session, row, Move.TAKE_OVER, by, now)
    if taken or open_rows:
        first = (taken or open_rows)[0]
    else:
        first = await insert_ticket(
            session,
            conversation=conversation,
            question="",
            kind=TicketKind.QUESTION,
            reason=Reason.TAKEN_OVER,
            now=now,
            taken_by=by,
        )
    session.add(HoldRow(conversation_id=conversation, account_id=by.id, ticket_id=first.id, since=now))
    await session.flush()
    if not taken:
        await record(session, first, Move.TAKE_OVER, by, now)
    return ticket_of(first)


async def check_may_reply(session: AsyncSession, conversation: ConversationId, by: Account) -> Holder:
    """Raises AlreadyTaken, NotHeld or NotAllowed unless `by` holds the conversation.

    It stays held until this transaction ends, so a reply can't slip out after somebody else took over.
    """
    check_may(by, Action.REPLY)
    await lock_conversation(session, conversation)
    holder = await find_holder(session, conversation)
    if holder is None:
        raise NotHeld
    if holder.account != by.id:
        raise AlreadyTaken(name=holder.display_name)
    return holder


async def record_reply(
    session: AsyncSession, conversation: ConversationId, by: Account, message: MessageId, *, now: datetime
) -> None:
    """The holder wrote `message` to the citizen. Raises like `check_may_reply`."""
    holder = await check_may_reply(session, conversation, by)
    hold = await session.get_one(HoldRow, conversation, populate_existing=True)
    hold.last_reply_at = now
    for row in await _lock_open(session, conversation):
        if row.taken_by == by.id or row.id == holder.ticket:
            row.first_reply_at = row.first_reply_at or now
    row = await session.get_one(TicketRow, holder.ticket)
    await record(session, row, "replied", by, now, fields={"message": message})


async def hand_back(session: AsyncSession, conversation: ConversationId, by: Account, *, now: datetime) -> Ticket:
    """The bot speaks again. What the holder had in progress is answered if the holder replied, and waits again if not.

    The holder does this, or a supervisor. Returns the ticket that the hold was about. Raises NotHeld, AlreadyTaken.
    """
    check_may(by, Action.HAND_BACK)
    await lock_conversation(session, conversation)
    holder = await find_holder(session, conversation)
    if holder is None:
        raise NotHeld
    if holder.account != by.id and by.role not in OVERSEERS:
        raise AlreadyTaken(name=holder.display_name)
    return await _release(session, holder, by, now)


async def take_from(
    session: AsyncSession, conversation: ConversationId, by: Account, to: AccountId, *, now: datetime
) -> Ticket:
    """A supervisor gives a held conversation to somebody else, or takes it. Raises NotHeld, NotAllowed, NotFound."""
    check_may(by, Action.REASSIGN)
    await lock_conversation(session, conversation)
    hold = await session.get(HoldRow, conversation, populate_existing=True)
    if hold is None:
        raise NotHeld
    heir = await session.get(AccountRow, to)
    if heir is None:
        raise NotFound(what="tài khoản")
    if not heir.active or Action.REPLY not in RIGHTS[heir.role]:
        raise NotAllowed
    before = hold.account_id
    hold.account_id, hold.since = to, now
    for row in await _lock_open(session, conversation):
        if row.taken_by == before:
            row.taken_by = to
    ticket = await session.get_one(TicketRow, hold.ticket_id)
    await record(session, ticket, "reassigned", by, now, fields={"from": before, "to": to})
    return ticket_of(ticket)


async def release_idle(session: AsyncSession, *, now: datetime, idle: timedelta = IDLE) -> list[ConversationId]:
    """Hand back every conversation whose holder has not written for `idle`; a periodic job calls it."""
    stale = (
        await session.scalars(
            select(HoldRow.conversation_id)
            .where(func.greatest(HoldRow.since, HoldRow.last_reply_at) < now - idle)
            .order_by(HoldRow.conversation_id)
        )
    ).all()
    released = []
    for conversation in stale:
        await lock_conversation(session, conversation)
        if holder := await find_holder(session, conversation):
            await _release(session, holder, None, now)
            released.append(conversation)
    return released


async def drop_hold(session: AsyncSession, row: TicketRow, by: Account, now: datetime) -> None:
    """`row` left its holder's hands: the hold goes on for another ticket in progress, or the bot speaks again."""
    hold = await session.get(HoldRow, row.conversation_id, populate_existing=True)
    if hold is None or hold.ticket_id != row.id:
        return
    others = [one for one in await _lock_open(session, row.conversation_id) if one.state is State.IN_PROGRESS]
    if others:
        hold.ticket_id = others[0].id
    else:
        await session.delete(hold)
        await audit(session, "released", by, now, conversation=row.conversation_id)
    await session.flush()


async def _release(session: AsyncSession, holder: Holder, by: Account | None, now: datetime) -> Ticket:
    hold = await session.get_one(HoldRow, holder.conversation, populate_existing=True)
    replied = hold.last_reply_at is not None
    for row in await _lock_open(session, holder.conversation):
        if row.state is State.IN_PROGRESS:
            move = Move.ANSWER if replied else Move.HAND_BACK
            row.state = plan_move(row.state, move)
            row.taken_by = row.taken_by if replied else None
            await record(session, row, Move.HAND_BACK, by, now, fields={"answered": replied})
    await session.delete(hold)
    await session.flush()
    if by is not None:
        await audit(session, "released", by, now, conversation=holder.conversation, ticket=holder.ticket)
    await notify(session, "tickets", ticket=holder.ticket, what="released")
    await notify(session, "conversation", conversation=holder.conversation)
    return ticket_of(await session.get_one(TicketRow, holder.ticket))


async def _lock_open(session: AsyncSession, conversation: ConversationId) -> list[TicketRow]:
    """The conversation's open tickets, most urgent first, ours alone until the transaction ends."""
    rows = await session.scalars(
        select(TicketRow)
        .where(TicketRow.conversation_id == conversation, TicketRow.state.in_(OPEN))
        .order_by(TicketRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return sorted(rows, key=lambda row: (-row.priority.rank, row.id))


def _is_at_desk(row: TicketRow) -> bool:
    """Must the desk act next? A promise that no unit has to keep is the desk's own."""
    return row.state in AT_DESK or (row.state is State.PROMISED and row.forwarded_to is None)
