"""What our people do in a conversation: read it, answer in it, give it back. One transaction each.

Rights are checked in handoff; the words leave through the outbox like the bot's own.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now, say_moment
from bot.base.db import Database
from bot.base.notify import notify
from bot.contracts.errors import NotFound, Refused
from bot.contracts.ids import Channel, ConversationId, EntryId, MessageId, TicketCode, TicketId
from bot.contracts.messages import Author, Choice, DeliveryState, Reply
from bot.conversation.tables import ConversationRow, DecisionRow, MessageRow
from bot.outbox.post import Outbox
from handoff import desk, hold
from handoff.account import Account
from handoff.rights import Action, check_may
from handoff.tables import AccountRow
from handoff.ticket import Outcome, Ticket
from handoff.units import load_units

MAX_REPLY = 10_000


@dataclass(frozen=True, slots=True)
class MessageView:
    """One line of a conversation as the console shows it."""

    id: MessageId
    author: Author
    by: str | None
    """Display name of the colleague who wrote it."""
    kind: str
    text: str
    choices: tuple[Choice, ...]
    attachments: tuple[dict[str, Any], ...]
    location: tuple[float, float] | None
    ticket: TicketCode | None
    entry: EntryId | None
    helpful: bool | None
    created_at: datetime
    status: DeliveryState | None
    """Of an outbound message."""
    failure: str | None
    outside: bool
    """Written in the platform's own inbox."""
    outcome: str | None
    """Of an inbound message: what the bot decided."""


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation's head."""

    id: ConversationId
    channel: Channel
    citizen_name: str | None
    phone: str | None
    last_inbound_at: datetime | None
    same_person: tuple[ConversationId, ...]
    """Other conversations that an operator linked to this person."""


@dataclass(frozen=True, slots=True)
class Why:
    """The evidence of one decision, for "vì sao"."""

    message: MessageId
    outcome: str
    intent: str | None
    evidence: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StaffDesk:
    """Operators' and officers' work that reaches the citizen."""

    database: Database
    outbox: Outbox

    async def conversation(self, conversation: ConversationId) -> ConversationView:
        """Head of a conversation. Raises NotFound."""
        async with self.database.transaction() as session:
            row = await session.get(ConversationRow, conversation)
            if row is None:
                raise NotFound(what="hội thoại")
            others = (
                await session.scalars(
                    select(ConversationRow.id).where(ConversationRow.person == row.person, ConversationRow.id != row.id)
                )
                if row.person
                else ()
            )
            return ConversationView(
                row.id, Channel(row.channel), row.citizen_name, row.phone, row.last_inbound_at, tuple(others)
            )

    async def history(self, conversation: ConversationId, *, after: int = 0, limit: int = 200) -> list[MessageView]:
        """The messages after `after`, oldest first; with `after` 0 the latest `limit`."""
        async with self.database.transaction() as session:
            wanted = (
                select(MessageRow, AccountRow.display_name, DecisionRow.outcome)
                .outerjoin(AccountRow, AccountRow.id == MessageRow.account)
                .outerjoin(DecisionRow, DecisionRow.message == MessageRow.id)
                .where(MessageRow.conversation_id == conversation)
            )
            if after:
                rows = list(await session.execute(wanted.where(MessageRow.id > after).order_by(MessageRow.id)))
            else:
                rows = list(await session.execute(wanted.order_by(MessageRow.id.desc()).limit(limit)))[::-1]
            return [_view(row, name, outcome) for row, name, outcome in rows]

    async def why(self, message: MessageId) -> Why | None:
        """Why the bot did what it did with an inbound message."""
        async with self.database.transaction() as session:
            row = await session.get(DecisionRow, message)
            return Why(row.message, row.outcome, row.intent, row.evidence, row.created_at) if row else None

    async def take_over(self, conversation: ConversationId, by: Account) -> Ticket:
        """The bot falls silent. Raises AlreadyTaken."""
        async with self.database.transaction() as session:
            return await hold.take_over(session, conversation, by, now=now())

    async def reply(self, conversation: ConversationId, by: Account, text: str) -> MessageId:
        """The holder writes to the citizen. Raises AlreadyTaken, NotHeld, NotAllowed, Refused."""
        said = _checked(text)
        async with self.database.transaction() as session:
            await hold.check_may_reply(session, conversation, by)
            message = await self.outbox.post(session, conversation, Reply(said), author=Author.OPERATOR, account=by.id)
            await hold.record_reply(session, conversation, by, message, now=now())
            return message

    async def hand_back(self, conversation: ConversationId, by: Account) -> Ticket:
        """The bot speaks again; what was offered before is forgotten."""
        async with self.database.transaction() as session:
            ticket = await hold.hand_back(session, conversation, by, now=now())
            await session.execute(
                update(ConversationRow)
                .where(ConversationRow.id == conversation)
                .values(last_choices=[], answered_outside_at=None)
            )
            return ticket

    async def answer_ticket(self, ticket: TicketId, by: Account, text: str) -> MessageId:
        """A unit officer answers later; the citizen gets it on the channel they wrote from."""
        said = _checked(text)
        async with self.database.transaction() as session:
            answered = await desk.record_answer(session, ticket, by, text=said, now=now())
            units = await load_units(session)
            unit = units[by.unit].name if by.unit and by.unit in units else by.display_name
            reply = Reply(f"Trả lời phiếu {answered.code}:\n{said}\n\n— {unit}.", ticket=answered.code)
            return await self.outbox.post(session, answered.conversation, reply, author=Author.OPERATOR, account=by.id)

    async def promise(self, ticket: TicketId, by: Account, at: datetime) -> MessageId:
        """Promise an answer by `at` (hẹn trả lời sau) and tell the citizen."""
        async with self.database.transaction() as session:
            promised = await desk.promise(session, ticket, by, at=at, now=now())
            reply = Reply(
                f"Phiếu {promised.code} đang được xem xét. Đơn vị hẹn trả lời bạn chậm nhất {say_moment(at)}.",
                ticket=promised.code,
            )
            return await self.outbox.post(session, promised.conversation, reply, author=Author.OPERATOR, account=by.id)

    async def close(self, ticket: TicketId, by: Account, outcome: Outcome) -> Ticket:
        """Close a ticket; whoever held its conversation lets go."""
        async with self.database.transaction() as session:
            return await desk.close(session, ticket, by, outcome=outcome, now=now())

    async def send_again(self, message: MessageId, by: Account) -> bool:
        """Try a message again that could not be sent. False if it is not in such a state.

        Only the holder sends a person's words again; the bot's, anybody at the desk. Raises NotFound, NotAllowed, …
        """
        check_may(by, Action.REPLY)
        async with self.database.transaction() as session:
            row = await session.get(MessageRow, message)
            if row is None:
                raise NotFound(what="tin nhắn")
            if row.author == Author.OPERATOR:
                await hold.check_may_reply(session, row.conversation_id, by)
            return await self.outbox.retry(session, message)

    async def link_person(self, one: ConversationId, other: ConversationId, by: Account) -> None:
        """Two conversations are the same person's; history is shown together. Raises NotFound, NotAllowed."""
        check_may(by, Action.TRIAGE)
        async with self.database.transaction() as session:
            await link(session, one, other)


async def link(session: AsyncSession, one: ConversationId, other: ConversationId) -> None:
    """Give both conversations, and all linked to either, one person number: the lowest conversation id."""
    rows = [await session.get(ConversationRow, each, with_for_update=True) for each in sorted({one, other})]
    found = [row for row in rows if row is not None]
    if len(found) != 2:
        raise NotFound(what="hội thoại")
    persons = {row.person for row in found if row.person is not None}
    number = min([*persons, *(row.id for row in found)])
    await session.execute(
        update(ConversationRow)
        .where(ConversationRow.id.in_([row.id for row in found]) | ConversationRow.person.in_(persons))
        .values(person=number)
    )
    for row in found:
        await notify(session, "conversation", conversation=row.id, receipt=True)


def _checked(text: str) -> str:
    said = text.strip()
    if not said:
        raise Refused(problem="Nội dung trả lời không được để trống.")
    if len(said) > MAX_REPLY:
        raise Refused(problem=f"Nội dung quá dài (tối đa {MAX_REPLY} ký tự).")
    return said


def _view(row: MessageRow, name: str | None, outcome: str | None) -> MessageView:
    location = row.extra.get("location")
    return MessageView(
        id=row.id,
        author=Author(row.author),
        by=name,
        kind=row.kind,
        text=row.text,
        choices=tuple(Choice(one["title"], one["payload"]) for one in row.choices),
        attachments=tuple(row.attachments),
        location=(location["latitude"], location["longitude"]) if location else None,
        ticket=TicketCode(row.ticket) if row.ticket else None,
        entry=EntryId(row.entry) if row.entry else None,
        helpful=row.helpful,
        created_at=row.created_at,
        status=DeliveryState(row.status) if row.status else None,
        failure=row.failure,
        outside=bool(row.extra.get("outside")),
        outcome=outcome,
    )
