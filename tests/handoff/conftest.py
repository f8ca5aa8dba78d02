"""Staff, tickets and places for the tests of the handoff room."""

import pytest

from bot.base.db import Database
from handoff.seed import seed
from tests.handoff.house import House


@pytest.fixture
async def house(database: Database) -> House:
    async with database.transaction() as session:
        await seed(session)
    return House(database)
