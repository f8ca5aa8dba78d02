"""What Rasa's custom actions call (the Protocol in actions/services.py), done with the real rooms.

Each call says what the dialogue should say; the worker that gave the message to Rasa posts it. A call that comes again
for the same message finds its ticket and says the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import in_vietnam, now, say_moment
from bot.base.db import Database
from bot.contracts.errors import NotFound
from bot.contracts.ids import ConversationId, MessageId, TicketCode
from bot.contracts.messages import Reply
from bot.conversation import texts
from bot.conversation.converse import rate_last
from bot.conversation.emergency import by_intent, find_emergency
from bot.conversation.path import without_unhelpful
from bot.conversation.respond import TO_PERSON, call_person, hand_over, respond_to, respond_to_emergency
from bot.conversation.turn import Turn, load_turn
from faq.engine import FaqEngine
from handoff.opening import find_open_ticket
from handoff.reading import ticket_status_for_citizen
from handoff.tables import TicketRow
from handoff.ticket import Reason, TicketKind
from handoff.units import find_unit_by_text, get_hotline, load_units
from handoff.views import PublicStatus

log = structlog.get_logger(__name__)


class FinishedReport(Protocol):
    """A report form as the actions room hands it over."""

    @property
    def kind(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def where(self) -> str: ...
    @property
    def when(self) -> str: ...
    @property
    def photos(self) -> tuple[MessageId, ...]: ...
    @property
    def photo_note(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...


class MessageGone(Exception):
    """Rasa asks about a message that was handled already or never came."""


@dataclass(frozen=True, slots=True)
class ConversationServices:
    """The dialogue's hands."""

    database: Database
    engine: FaqEngine

    async def answer_question(self, message: MessageId, text: str) -> Sequence[Reply]:
        """Search for `text` and say what was decided."""
        async with self.database.transaction() as session:
            turn = await _turn(session, message)
        decision = await self.engine.ask(text, today=in_vietnam(now()).date(), previous=turn.previous, place=turn.place)
        decision = without_unhelpful(decision, turn.unhelpful)
        async with self.database.transaction() as session:
            return (await respond_to(session, turn, decision)).replies

    async def open_ticket(self, message: MessageId, kind: str, *, reason: str) -> Reply:
        """Give the conversation to a person."""
        why = Reason.ASKED_FOR_PERSON if reason == Reason.ASKED_FOR_PERSON else Reason.UNSURE
        async with self.database.transaction() as session:
            turn = await _turn(session, message)
            return (await call_person(session, turn, why)).replies[0]

    async def submit_report(self, message: MessageId, report: FinishedReport) -> Reply:
        """A ticket from a finished form; photos stay with the messages that brought them."""
        lines = [report.what]
        if report.where:
            lines.append(f"Địa điểm: {report.where}")
        if report.when:
            lines.append(f"Thời gian: {report.when}")
        if report.photos or report.photo_note:
            lines.append(f"Hình ảnh: {report.photo_note or f'{len(report.photos)} ảnh trong hội thoại'}")
        async with self.database.transaction() as session:
            turn = await _turn(session, message)
            ticket = await hand_over(
                session,
                turn,
                Reason.FORM,
                question="\n".join(lines),
                kind=TicketKind(str(report.kind)),
                phone=report.phone,
                place=report.where or None,
            )
            units = await load_units(session)
            unit = units[ticket.unit].name if ticket.unit and ticket.unit in units else None
        return Reply(texts.report_taken(ticket.code, ticket.promised_at, unit), ticket=ticket.code)

    async def ticket_status(self, message: MessageId, code: str | None) -> Reply:
        """Where a ticket stands; without a code, the conversation's own latest."""
        async with self.database.transaction() as session:
            turn = await _turn(session, message)
            wanted = TicketCode(code.upper()) if code else await _latest_code(session, turn.conversation)
            if wanted is None:
                return Reply("Bạn cho Tổng đài xin mã phiếu (dạng TH-XXXXX) để tra cứu nhé.")
            try:
                status = await ticket_status_for_citizen(session, wanted, turn.conversation, now=now())
            except NotFound:
                return Reply(
                    f"Không tìm thấy phiếu {wanted}. Bạn vui lòng kiểm tra lại mã, hoặc bấm “{texts.ASK_PERSON}”.",
                    (TO_PERSON,),
                )
        return Reply(say_status(status), ticket=status.code)

    async def unit_contact(self, message: MessageId, unit_text: str | None) -> Reply:
        """Phone and address of the unit that the citizen's words name."""
        today = in_vietnam(now()).date()
        async with self.database.transaction() as session:
            turn = await _turn(session, message)
            unit = await find_unit_by_text(session, unit_text or turn.text, today)
            if unit is None:
                return Reply(
                    "Bạn cần liên hệ cơ quan nào (ví dụ: Sở Y tế, CDC, UBND phường Hạc Thành)? "
                    "Tổng đài 1022 trực 24/7: gọi 1022, hoặc 02371022 từ di động và ngoài tỉnh.",
                    (TO_PERSON,),
                )
            hotline, own = await get_hotline(session, unit, today)
        if own:
            text = f"{unit.name}: đường dây nóng {hotline}."
        else:
            text = f"{unit.name}: xin gọi {hotline or '1022'}, cán bộ trực sẽ nối máy tới đơn vị."
        hours = f" Giờ làm việc: {unit.hours}." if unit.hours else ""
        email = f" Thư điện tử: {unit.email}." if unit.email else ""
        return Reply(text + hours + email)

    async def emergency(self, message: MessageId, text: str) -> Sequence[Reply]:
        """The emergency number first, then a person at once."""
        found = find_emergency(text) or by_intent(text)
        async with self.database.transaction() as session:
            turn = await _turn(session, message)
            return (await respond_to_emergency(session, turn, found)).replies

    async def record_helpful(self, message: MessageId, helped: bool) -> Reply:
        """Did the last answer help?"""
        async with self.database.transaction() as session:
            turn = await _turn(session, message)
            return (await rate_last(session, turn, helped=helped)).replies[0]


def say_status(status: PublicStatus) -> str:
    """A ticket's state in a sentence or two."""
    unit = f" tại {status.unit_name}" if status.unit_name else ""
    text = f"Phiếu {status.code}: {status.state_vi}{unit}. Tiếp nhận lúc {say_moment(status.created_at)}."
    if status.answer:
        return f"{text}\nTrả lời: {status.answer}"
    if status.closed_at is None:
        text += f" Hẹn trả lời chậm nhất {say_moment(status.promised_at)}."
    return text


async def _turn(session: AsyncSession, message: MessageId) -> Turn:
    turn = await load_turn(session, message, now())
    if turn is None:
        raise MessageGone(f"message {message}")
    return turn


async def _latest_code(session: AsyncSession, conversation: ConversationId) -> TicketCode | None:
    open_one = await find_open_ticket(session, conversation)
    if open_one:
        return open_one.code
    return await session.scalar(
        select(TicketRow.code).where(TicketRow.conversation_id == conversation).order_by(TicketRow.id.desc()).limit(1)
    )
