"""What one shift tells the next, and texts that operators send often."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.notify import notify
from bot.contracts.errors import Refused
from handoff.account import Account
from handoff.journal import audit
from handoff.rights import Action, check_may
from handoff.tables import AccountRow, CannedReplyRow, ShiftNoteRow
from handoff.views import ShiftNote


@dataclass(frozen=True, slots=True)
class CannedReply:
    """A text that operators send often."""

    title: str
    text: str


async def add_shift_note(session: AsyncSession, by: Account, *, text: str, now: datetime) -> None:
    """Leave a note for those who come after. Raises NotAllowed, Refused if it is blank."""
    check_may(by, Action.TAKE_OVER)
    if not text.strip():
        raise Refused(problem="Ghi chú giao ca đang để trống.")
    session.add(ShiftNoteRow(account_id=by.id, text=text.strip(), at=now))
    await session.flush()
    await audit(session, "shift_note_added", by, now)
    await notify(session, "shift_notes")


async def load_shift_notes_for(session: AsyncSession, account: Account, *, limit: int = 20) -> list[ShiftNote]:
    """The latest notes, newest first. Raises NotAllowed for those who don't sit at the desk."""
    check_may(account, Action.TAKE_OVER)
    found = await session.execute(
        select(ShiftNoteRow, AccountRow.display_name)
        .join(AccountRow, AccountRow.id == ShiftNoteRow.account_id)
        .order_by(ShiftNoteRow.id.desc())
        .limit(limit)
    )
    return [ShiftNote(name, note.text, note.at) for note, name in found]


async def load_canned_replies(session: AsyncSession) -> list[CannedReply]:
    """Texts that operators send often, by title."""
    rows = await session.scalars(select(CannedReplyRow).order_by(CannedReplyRow.title))
    return [CannedReply(row.title, row.text) for row in rows]
