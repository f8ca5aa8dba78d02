"""Messages that are told by phone because the channel does not carry them: who is to call, and what came of it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.contracts.errors import Conflict, NotFound
from bot.contracts.ids import ConversationId, MessageId
from handoff.account import Account
from handoff.call import Call, CallOutcome
from handoff.journal import audit
from handoff.rights import Action, check_may
from handoff.tables import AccountRow, CallRow


class AlreadyTold(Conflict):
    """The citizen has heard it on the phone."""

    code, vi = "call.already_told", "Nội dung này đã được báo qua điện thoại."


async def ask_for_call(
    session: AsyncSession, message: MessageId, conversation: ConversationId, by: Account, *, now: datetime
) -> None:
    """`message` is to be told by phone. Asking again changes nothing. Raises NotAllowed."""
    check_may(by, Action.CALL)
    new = await session.scalar(
        insert(CallRow)
        .values(message_id=message, conversation_id=conversation, asked_by=by.id, asked_at=now, tries=0)
        .on_conflict_do_nothing(index_elements=["message_id"])
        .returning(CallRow.message_id)
    )
    if new is not None:
        await audit(session, "call_asked", by, now, conversation=conversation, message=message)


async def record_call(
    session: AsyncSession, message: MessageId, by: Account, outcome: CallOutcome, *, now: datetime
) -> None:
    """Somebody called. Raises NotAllowed, NotFound when no call was asked for, AlreadyTold after one that succeeded."""
    check_may(by, Action.CALL)
    row = await session.get(CallRow, message, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(what="cuộc gọi")
    if row.outcome is CallOutcome.TOLD:
        raise AlreadyTold
    row.outcome, row.called_by, row.called_at = outcome, by.id, now
    row.tries += outcome is CallOutcome.UNREACHED
    await audit(session, "called", by, now, conversation=row.conversation_id, message=message, outcome=outcome.value)


async def check_not_told(session: AsyncSession, message: MessageId) -> None:
    """Raises AlreadyTold: what was told by phone is not sent as well."""
    row = await session.get(CallRow, message)
    if row is not None and row.outcome is CallOutcome.TOLD:
        raise AlreadyTold


async def load_calls(session: AsyncSession, messages: Collection[MessageId]) -> dict[MessageId, Call]:
    """The calls about these messages."""
    caller = aliased(AccountRow)
    rows = await session.execute(
        select(CallRow, AccountRow.display_name, caller.display_name)
        .join(AccountRow, AccountRow.id == CallRow.asked_by)
        .outerjoin(caller, caller.id == CallRow.called_by)
        .where(CallRow.message_id.in_(messages))
    )
    return {
        row.message_id: Call(row.message_id, asked_by, row.asked_at, row.outcome, name, row.called_at, row.tries)
        for row, asked_by, name in rows
    }
