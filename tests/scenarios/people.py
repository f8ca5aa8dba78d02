"""People around a house: citizens with a phone on a platform, and colleagues of ours at the desk."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.base.clock import now
from bot.base.db import Database
from bot.base.jobs import job_app
from bot.contracts.ids import ConversationId, MessageId, UnitCode
from bot.conversation.staff import StaffDesk
from bot.outbox.post import Outbox
from connectors.messenger.connector import MessengerConnector
from connectors.webchat.connector import WebchatConnector
from connectors.zalo.connector import ZaloConnector
from handoff.account import Account
from handoff.accounts import add_account, authenticate, change_password
from handoff.role import Role
from tests.scenarios.house import House, eventually
from tests.simulators.messenger import MessengerSimulator
from tests.simulators.messenger import Said as MessengerSaid
from tests.simulators.zalo import Said as ZaloSaid
from tests.simulators.zalo import ZaloSimulator

Simulator = ZaloSimulator | MessengerSimulator
Said = ZaloSaid | MessengerSaid
CONNECTORS = (ZaloConnector, MessengerConnector, WebchatConnector)


@dataclass
class Phone:
    """One citizen on a platform."""

    simulator: Simulator
    user: str = field(default_factory=lambda: f"{uuid.uuid4().int % 10**18:018d}")

    def say(self, text: str) -> str:
        """Write; the platform's id of the message."""
        return self.simulator.running.call(lambda: self.simulator.say(self.user, text))

    def press(self, message: Said, title: str) -> str:
        """Press a button under a message."""
        return self.simulator.running.call(lambda: self.simulator.press(self.user, message.id, title))

    @property
    def got(self) -> list[Said]:
        """What our side said to this person, oldest first."""
        return list(self.simulator.to(self.user))

    def wait_for(self, number: int) -> list[Said]:
        """All that was said, once there are `number`."""
        return eventually(
            f"{number} messages on {self.simulator.name}", lambda: self.got if len(self.got) >= number else None
        )

    def ask(self, text: str) -> Said:
        """Write and return the next thing that is said."""
        before = len(self.got)
        self.say(text)
        return self.wait_for(before + 1)[before]

    def conversation(self, house: House) -> ConversationId:
        """The house's number of this conversation."""
        found = eventually(
            "the conversation", lambda: house.sql("select id from conversations where citizen_ref = %s", self.user)
        )
        return ConversationId(found[0][0])

    def rows(self, house: House) -> list[dict[str, Any]]:
        """What the house keeps of what was said to this person."""
        names = ("id", "status", "failure", "answers", "provider_ids", "attempts")
        found = house.sql(
            f"select {', '.join('m.' + name for name in names)} from messages m "
            "join conversations c on c.id = m.conversation_id "
            "where c.citizen_ref = %s and m.direction = 'out' order by m.id",
            self.user,
        )
        return [dict(zip(names, row, strict=True)) for row in found]

    def wait_until(self, house: House, *states: str) -> list[dict[str, Any]]:
        """The rows, once each of them is in one of `states`: what the phone shows is committed on our side later."""
        return eventually(
            f"every message to this person is {' or '.join(states)}",
            lambda: rows if (rows := self.rows(house)) and all(row["status"] in states for row in rows) else None,
        )

    def wait_until_sent(self, house: House) -> list[dict[str, Any]]:
        """The rows, once the house knows that each of them went out."""
        return self.wait_until(house, "sent", "delivered", "seen")

    def wait_until_handled(self, house: House, own_id: str) -> None:
        """The bot has done with this message, whatever it did."""
        eventually(
            "the message is handled",
            lambda: house.sql(
                "select 1 from messages where provider_message_id = %s and handled_at is not null", own_id
            ),
        )


@asynccontextmanager
async def staff_desk(house: House) -> AsyncIterator[StaffDesk]:
    """What the console gives colleagues, on the house's own database."""
    database, jobs = Database(house.database_url, pool_size=2), job_app(house.database_url, pool_size=1)

    @jobs.task(name="deliver", queue="deliver")
    async def deliver(message: int) -> None:
        raise AssertionError(f"message {message} is delivered by the house's worker")

    async with jobs.open_async():
        yield StaffDesk(database, Outbox(deliver, {one.name: one.capabilities for one in CONNECTORS}))
    await database.close()


@dataclass(frozen=True)
class Colleague:
    """Somebody on our side, and the password."""

    account: Account
    password: str


async def hire(database: Database, role: Role, unit: str | None = None, display_name: str | None = None) -> Colleague:
    """A new colleague who has logged in once and changed the one-time password."""
    name = f"{role.value.replace('_', '-')}-{uuid.uuid4().hex[:6]}"
    mine = f"mật khẩu mới {uuid.uuid4().hex[:8]}"
    async with database.transaction() as session:
        first = await add_account(session, name, role, UnitCode(unit) if unit else None, display_name)
    account = await authenticate(database, name, first, now())
    async with database.transaction() as session:
        return Colleague(await change_password(session, account.id, first, mine, now=now()), mine)


def last_of(phone: Phone, house: House) -> MessageId:
    """The newest message to this person."""
    return MessageId(phone.rows(house)[-1]["id"])
