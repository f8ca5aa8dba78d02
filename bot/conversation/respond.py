"""From a decision to what the citizen reads: the department's answer, choices, or a ticket and a promised time."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import in_vietnam, now
from bot.contracts.errors import NotFound
from bot.contracts.ids import EntryId
from bot.contracts.messages import Choice, Reply
from bot.conversation import texts
from bot.conversation.choices import PERSON, entry_payload, still_open
from bot.conversation.emergency import Emergency, EmergencyKind
from bot.conversation.turn import Turn
from faq.decide import Answer, Answers, Candidate, Decision, HandOver, OfferChoices
from faq.decide import Reason as SearchReason
from faq.entry import EntryRecord
from faq.store import get_entry, is_retired, load_homes
from handoff.opening import JOINING, find_open_ticket, open_ticket
from handoff.routing import RoutingHint, plan_route
from handoff.ticket import Priority, Reason, State, Ticket, TicketKind
from handoff.units import find_unit_name, load_subjects, load_units, unit_meant

MAX_CHOICE_TITLE = 100

TO_PERSON = Choice(texts.ASK_PERSON, PERSON)
_REASONS = {
    SearchReason.NOTHING_CLOSE: Reason.NOTHING_CLOSE,
    SearchReason.EMPTY_BANK: Reason.NOTHING_CLOSE,
    SearchReason.ASKED_AGAIN: Reason.NOT_HELPFUL,
}


@dataclass(frozen=True, slots=True)
class Response:
    """What to say, and what to remember of it."""

    replies: tuple[Reply, ...]
    outcome: str
    """"answer", "choose", "handover", "dialogue", "emergency", "received", "advert", "silent".

    For logs, metrics and "vì sao".
    """
    evidence: dict[str, Any] = field(default_factory=dict)
    offered: tuple[Choice, ...] = ()
    in_dialogue: bool = False
    question: str | None = None
    """The question to remember for a follow-up."""


async def respond_to(session: AsyncSession, turn: Turn, decision: Decision) -> Response:
    """Carry out a decision; a hand-over opens the ticket in this transaction."""
    evidence = decision.evidence.as_json()
    match decision:
        case Answer(entry=entry):
            reply = answer_reply(entry)
            asked = entry.draft.question if decision.evidence.leans else turn.text
            return Response((reply,), "answer", evidence, question=asked)
        case Answers(parts=parts, unanswered=unanswered, offered=offered, about=about):
            replies = [answer_reply(one.entry) for one in parts]
            left = tuple(choice_for(one) for one in offered if one.id not in turn.unhelpful)
            if left:
                choices = (*left, TO_PERSON)
                replies.append(Reply(texts.choose_left(_bare(about)), choices))
                return Response(tuple(replies), "answer", evidence, choices, question=about)
            unanswered = (*unanswered, about) if about else unanswered
            if unanswered:
                ticket = await hand_over(
                    session, turn, Reason.NOTHING_CLOSE, decision.evidence.candidates, question=" ".join(unanswered)
                )
                replies.append(_handed_over(turn, ticket, asked=_named(unanswered)))
            return Response(tuple(replies), "answer", evidence, question=turn.text)
        case OfferChoices(entries=entries):
            choices = (*(choice_for(entry) for entry in entries), TO_PERSON)
            ask = texts.CHOOSE if len(entries) > 1 else texts.CHOOSE_ONE
            return Response((Reply(ask, choices),), "choose", evidence, choices, question=turn.text)
        case HandOver(reason=SearchReason.NO_WORDS):  # "?", "...": nothing that a person could answer either
            return Response((Reply(texts.NO_QUESTION, (TO_PERSON,)),), "received", evidence, (TO_PERSON,))
        case HandOver(reason=reason):
            ticket = await hand_over(session, turn, _REASONS[reason], decision.evidence.candidates)
            told = _handed_over(turn, ticket, again=reason is SearchReason.ASKED_AGAIN)
            return Response((told,), "handover", evidence, question=turn.text)
        case _:
            assert_never(decision)


def answer_reply(entry: EntryRecord) -> Reply:
    """The entry's approved answer and the unit that wrote it."""
    draft = entry.draft
    text = texts.answered_by(draft.answer, entry.unit_name, draft.confirmed_on, draft.legal_basis)
    return Reply(text, entry=entry.id, ask_helpful=True)


async def answer_chosen(session: AsyncSession, turn: Turn, entry: EntryId) -> Response:
    """The citizen picked an entry. It must still be live and valid today, whoever typed the payload."""
    today = in_vietnam(now()).date()
    try:
        record = await get_entry(session, entry)
        valid = not await is_retired(session, entry) and is_valid(record, today.toordinal())
    except NotFound:
        valid = False
    if not valid:
        return Response((Reply(texts.NO_LONGER, (TO_PERSON,)),), "choose", {"picked": entry}, (TO_PERSON,))
    name = await find_unit_name(session, record.unit)
    reply = answer_reply(replace(record, unit_name=name or record.unit_name))
    left = still_open(turn.offered)
    return Response((reply,), "answer", {"picked": entry}, left, question=record.draft.question)


def is_valid(record: EntryRecord, today: int) -> bool:
    """May this entry be sent on the day with that ordinal?"""
    starts, ends = record.draft.valid_from, record.draft.valid_until
    return (starts is None or starts.toordinal() <= today) and (ends is None or today <= ends.toordinal())


def choice_for(entry: EntryRecord) -> Choice:
    """A button that stands for an entry."""
    title = entry.draft.question
    if len(title) > MAX_CHOICE_TITLE:
        title = title[: MAX_CHOICE_TITLE - 1].rsplit(" ", 1)[0] + "…"
    return Choice(title, entry_payload(entry.id))


async def hand_over(
    session: AsyncSession,
    turn: Turn,
    reason: Reason,
    candidates: Sequence[Candidate] = (),
    *,
    question: str | None = None,
    kind: TicketKind = TicketKind.QUESTION,
    priority: Priority = Priority.NORMAL,
    phone: str | None = None,
    place: str | None = None,
) -> Ticket:
    """A ticket for this message, routed to the subject field and unit that its candidates point to."""
    shown, hints = await _candidates(session, candidates)
    asked = question or turn.text or f"({turn.kind.value})"
    today = in_vietnam(now()).date()
    named = place or turn.place
    units = await load_units(session)
    there = unit_meant(units, named, today) if named else None
    route = plan_route(hints, await load_subjects(session), units, today, place=there.code if there else None)
    return await open_ticket(
        session,
        conversation=turn.conversation,
        message=turn.message,
        question=asked,
        kind=kind,
        reason=reason,
        now=now(),
        candidates=shown,
        subject=route.subject,
        unit=route.unit,
        priority=priority,
        phone=phone or turn.phone,
        place=named,
    )


async def _candidates(
    session: AsyncSession, candidates: Sequence[Candidate]
) -> tuple[list[dict[str, Any]], list[RoutingHint]]:
    shown: list[dict[str, Any]] = []
    hints: list[RoutingHint] = []
    homes = await load_homes(session, [one.entry for one in candidates[:5]])
    for one in candidates[:5]:
        subject, unit = homes[one.entry]
        confidence = round(one.confidence, 4)
        shown.append({"entry": one.entry, "question": one.question, "confidence": confidence, "unit": unit})
        hints.append(RoutingHint(subject, unit, one.confidence))
    return shown, hints


def _named(unanswered: Sequence[str]) -> str | None:
    """The only question that is left, without the number it had in the citizen's list."""
    return _bare(unanswered[0]) if len(unanswered) == 1 else None


def _bare(asked: str) -> str:
    return re.sub(r"^\s*\d{1,2}[.)]\s+", "", asked)


def _handed_over(turn: Turn, ticket: Ticket, *, again: bool = False, asked: str | None = None) -> Reply:
    is_new = ticket.message == turn.message
    text = texts.handed_over(ticket.code, ticket.promised_at, is_new=is_new, again=again, asked=asked)
    return Reply(text, ticket=ticket.code)


async def call_person(session: AsyncSession, turn: Turn, reason: Reason, *, question: str | None = None) -> Response:
    """The citizen asked for a person, or only a person can help. `question`: what it is about, if not the message."""
    ticket = await hand_over(session, turn, reason, question=question)
    reply = Reply(texts.person_called(ticket.code, ticket.promised_at), ticket=ticket.code)
    return Response((reply,), "handover", {"reason": reason.value})


async def let_rest(session: AsyncSession, turn: Turn) -> Response:
    """The citizen needs nothing more: goodbye, and a word to the desk if a question of theirs still waits there."""
    waiting = await find_open_ticket(session, turn.conversation)
    code = None
    if waiting is not None and waiting.state is State.WAITING and waiting.kind in JOINING:
        # With nobody yet: whoever takes it sees this, and decides; perhaps the citizen is only tired of waiting.
        noted = await open_ticket(
            session,
            conversation=turn.conversation,
            message=turn.message,
            question=f"Người dân nhắn không cần trả lời nữa: “{turn.text}”",
            kind=waiting.kind,
            reason=Reason.ASKED_FOR_PERSON,
            now=now(),
        )
        code = noted.code
    return Response((Reply(texts.let_rest(code)),), "received")


_NUMBERS: Mapping[EmergencyKind, str] = {
    EmergencyKind.MEDICAL: (
        "Nếu người bệnh đang nguy cấp, xin gọi NGAY 115 (cấp cứu). Giữ bình tĩnh, để người bệnh nằm nơi thoáng "
        "và có người ở bên cạnh."
    ),
    EmergencyKind.SUICIDE: (
        "Bạn không phải một mình. Nếu bạn hoặc người bên cạnh đang gặp nguy hiểm, xin gọi NGAY 115 (cấp cứu) hoặc 113 "
        "(công an), và ở lại bên một người mà bạn tin cậy."
    ),
    EmergencyKind.FIRE: "Xin gọi NGAY 114 (chữa cháy, cứu nạn). Rời khỏi chỗ nguy hiểm, không quay lại lấy đồ.",
    EmergencyKind.CRIME: "Xin gọi NGAY 113 (công an). Nếu có người bị thương, gọi 115. Hãy tới nơi an toàn trước.",
    EmergencyKind.UNCLEAR: (
        "Nếu có người đang gặp nguy hiểm, xin gọi NGAY: 115 (cấp cứu), 114 (chữa cháy, cứu nạn) hoặc 113 (công an). "
        "Nếu không phải việc khẩn cấp, bạn cứ nhắn tiếp điều cần hỏi."
    ),
}


async def respond_to_emergency(session: AsyncSession, turn: Turn, emergency: Emergency) -> Response:
    """The emergency number first, then a person at once."""
    ticket = await hand_over(session, turn, Reason.EMERGENCY, kind=TicketKind.HELP, priority=Priority.EMERGENCY)
    first = Reply(_NUMBERS[emergency.kind])
    second = Reply(
        f"Cán bộ trực đã được báo khẩn và sẽ trả lời bạn ngay tại đây. Mã phiếu: {ticket.code}. "
        "Nếu được, xin cho biết địa chỉ và số điện thoại của bạn.",
        ticket=ticket.code,
    )
    evidence = {"kind": emergency.kind.value, "matched": emergency.matched}
    return Response((first, second), "emergency", evidence)
