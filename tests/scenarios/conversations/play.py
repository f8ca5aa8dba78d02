"""Play the conversations in a running house, several citizens at a time, and note what it did with each message."""

import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import psycopg

from bot.conversation.choices import entry_in
from nlu_data.vi_nlu.text import fold
from tests.scenarios.conversations.spoken import Saying, Seen, Spoken, is_right
from tests.scenarios.house import PATIENCE_S, Citizen, House
from tests.simulators.zalo import ZaloSimulator

AT_ONCE = 4
"""Citizens who talk at the same time."""
_SEEN = """
select d.outcome, d.intent, o.text, o.ticket, e.question,
       array(select q.question from jsonb_array_elements(o.choices) with ordinality c (choice, place)
             join entries q on c.choice ->> 'payload' = '#q:' || q.id order by c.place)
from messages i left join decisions d on d.message = i.id left join messages o on o.answers = i.id
left join entries e on e.id = o.entry
where i.id = %s and i.handled_at is not null order by o.id
"""


@dataclass(frozen=True, slots=True)
class Turned:
    """One turn as it went."""

    saying: Saying
    words: str
    seen: Seen
    right: bool


def play_all(house: House, zalo: ZaloSimulator, conversations: Sequence[Spoken]) -> dict[str, list[Turned]]:
    """Name of each conversation → its turns."""
    vague = _find_vague(house)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        turns = pool.map(partial(_play, house, zalo, house.database_url, vague), conversations)
        return {one.name: done for one, done in zip(conversations, turns, strict=True)}


VAGUE = (
    "cách ly",
    "tiêm vắc xin",
    "xét nghiệm",
    "hai mũi tiêm cách nhau bao lâu",
    "người nhập cảnh cách ly bao nhiêu ngày",
    "miền nam về cách ly bao lâu",
    "doanh nghiệp được giảm gì",
    "hỗ trợ tiền ăn",
    "chợ",
    "căn cước",
    "khai sinh",
    "xe khách",
    "phạt bao nhiêu",
    "mất thẻ",
    "ủng hộ",
    "giấy đi đường",
    "tiền điện",
    "bà bầu",
    "máy bay nội địa",
    "f1 cách ly mấy ngày ạ",
)
"""Too short or too general for one answer. Which of them get one choice, and which several, is the ranker's matter."""


def _find_vague(house: House) -> dict[str, str]:
    """Words that get several entries to choose from, and words that get one, found by asking as somebody else."""
    found: dict[str, str] = {}
    for words in VAGUE:
        offered = [one for one in house.citizen().ask(words)["choices"] if entry_in(one["payload"]) is not None]
        if offered:
            found.setdefault("{several likely}" if len(offered) > 1 else "{one likely}", words)
        if len(found) == 2:
            break
    return found


def _play(
    house: House, zalo: ZaloSimulator, database: str, vague: Mapping[str, str], conversation: Spoken
) -> list[Turned]:
    say = _on_zalo(zalo) if conversation.channel == "zalo" else _on_web(house.citizen())
    done: list[Turned] = []
    with psycopg.connect(database, autocommit=True) as connection:
        state = _State(vague)
        for saying in conversation.sayings:
            words = state.fill(saying.say)
            seen = _look(connection, say(saying, words))
            done.append(Turned(saying, words, seen, is_right(saying.want, seen, state.offered)))
            state.offered = list(seen.offered) or state.offered
            state.code = seen.ticket or state.code
    return done


@dataclass
class _State:
    """What the citizen has on the screen."""

    vague: Mapping[str, str]
    offered: list[str] = field(default_factory=list)
    code: str = "TH-22222"

    def fill(self, text: str) -> str:
        """Put in what only the screen tells: the ticket's code, the words of a choice."""
        text = self.vague.get(text, text).replace("{code}", self.code)
        if found := re.fullmatch(r"\{(half of )?choice (\d)( without diacritics)?\}", text):
            at = int(found.group(2)) - 1
            words = self.offered[at].split() if at < len(self.offered) else ["(không", "có", "lựa", "chọn)"]
            line = " ".join(words[: (len(words) + 1) // 2] if found.group(1) else words)
            return fold(line) if found.group(3) else line
        return text


Say = Callable[[Saying, str], tuple[str, int | str]]
"""Sends a message; column and value that its row is found by."""


def _on_web(citizen: Citizen) -> Say:
    def say(saying: Saying, words: str) -> tuple[str, int | str]:
        return "id", citizen.say(words, saying.press)

    return say


def _on_zalo(zalo: ZaloSimulator) -> Say:
    user = f"{uuid.uuid4().int % 10**18:018d}"
    point = {"coordinates": {"latitude": "19.8067", "longitude": "105.7764"}}
    payloads = {
        "sticker": {"id": "bfe458bf64fa8da4d4eb", "url": f"{zalo.url}/s.png"},
        "image": {"url": f"{zalo.url}/i.jpg", "thumbnail": f"{zalo.url}/t.jpg"},
        "location": point,
    }

    def say(saying: Saying, words: str) -> tuple[str, int | str]:
        def send() -> str:
            if saying.play is None:
                return zalo.say(user, saying.press or words)
            attachment = {"type": saying.play, "payload": payloads[saying.play]}
            return zalo.event(user, f"user_send_{saying.play}", {"attachments": [attachment]})

        return "provider_message_id", zalo.running.call(send)

    return say


def _look(connection: "psycopg.Connection[tuple[object, ...]]", row: tuple[str, int | str]) -> Seen:
    """What was decided, once it is. Raises AssertionError when that takes minutes."""
    deadline = time.monotonic() + PATIENCE_S
    column, value = row
    while time.monotonic() < deadline:
        found = connection.execute(f"select id from messages where {column} = %s".encode(), (value,)).fetchone()
        lines = connection.execute(_SEEN.encode(), found).fetchall() if found else []
        if lines:
            return _seen(lines)
        time.sleep(0.05)
    raise AssertionError(f"the message {value} is not handled")


def _seen(lines: Sequence[Sequence[object]]) -> Seen:
    outcome, intent = lines[0][:2]
    offered = [str(one) for line in lines if isinstance(line[5], list) for one in line[5]]
    return Seen(
        outcome=str(outcome),
        intent=str(intent) if intent else None,
        answered=tuple(str(line[4]) for line in lines if line[4]),
        offered=tuple(offered),
        ticket=next((str(line[3]) for line in lines if line[3]), None),
        text="\n".join(str(line[2]) for line in lines if line[2]),
    )
