"""200 messages of 20 citizens while parts of the house are killed: all answered or ticketed, once, in order."""

import asyncio
import os
import random
import signal
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import httpx
import psutil
import pytest

from tests.scenarios.conftest import Town
from tests.scenarios.house import House, eventually
from tests.scenarios.ledger import Spoken, audit, open_work
from tests.simulators.messenger import MessengerSimulator
from tests.simulators.zalo import ZaloSimulator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CITIZENS = {"webchat": 10, "zalo": 5, "messenger": 5}
MESSAGES_EACH = 10
BETWEEN_S = (1.0, 4.0)
WORDS = (
    "Xin chào",
    "Tra cứu tình trạng hồ sơ đã nộp như thế nào?",
    "sieu thi mo cua may gio",
    "hỗ trợ",
    "Nghị quyết 68/NQ-CP có những chính sách hỗ trợ nào?",
    "Lịch mổ mắt từ thiện năm nay tổ chức ngày nào?",
    "cảm ơn nhé",
    "Điều 240 phạt tù mấy năm",
    "giấy đi đường",
    "Nuôi chó dữ không rọ mõm cắn người thì chủ đền bao nhiêu?",
    "Thế nào là F1?",
)
"""Greetings, questions with an answer, vague ones and questions that no bank answers."""


@dataclass
class Crowd:
    """Citizens who write at their own pace, and what they wrote."""

    town: Town
    dice: random.Random = field(default_factory=lambda: random.Random(1022))
    spoken: list[Spoken] = field(default_factory=list)
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, number: int) -> None:
        """Return when so many messages were taken."""
        async with self.moved:
            await self.moved.wait_for(lambda: len(self.spoken) >= number)

    async def run(self) -> None:
        """Everybody writes MESSAGES_EACH messages; returns when the last was taken."""
        async with asyncio.TaskGroup() as group:
            for channel, number in CITIZENS.items():
                for _ in range(number):
                    group.create_task(self._one(channel))

    async def _one(self, channel: str) -> None:
        citizen = f"{uuid.uuid4().int % 10**18:018d}"
        say = await self._way(channel, citizen)
        for _ in range(MESSAGES_EACH):
            await asyncio.sleep(self.dice.uniform(*BETWEEN_S))
            own_id = await say(self.dice.choice(WORDS))
            async with self.moved:
                self.spoken.append(Spoken(channel, citizen, own_id))
                self.moved.notify_all()

    async def _way(self, channel: str, citizen: str) -> Callable[[str], Awaitable[str]]:
        if channel == "webchat":
            return await self._web()
        simulator: ZaloSimulator | MessengerSimulator = self.town.zalo if channel == "zalo" else self.town.messenger

        async def say(text: str) -> str:
            return await asyncio.to_thread(simulator.running.call, lambda: simulator.say(citizen, text))

        return say

    async def _web(self) -> Callable[[str], Awaitable[str]]:
        http = httpx.AsyncClient(base_url=self.town.house.url, trust_env=False, timeout=5.0)
        token = (await _until_taken(http, "/api/v1/chat/sessions", {}))["token"]
        http.headers["Authorization"] = f"Bearer {token}"

        async def say(text: str) -> str:
            own_id = uuid.uuid4().hex
            await _until_taken(http, "/api/v1/chat/messages", {"client_message_id": own_id, "text": text})
            return own_id

        return say


async def _until_taken(http: httpx.AsyncClient, path: str, body: dict[str, str]) -> dict[str, str]:
    """Send, and send again with the same id until it is taken, as the page does."""
    while True:
        try:
            response = await http.post(path, json=body)
            if response.is_success:
                taken: dict[str, str] = response.json()
                return taken
            assert response.status_code == 429 or response.status_code >= 500, response.text
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.3)


def kill_a_backend(house: House) -> int:
    """kill -9 one of PostgreSQL's server processes: all sessions are thrown out and the server recovers by itself."""
    pid = int(
        house.sql(
            "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() limit 1"
        )[0][0]
    )
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


async def test_killed_parts_lose_nothing_and_answer_nothing_twice(house: House, town: Town, duplicates: None) -> None:
    crowd = Crowd(town)
    everybody = asyncio.create_task(crowd.run())
    whole = sum(CITIZENS.values()) * MESSAGES_EACH
    kills: tuple[Callable[[], int], ...] = (
        lambda: house.kill("worker"),
        lambda: house.kill("gateway"),
        lambda: house.kill("rasa"),
        lambda: kill_a_backend(house),
        lambda: house.kill("worker"),
    )
    gone = []
    for number, kill in enumerate(kills, start=1):
        await crowd.until(whole * number // (len(kills) + 1))
        gone.append(await asyncio.to_thread(kill))
    await everybody

    def settled() -> bool:
        return town.zalo.courier.is_idle and town.messenger.courier.is_idle and open_work(house) == 0

    await asyncio.to_thread(eventually, "everything is answered", settled, every_s=0.5)
    tally = audit(house, crowd.spoken, (town.zalo, town.messenger))
    assert len(set(gone)) == len(kills)
    assert tally.spoken == whole
    assert (tally.lost, tally.twice, tally.out_of_order) == ([], [], [])
    assert tally.answered == whole
    assert 0 < tally.ticketed < whole
    outcomes = house.sql("select outcome, count(*) from decisions group by outcome")
    assert {outcome for outcome, _ in outcomes} >= {"answer", "choose", "handover", "dialogue"}, outcomes
    house.wait_until_back()
