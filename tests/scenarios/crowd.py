"""Citizens who write at their own pace on every channel, and what they wrote."""

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from tests.scenarios.ledger import Spoken
from tests.simulators.messenger import MessengerSimulator
from tests.simulators.zalo import ZaloSimulator

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
    """Everybody writes `messages_each` messages, `between_s` seconds apart, whatever becomes of the house."""

    url: str
    zalo: ZaloSimulator
    messenger: MessengerSimulator
    citizens: Mapping[str, int]
    """Channel → how many."""
    messages_each: int
    between_s: tuple[float, float]
    words: Sequence[str] = WORDS
    dice: random.Random = field(default_factory=lambda: random.Random(1022))
    spoken: list[Spoken] = field(default_factory=list)
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def whole(self) -> int:
        """How many messages there will be."""
        return sum(self.citizens.values()) * self.messages_each

    async def until(self, number: int) -> None:
        """Return when so many messages were taken."""
        async with self.moved:
            await self.moved.wait_for(lambda: len(self.spoken) >= number)

    async def run(self) -> None:
        """Return when the last message was taken."""
        async with asyncio.TaskGroup() as group:
            for channel, number in self.citizens.items():
                for _ in range(number):
                    group.create_task(self._one(channel))

    async def _one(self, channel: str) -> None:
        citizen = f"{uuid.uuid4().int % 10**18:018d}"
        say = await self._way(channel, citizen)
        for _ in range(self.messages_each):
            await asyncio.sleep(self.dice.uniform(*self.between_s))
            own_id = await say(self.dice.choice(self.words))
            async with self.moved:
                self.spoken.append(Spoken(channel, citizen, own_id))
                self.moved.notify_all()

    async def _way(self, channel: str, citizen: str) -> Callable[[str], Awaitable[str]]:
        if channel == "webchat":
            return await self._web()
        simulator: ZaloSimulator | MessengerSimulator = self.zalo if channel == "zalo" else self.messenger

        async def say(text: str) -> str:
            return await asyncio.to_thread(simulator.running.call, lambda: simulator.say(citizen, text))

        return say

    async def _web(self) -> Callable[[str], Awaitable[str]]:
        http = httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=5.0)
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
