"""What our people do in a conversation: read it, answer in it, give it back. One transaction each.

Rights are checked in handoff; the words leave through the outbox like the bot's own.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now, say_moment
from bot.base.db import Database
from bot.base.notify import notify
from bot.contracts.errors import NotFound, Refused
from bot.contracts.ids import Channel, ConversationId, MessageId, TicketId
from bot.contracts.messages import Author, DeliveryState, Reply
from bot.conversation import people
from bot.conversation.overview import STUCK, MessageView, load_history
from bot.conversation.people import OtherConversation
from bot.conversation.tables import ConversationRow, DecisionRow, MessageRow
from bot.outbox.late import find_late
from bot.outbox.post import Outbox
from handoff import desk, hold
from handoff.account import Account
from handoff.call import CallOutcome
from handoff.calls import ask_for_call, check_not_told, record_call
from handoff.journal import audit
from handoff.rights import Action, check_may
from handoff.ticket import Outcome, Ticket
from handoff.units import load_units

MAX_REPLY = 10_000
UNDECIDED = frozenset({DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.HELD, DeliveryState.UNCERTAIN})
"""May still go out; once the citizen was told by phone it must not."""


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation's head."""

    id: ConversationId
    channel: Channel
    citizen_ref: str
    citizen_name: str | None
    phones: tuple[str, ...]
    """Numbers shared or typed in any conversation of this person, latest first."""
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
            others = await people.same_person(session, conversation)
            return ConversationView(
                id=row.id,
                channel=Channel(row.channel),
                citizen_ref=row.citizen_ref,
                citizen_name=row.citizen_name,
                phones=await people.phones_of(session, (row.id, *others)),
                last_inbound_at=row.last_inbound_at,
                same_person=others,
            )

    async def history(
        self,
        conversation: ConversationId,
        *,
        after: int = 0,
        limit: int = 200,
        together: Collection[ConversationId] = (),
    ) -> list[MessageView]:
        """The messages after `after`, oldest first; with `after` 0 the latest `limit`.

        `together`: other conversations of the same person, whose messages are put between these.
        """
        async with self.database.transaction() as session:
            return await load_history(session, (conversation, *together), after=after, limit=limit)

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
            await check_not_told(session, message)
            return await self.outbox.retry(session, message)

    async def tell_by_phone(self, message: MessageId, by: Account) -> None:
        """What could not be sent is to be told by phone; nothing is shown as sent by this.

        A held message goes on waiting for the citizen: if they write before anybody called, they get it.
        Raises NotFound, NotAllowed, Refused when the message is under way or arrived.
        """
        async with self.database.transaction() as session:
            row = await self._get_stuck(session, message)
            await ask_for_call(session, message, row.conversation_id, by, now=now())
            await self._tell_of_call(session, row)

    async def record_call(self, message: MessageId, by: Account, outcome: CallOutcome) -> None:
        """Somebody phoned. What the citizen was told is not sent any more. Raises NotFound, NotAllowed, AlreadyTold."""
        async with self.database.transaction() as session:
            row = await session.get(MessageRow, message, with_for_update=True)
            if row is None:
                raise NotFound(what="tin nhắn")
            await record_call(session, message, by, outcome, now=now())
            if outcome is CallOutcome.TOLD and row.status in UNDECIDED:
                row.status = DeliveryState.FAILED  # else the citizen's next message, or a retry, would send it as well
            await self._tell_of_call(session, row)

    async def people_like(self, conversation: ConversationId, by: Account) -> list[OtherConversation]:
        """Conversations that may be the same person's: the same phone number. Raises NotFound, NotAllowed."""
        check_may(by, Action.LINK)
        async with self.database.transaction() as session:
            return await people.suggest(session, conversation)

    async def find_people(self, conversation: ConversationId, by: Account, words: str) -> list[OtherConversation]:
        """Other conversations by name, number or ticket code. Raises NotFound, NotAllowed."""
        check_may(by, Action.LINK)
        async with self.database.transaction() as session:
            return await people.search(session, conversation, words)

    async def linked(self, conversation: ConversationId) -> list[OtherConversation]:
        """The other conversations of this person. Raises NotFound."""
        async with self.database.transaction() as session:
            return await people.load_conversations(session, await people.same_person(session, conversation))

    async def link_person(self, one: ConversationId, other: ConversationId, by: Account) -> None:
        """Two conversations are the same person's; history is shown together. Raises NotFound, NotAllowed."""
        check_may(by, Action.LINK)
        async with self.database.transaction() as session:
            await people.link(session, one, other)
            await audit(session, "linked", by, now(), conversation=one, other=other)

    async def unlink_person(self, conversation: ConversationId, by: Account) -> None:
        """This conversation is somebody else's after all. Raises NotFound, NotAllowed."""
        check_may(by, Action.LINK)
        async with self.database.transaction() as session:
            if await people.unlink(session, conversation):
                await audit(session, "unlinked", by, now(), conversation=conversation)

    async def _get_stuck(self, session: AsyncSession, message: MessageId) -> MessageRow:
        row = await session.get(MessageRow, message, with_for_update=True)
        if row is None:
            raise NotFound(what="tin nhắn")
        if row.status not in STUCK and not await find_late(session, [message], now()):
            raise Refused(problem="Tin này đã gửi hoặc đang gửi, không cần gọi điện.")
        return row

    async def _tell_of_call(self, session: AsyncSession, row: MessageRow) -> None:
        await notify(session, "conversation", conversation=row.conversation_id, receipt=True)
        await notify(session, "delivery_trouble", conversation=row.conversation_id, message=row.id)


def _checked(text: str) -> str:
    said = text.strip()
    if not said:
        raise Refused(problem="Nội dung trả lời không được để trống.")
    if len(said) > MAX_REPLY:
        raise Refused(problem=f"Nội dung quá dài (tối đa {MAX_REPLY} ký tự).")
    return said
