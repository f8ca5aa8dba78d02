"""200 messages of 20 citizens while parts of the house are killed: all answered or ticketed, once, in order."""

import asyncio
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from tests.scenarios.conftest import Town, Words
from tests.scenarios.crowd import WORDS, Crowd
from tests.scenarios.house import House, eventually
from tests.scenarios.ledger import Spoken, audit, open_work

pytestmark = pytest.mark.slow


def kill_a_backend(house: House) -> int:
    """kill -9 one of PostgreSQL's server processes: all sessions are thrown out and the server recovers by itself."""

    def kill_one() -> int | None:
        rows = house.sql(
            "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() limit 1"
        )
        for (pid,) in rows:
            try:
                assert "postgres" in psutil.Process(pid).name()
                os.kill(pid, signal.SIGKILL)
            except (psutil.Error, ProcessLookupError):  # its client has just left
                continue
            return int(pid)
        return None

    return eventually("a session to kill", kill_one)


def kill_postgres(house: House) -> int:
    """kill -9 the embedded PostgreSQL itself: `serve` starts it again."""
    house.sql("select 1")  # it has recovered from what was killed before
    pid = int((house.data / "postgres" / "postmaster.pid").read_text().split()[0])
    assert "postgres" in psutil.Process(pid).name()
    os.kill(pid, signal.SIGKILL)
    return pid


@pytest.fixture
def duplicates(town: Town) -> Iterator[None]:
    """Platforms that deliver every tenth webhook twice."""
    for platform in (town.zalo, town.messenger):
        platform.faults.duplicate_rate = 0.1
    yield
    for platform in (town.zalo, town.messenger):
        platform.faults.duplicate_rate = 0.0


async def test_killed_parts_lose_nothing_and_answer_nothing_twice(
    house: House, town: Town, duplicates: None, words: Words
) -> None:
    citizens = {"webchat": 10, "zalo": 5, "messenger": 5}
    said = (*WORDS, words.known, words.vague, words.unknown)
    crowd = Crowd(house.url, town.zalo, town.messenger, citizens, messages_each=10, between_s=(1.0, 4.0), words=said)
    everybody = asyncio.create_task(crowd.run())
    kills: tuple[Callable[[], int], ...] = (
        lambda: house.kill("worker"),
        lambda: house.kill("gateway"),
        lambda: house.kill("rasa"),
        lambda: kill_a_backend(house),
        lambda: kill_postgres(house),
        lambda: house.kill("worker"),
    )
    gone = []
    for number, kill in enumerate(kills, start=1):
        await crowd.until(crowd.whole * number // (len(kills) + 1))
        gone.append(await asyncio.to_thread(kill))
    await everybody

    def settled() -> bool:
        return town.zalo.courier.is_idle and town.messenger.courier.is_idle and open_work(house) == 0

    await asyncio.to_thread(eventually, "everything is answered", settled, seconds=400, every_s=0.5)
    tally = audit(house, crowd.spoken, (town.zalo, town.messenger))
    assert len(set(gone)) == len(kills)
    assert tally.spoken == crowd.whole
    assert (tally.lost, tally.twice, tally.out_of_order) == ([], [], [])
    assert tally.answered == crowd.whole
    assert 0 < tally.ticketed < crowd.whole
    outcomes = house.sql("select outcome, count(*) from decisions group by outcome")
    assert {outcome for outcome, _ in outcomes} >= {"answer", "choose", "handover", "dialogue"}, outcomes
    house.wait_until_back()


def test_a_report_goes_on_where_it_was_when_rasa_is_back(house: House) -> None:
    citizen = house.citizen()
    spoken: list[Spoken] = []

    def tell(words: str) -> dict[str, Any]:
        own_id = uuid.uuid4().hex
        spoken.append(Spoken("webchat", "reporter", own_id))
        return citizen.wait_for("bot", citizen.say(words, own_id=own_id))[-1]

    last = tell("Tôi muốn phản ánh đèn đường hỏng")
    house.kill("rasa")
    house.wait_until_back()
    last = tell("Đèn đường ngõ 5 tắt cả tuần nay")
    house.kill("gateway")  # Rasa's actions are served there
    house.kill("worker")
    last = tell("Ngõ 5 Lê Lai")
    for _ in range(4):  # the questions that are left may be skipped
        if not last["ticket"]:
            last = tell("bỏ qua")
    found = house.sql("select kind, reason, question from tickets where code = %s", last["ticket"])
    assert len(found) == 1, citizen.history()
    kind, reason, question = found[0]
    assert (kind, reason) == ("report", "form")
    assert "Đèn đường ngõ 5 tắt cả tuần nay" in question
    assert "Ngõ 5 Lê Lai" in question
    tally = audit(house, spoken, ())
    assert (tally.lost, tally.twice, tally.out_of_order, tally.answered) == ([], [], [], len(spoken))
