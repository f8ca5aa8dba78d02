"""What a citizen's tickets keep after erasure: that there was a matter, and what we did; not their words."""

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contracts.ids import ConversationId
from handoff.journal import lock_conversation
from handoff.tables import NoteRow, TicketEventRow, TicketRow

ERASED = "(đã xoá theo yêu cầu)"


async def erase_conversation(session: AsyncSession, conversation: ConversationId) -> None:
    """Erase questions, phone numbers, places, answers and notes of every ticket of this conversation."""
    await lock_conversation(session, conversation)
    tickets = select(TicketRow.id).where(TicketRow.conversation_id == conversation).scalar_subquery()
    await session.execute(
        update(TicketEventRow)
        .where(TicketEventRow.ticket_id.in_(tickets))
        .values(fields=TicketEventRow.fields.op("-")(text("array['question', 'candidates', 'text', 'why']")))
    )
    await session.execute(update(NoteRow).where(NoteRow.ticket_id.in_(tickets)).values(text=ERASED))
    await session.execute(
        update(TicketRow)
        .where(TicketRow.conversation_id == conversation)
        .values(question=ERASED, phone=None, place=None, candidates=[], answer=None)
    )
