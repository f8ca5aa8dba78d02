"""The rooms of bot/ for their tests."""

import pytest

from bot.base.db import Database
from tests.bot.house import BotHouse


@pytest.fixture
async def house(database: Database) -> BotHouse:
    return BotHouse(database)
