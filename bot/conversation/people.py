"""One person, several conversations: which ones might be theirs, and saying so. Rights: bot/conversation/staff.py."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.notify import notify
from bot.contracts.errors import NotFound
from bot.contracts.ids import Channel, ConversationId, TicketCode
from bot.conversation.tables import ConversationRow
from handoff.tables import TicketRow
from handoff.ticket import parse_code

FEWEST_DIGITS = 4
"""Of a phone number, to search by it."""
FOUND = 8


@dataclass(frozen=True, slots=True)
class OtherConversation:
    """A conversation that is, or may be, the same person's."""

    id: ConversationId
    channel: Channel
    citizen_name: str | None
    phone: str | None
    last_message_at: datetime | None
    tickets: tuple[TicketCode, ...]
    """Newest first."""


def spellings(phone: str | None) -> frozenset[str]:
    """A number as the channels may have written it: "0912345678", "84912345678", "+84912345678". Pure."""
    digits = "".join(one for one in phone or "" if one.isdecimal())
    body = digits.removeprefix("0084").removeprefix("84" if len(digits) > 10 else "").removeprefix("0")
    return frozenset({f"0{body}", f"84{body}", f"+84{body}"}) if len(body) >= 8 else frozenset()


async def same_person(session: AsyncSession, conversation: ConversationId) -> tuple[ConversationId, ...]:
    """The other conversations that somebody linked to this one."""
    row = await _get(session, conversation)
    if row.person is None:
        return ()
    found = await session.scalars(
        select(ConversationRow.id).where(ConversationRow.person == row.person, ConversationRow.id != row.id)
    )
    return tuple(sorted(found))


async def phones_of(session: AsyncSession, conversations: Collection[ConversationId]) -> tuple[str, ...]:
    """Numbers that were shared in these conversations or written into their tickets, each once, latest first."""
    typed = await session.scalars(
        select(TicketRow.phone)
        .where(TicketRow.conversation_id.in_(conversations), TicketRow.phone.is_not(None))
        .order_by(TicketRow.id.desc())
    )
    shared = await session.scalars(
        select(ConversationRow.phone).where(ConversationRow.id.in_(conversations), ConversationRow.phone.is_not(None))
    )
    return tuple(dict.fromkeys(one for one in (*typed, *shared) if one))


async def load_conversations(
    session: AsyncSession, conversations: Collection[ConversationId]
) -> list[OtherConversation]:
    """These conversations, the one that was used last first."""
    return await _load(session, [ConversationRow.id.in_(conversations)]) if conversations else []


async def suggest(session: AsyncSession, conversation: ConversationId) -> list[OtherConversation]:
    """Conversations with the same phone number that nobody has linked yet."""
    ours = (conversation, *await same_person(session, conversation))
    numbers = {one for phone in await phones_of(session, ours) for one in spellings(phone)}
    if not numbers:
        return []
    typed = select(TicketRow.conversation_id).where(TicketRow.phone.in_(numbers))
    return await _load(
        session,
        [
            or_(ConversationRow.phone.in_(numbers), ConversationRow.id.in_(typed)),
            ConversationRow.id.not_in(ours),
        ],
    )


async def search(session: AsyncSession, conversation: ConversationId, words: str) -> list[OtherConversation]:
    """Other conversations by ticket code, by part of a phone number, or by part of a name."""
    ours = (conversation, *await same_person(session, conversation))
    wanted = words.strip()
    digits = "".join(one for one in wanted if one.isdecimal())
    if code := parse_code(wanted):
        of_code = select(TicketRow.conversation_id).where(TicketRow.code == code)
        found: ColumnElement[bool] = ConversationRow.id.in_(of_code)
    elif len(digits) >= FEWEST_DIGITS and not any(one.isalpha() for one in wanted):
        part = digits.removeprefix("84").removeprefix("0")
        typed = select(TicketRow.conversation_id).where(TicketRow.phone.contains(part, autoescape=True))
        found = or_(ConversationRow.phone.contains(part, autoescape=True), ConversationRow.id.in_(typed))
    elif len(wanted) > 1:
        found = ConversationRow.citizen_name.icontains(wanted, autoescape=True)
    else:
        return []
    return await _load(session, [found, ConversationRow.id.not_in(ours)])


async def link(session: AsyncSession, one: ConversationId, other: ConversationId) -> None:
    """Give both conversations, and all linked to either, one person number: the lowest conversation id."""
    rows = [await session.get(ConversationRow, each, with_for_update=True) for each in sorted({one, other})]
    found = [row for row in rows if row is not None]
    if len(found) != 2:
        raise NotFound(what="hội thoại")
    persons = {row.person for row in found if row.person is not None}
    number = min([*persons, *(row.id for row in found)])
    linked = await session.scalars(
        update(ConversationRow)
        .where(ConversationRow.id.in_([row.id for row in found]) | ConversationRow.person.in_(persons))
        .values(person=number)
        .returning(ConversationRow.id)
    )
    await _tell(session, linked.all())


async def unlink(session: AsyncSession, conversation: ConversationId) -> bool:
    """Take one conversation out of its person; False if it was nobody else's. Those that stay keep together."""
    row = await session.get(ConversationRow, conversation, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(what="hội thoại")
    if row.person is None:
        return False
    others = (
        await session.scalars(
            select(ConversationRow.id)
            .where(ConversationRow.person == row.person, ConversationRow.id != row.id)
            .order_by(ConversationRow.id)
            .with_for_update()
        )
    ).all()
    row.person = None
    # The number is the lowest id of those who stay: the one that left may be given its own id as a number again.
    number = others[0] if len(others) > 1 else None
    await session.execute(update(ConversationRow).where(ConversationRow.id.in_(others)).values(person=number))
    await _tell(session, [row.id, *others])
    return True


async def _tell(session: AsyncSession, conversations: Sequence[ConversationId]) -> None:
    for one in sorted(conversations):
        await notify(session, "conversation", conversation=one, linked=True)


async def _get(session: AsyncSession, conversation: ConversationId) -> ConversationRow:
    row = await session.get(ConversationRow, conversation)
    if row is None:
        raise NotFound(what="hội thoại")
    return row


async def _load(session: AsyncSession, wanted: Sequence[ColumnElement[bool]]) -> list[OtherConversation]:
    codes = (
        select(func.array_agg(TicketRow.code)).where(TicketRow.conversation_id == ConversationRow.id).scalar_subquery()
    )
    phone = (
        select(TicketRow.phone)
        .where(TicketRow.conversation_id == ConversationRow.id, TicketRow.phone.is_not(None))
        .order_by(TicketRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(ConversationRow, codes, func.coalesce(ConversationRow.phone, phone))
        .where(*wanted)
        .order_by(ConversationRow.last_message_at.desc().nulls_last(), ConversationRow.id.desc())
        .limit(FOUND)
    )
    return [
        OtherConversation(
            row.id, Channel(row.channel), row.citizen_name, number, row.last_message_at, tuple(found or ())
        )
        for row, found, number in rows
    ]
