"""Conversations over the real search, with Rasa switched off: what must work without it, and what comes before it."""

from collections.abc import Sequence
from datetime import date

import pytest
from sqlalchemy import select

from bot.base.db import Database
from bot.contracts.ids import ConversationId, EntryId, MessageId, UnitCode
from bot.conversation.converse import Conversing
from bot.conversation.rasa import RasaClient
from bot.conversation.staff import StaffDesk
from bot.conversation.tables import MessageRow
from faq.embed import Embedder, load_embedder, load_untaught
from faq.engine import FaqEngine
from faq.entry import EntryDraft
from faq.settings import FaqSettings
from faq.store import add_entry, ensure_bank, publish
from handoff.seed import seed
from handoff.tables import TicketRow
from handoff.units import load_units
from tests.bot.house import BotHouse
from tests.handoff.house import House

BIRTH = EntryDraft(
    "Thủ tục đăng ký khai sinh cho trẻ em như thế nào?",
    "Cha hoặc mẹ nộp giấy chứng sinh tại UBND cấp xã.\n• Miễn phí  trong 60 ngày.",
    legal_basis="Luật Hộ tịch 2014.",
    confirmed_on=date(2026, 10, 1),
)
MARRIAGE = EntryDraft("Đăng ký kết hôn cần mang theo giấy tờ gì?", "Hai bên mang căn cước công dân và tờ khai.")
EXPIRED = EntryDraft("Năm ngoái nộp hồ sơ ở đâu?", "Nộp ở huyện.", valid_until=date(2025, 6, 30))
FUTURE = EntryDraft("Sang năm nộp hồ sơ ở đâu?", "Nộp ở xã.", valid_from=date(2099, 1, 1))


class TalkHouse(BotHouse):
    """Seeded units, one small bank, staff, and the job `converse`."""

    def __init__(self, database: Database, embedder: Embedder) -> None:
        super().__init__(database)
        self.engine = FaqEngine(database, embedder, FaqSettings())
        self.rasa = RasaClient("http://127.0.0.1:9", "token", 0.5)
        self.conversing = Conversing(database, self.engine, self.rasa, self.outbox, 0.0, show_typing=lambda _: None)
        self.desk = StaffDesk(database, self.outbox)
        self.people = House(database)
        self.entries: list[EntryId] = []

    async def furnish(self) -> None:
        """Units, entries, index."""
        async with self.database.transaction() as session:
            await seed(session)
            bank = await ensure_bank(session, UnitCode("SYT"), "Hộ tịch")
            drafts = (BIRTH, MARRIAGE, EXPIRED, FUTURE)
            self.entries = [await add_entry(session, bank, one, by=None, why="thử") for one in drafts]
            await publish(session)
            self.engine.unit_names = {code: unit.name for code, unit in (await load_units(session)).items()}
        await self.engine.start()

    async def hear(self, said: str, *, ref: str = "lan", **fields: object) -> MessageId:
        """The citizen writes and the job is run."""
        message, _ = await self.accept(self.inbound(said, ref=ref, **fields))
        await self.conversing.converse(message)
        return message

    async def said_to(self, message: MessageId) -> Sequence[MessageRow]:
        """Our replies to a message, in order."""
        async with self.database.transaction() as session:
            found = await session.scalars(
                select(MessageRow).where(MessageRow.answers == message).order_by(MessageRow.id)
            )
            return found.all()

    async def tickets(self, conversation: ConversationId) -> Sequence[TicketRow]:
        """The conversation's tickets, in order."""
        async with self.database.transaction() as session:
            found = await session.scalars(
                select(TicketRow).where(TicketRow.conversation_id == conversation).order_by(TicketRow.id)
            )
            return found.all()


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return load_embedder(FaqSettings())


@pytest.fixture(scope="session")
def untaught() -> Embedder:
    return load_untaught(FaqSettings())


@pytest.fixture
async def talk(database: Database, embedder: Embedder) -> TalkHouse:
    house = TalkHouse(database, embedder)
    await house.furnish()
    return house
