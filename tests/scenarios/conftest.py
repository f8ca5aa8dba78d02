"""One house for the whole session, with both platforms' simulators: starting it costs most of a scenario's time."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.conversation.choices import entry_in
from kb_import.samples.content import load_samples
from tests.ports import free_port
from tests.scenarios.house import PATIENCE_S, House, opened
from tests.simulators.messenger import MessengerSimulator
from tests.simulators.zalo import ZaloSimulator

PATIENT = {"RASA_TIMEOUT_S": "60", "RASA_PATIENCE_S": "60"}
"""A house that waits for Rasa. After the usual few seconds the search would decide alone, as it should, and a scenario
about a dialogue would see that the machine had other things to do."""
LADDER_S = (0.5, 1.0, 2.0, 4.0, 8.0, *[16.0] * 15)
"""Seconds between a platform's repeats; the real ones wait up to an hour. In all as long as a scenario waits for most
things: a part that was killed on a crowded machine is back before a platform gives up."""


@dataclass
class Town:
    """A house and the platforms around it."""

    house: House
    zalo: ZaloSimulator
    messenger: MessengerSimulator


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder. Not pytest's own: each new pytest locks that for other accounts, and PostgreSQL runs as one."""
    with tempfile.TemporaryDirectory(prefix="tongdai-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder for one house."""
    with scratch() as path:
        yield path


@pytest.fixture(scope="session")
def town() -> Iterator[Town]:
    """Shared by scenarios that leave it running; each brings citizens of its own."""
    port = free_port()
    gateway = f"http://127.0.0.1:{port}"
    zalo = ZaloSimulator(gateway=gateway, ladder_s=LADDER_S, patience_s=PATIENCE_S).start()
    messenger = MessengerSimulator(gateway=gateway, ladder_s=LADDER_S, patience_s=PATIENCE_S).start()
    settings = {
        **zalo.environment(),
        **messenger.environment(),
        **PATIENT,
        "MESSENGER_HUMAN_AGENT": "true",
        "ZALO_HISTORY_SETTLE_S": "2",
        "MESSENGER_HISTORY_SETTLE_S": "2",
    }
    try:
        with scratch() as data, opened(data, settings, port=port) as house:
            yield Town(house, zalo, messenger)
    finally:
        zalo.stop()
        messenger.stop()


@dataclass(frozen=True)
class Words:
    """Questions whose outcome is known on the sample banks: which these are may change with the ranker."""

    known: str
    """Is answered."""
    answer: str
    """How the answer to it begins."""
    vague: str
    """Gets choices."""
    unknown: str
    """Becomes a ticket."""
    to_teach: str
    """Becomes a ticket until a scenario teaches it."""


VAGUE = ("hỗ trợ", "giấy đi đường", "xét nghiệm", "cách ly", "tiêm vắc xin", "hồ sơ", "F1", "siêu thị", "đi chợ")


@pytest.fixture(scope="session")
def words(town: Town) -> Words:
    """Found by asking, each time as somebody else: a form that one of them begins must not swallow the next."""

    def ask(text: str) -> dict[str, Any]:
        return town.house.citizen().ask(text)

    banks = load_samples()
    entries = [entry for bank in banks for entry in bank.entries[:3]]
    known = next(one for one in entries if _begin(one.answer) in ask(one.question)["text"])
    vague = next(one for one in VAGUE if any(entry_in(c["payload"]) for c in ask(one)["choices"]))
    tickets = (one for bank in banks for one in bank.unanswerable if ask(one)["ticket"])
    return Words(known.question, _begin(known.answer), vague, next(tickets), next(tickets))


def _begin(answer: str) -> str:
    return answer.splitlines()[0][:40].strip()


@pytest.fixture
def house(town: Town) -> House:
    """The shared house, with all its parts running."""
    town.house.wait_until_back()
    return town.house
