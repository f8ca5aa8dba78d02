"""An answer that may no longer be sent on its channel goes over another channel of the same person."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.ids import ConversationId, MessageId
from bot.contracts.messages import DeliveryState
from bot.conversation.tables import ConversationRow, MessageRow
from bot.outbox.deliver import deliver
from bot.outbox.elsewhere import ELSEWHERE
from tests.bot.house import PULLED, TESTCHAT, BotHouse, ScriptedConnector, undelivered


class Page(ScriptedConnector):
    """A page that pulls its messages, like the web chat."""

    name = PULLED

    def __init__(self, house: BotHouse) -> None:
        super().__init__()
        self.capabilities = house.outbox.capabilities[PULLED]  # type: ignore[misc]


class Citizen:
    """One person with a closed conversation on a platform and another one on a page."""

    def __init__(self, house: BotHouse) -> None:
        self.house = house

    async def arrive(self, *, linked: bool = True, wrote_ago: timedelta = timedelta(minutes=5)) -> None:
        """Write on both channels; the platform's window is over."""
        self.closed = await self.house.conversation()
        self.page = await self.house.conversation(channel=PULLED)
        async with self.house.database.transaction() as session:
            if linked:
                await session.execute(update(ConversationRow).values(person=self.closed))
            await session.execute(
                update(ConversationRow).where(ConversationRow.id == self.page).values(last_inbound_at=now() - wrote_ago)
            )
        self.house.connector.open = False

    async def answer(self) -> MessageId:
        """The unit answers late, and the job runs."""
        message = await self.house.post(self.closed, "Nộp tại phường.")
        connectors = {TESTCHAT: self.house.connector, PULLED: Page(self.house)}
        await deliver(self.house.database, connectors, message, outbox=self.house.outbox)
        return message

    async def got(self, conversation: ConversationId) -> list[str]:
        """What stands in a conversation from us, and was sent."""
        async with self.house.database.transaction() as session:
            found = await session.scalars(
                select(MessageRow.text).where(
                    MessageRow.conversation_id == conversation,
                    MessageRow.direction == "out",
                    MessageRow.status == DeliveryState.SENT,
                )
            )
            return list(found)


@pytest.fixture
def citizen(database: Database) -> Citizen:
    """Somebody the operator knows on two channels."""
    return Citizen(BotHouse(database))


async def test_the_other_channel_has_it_and_this_one_says_so(citizen: Citizen) -> None:
    async with citizen.house.jobs.open_async():
        await citizen.arrive()
        message = await citizen.answer()
        row = await citizen.house.message(message)
        assert await citizen.got(citizen.page) == ["Nộp tại phường."]
        assert row.status == DeliveryState.FAILED  # never shown as sent
        assert row.failure is not None
        assert "đã gửi qua" in row.failure
        assert row.extra[ELSEWHERE]
        async with citizen.house.database.transaction() as session:
            assert await undelivered(session) == []  # nobody must phone


async def test_it_is_not_sent_twice_when_the_citizen_writes_again(citizen: Citizen) -> None:
    async with citizen.house.jobs.open_async():
        await citizen.arrive()
        message = await citizen.answer()
        citizen.house.connector.open = True
        async with citizen.house.database.transaction() as session:
            assert await citizen.house.outbox.release_held(session, citizen.closed) == 0
        await citizen.house.deliver(message)
        assert citizen.house.connector.arrived == []


@pytest.mark.parametrize(
    ("linked", "wrote_ago"), [(False, timedelta(minutes=5)), (True, timedelta(days=3))], ids=["a stranger", "long ago"]
)
async def test_it_is_kept_where_no_other_channel_is_open(citizen: Citizen, linked: bool, wrote_ago: timedelta) -> None:
    async with citizen.house.jobs.open_async():
        await citizen.arrive(linked=linked, wrote_ago=wrote_ago)
        message = await citizen.answer()
        assert (await citizen.house.message(message)).status == DeliveryState.HELD
        assert await citizen.got(citizen.page) == []
