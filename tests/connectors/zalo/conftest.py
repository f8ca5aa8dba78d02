"""A Zalo simulator and a connector that talks to it."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.ids import Channel, MessageId
from bot.contracts.messages import Author, Outbound
from connectors.zalo.connector import ZaloConnector
from connectors.zalo.settings import ZaloSettings
from tests.connectors.database import connectors_url as connectors_url  # fixtures: a database of this room
from tests.connectors.database import database as database
from tests.simulators.zalo import ZaloSimulator

CITIZEN = "1000000000000000001"
KEY = b"a test key of thirty-two bytes.."


@pytest.fixture
def zalo() -> Iterator[ZaloSimulator]:
    """The platform, with one citizen who just wrote."""
    simulator = ZaloSimulator().start()
    simulator.running.call(lambda: simulator.say(CITIZEN, "Chào tổng đài"))
    yield simulator
    simulator.stop()


def settings_for(simulator: ZaloSimulator, **more: Any) -> ZaloSettings:
    """Settings of a gateway that talks to this simulator, patient enough for a machine that does other things too."""
    names = {name.removeprefix("ZALO_").lower(): value for name, value in simulator.environment().items()}
    return ZaloSettings(_env_file=None, **{"timeout_s": 60.0, "history_settle_s": 0.0, **names, **more})


@pytest.fixture
async def connector(zalo: ZaloSimulator, database: Database, tmp_path: Path) -> AsyncIterator[ZaloConnector]:
    """The connector under test."""
    one = ZaloConnector(settings_for(zalo), database, KEY, storage=tmp_path)
    yield one
    await one.close()


def outbound(text: str = "Xin chào", **more: Any) -> Outbound:
    """A message to the citizen; a test names only what it is about."""
    default: dict[str, Any] = {
        "message": MessageId(7),
        "channel": Channel("zalo"),
        "citizen_ref": CITIZEN,
        "author": Author.BOT,
        "text": text,
        "created_at": now(),
        "last_inbound_at": now() - timedelta(seconds=1),
    }
    return Outbound(**{**default, **more})
