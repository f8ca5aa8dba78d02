"""What became of every message, from the house's rows and from what the platforms saw.

Lost, answered twice and out of order are counted on both sides: a message that the citizen's platform never showed is
lost whatever our rows say, and one that it showed and no row knows went out twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.scenarios.house import House

WENT_OUT = ("sent", "delivered", "seen")


class Shown(Protocol):
    """One message in a simulator."""

    id: str
    user: str
    from_oa: bool


class Platform(Protocol):
    """A simulator."""

    name: str
    messages: list[Any]


@dataclass(frozen=True)
class Spoken:
    """One message that a citizen sent, as the sender knows it."""

    channel: str
    citizen: str
    """The platform's id of the citizen; in the web chat any name that is one conversation's."""
    id: str
    """The platform's id; in the web chat the page's own id."""


@dataclass
class Tally:
    """Findings, each a line that says which message it is about."""

    spoken: int = 0
    answered: int = 0
    ticketed: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Nothing went wrong."""
        return not (self.lost or self.twice or self.out_of_order)


def open_work(house: House) -> int:
    """How many messages are still to be worked out or to be sent."""
    return int(
        house.sql(
            "select (select count(*) from messages where direction = 'in' and handled_at is null) + "
            "(select count(*) from messages where status in ('queued', 'sending', 'uncertain'))"
        )[0][0]
    )


def audit(house: House, spoken: Sequence[Spoken], platforms: Iterable[Platform]) -> Tally:
    """Compare what was said with what was answered. Every message must have been answered by the bot.

    "In order": answers follow the order in which their messages were accepted. The web chat sends one after another,
    so there that is also the order of writing; a platform that repeats a delivery decides the order itself.
    """
    tally = Tally(spoken=len(spoken))
    rows = house.sql(
        "select m.id, m.conversation_id, m.channel, m.direction, m.provider_message_id, m.handled_at is not null, "
        "m.status, m.answers, m.provider_ids, m.ticket, m.text, m.author, c.citizen_ref "
        "from messages m join conversations c on c.id = m.conversation_id order by m.id"
    )
    inbound = {(row[2], _own_id(row)): row for row in rows if row[3] == "in"}
    replies: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        if row[3] == "out" and row[7] is not None:
            replies[row[7]].append(row)
    conversations: set[int] = set()
    for one in spoken:
        stored = inbound.get((one.channel, one.id))
        if stored is None:
            tally.lost.append(f"{one}: never stored")
            continue
        conversations.add(stored[1])
        _judge(tally, one, stored, replies[stored[0]])
    _check_web_order(tally, spoken, inbound)
    for conversation in sorted(conversations):
        ours = [row for row in rows if row[1] == conversation and row[3] == "out" and row[7] is not None]
        answered = [row[7] for row in ours]
        if answered != sorted(answered):
            tally.out_of_order.append(f"conversation {conversation}: answers {answered}")
    for platform in platforms:
        users = {one.citizen for one in spoken if one.channel == platform.name}
        mine = [row for row in rows if row[2] == platform.name and row[12] in users and row[3] == "out"]
        _check_platform(tally, platform, users, mine)
    return tally


def _own_id(row: Sequence[Any]) -> str:
    return str(row[4]).removeprefix(f"{row[12]}:") if row[2] == "webchat" else str(row[4])


def _judge(tally: Tally, one: Spoken, row: Sequence[Any], answers: Sequence[Sequence[Any]]) -> None:
    if not row[5]:
        tally.lost.append(f"{one}: never worked out")
    elif not answers:
        tally.lost.append(f"{one}: no answer")
    else:
        tally.answered += 1
        tally.ticketed += any(answer[9] for answer in answers)
    told = [answer[10] for answer in answers]
    if len(told) != len(set(told)):
        tally.twice.append(f"{one}: message {row[0]} has the same reply twice")
    for answer in answers:
        if answer[6] not in WENT_OUT:
            tally.lost.append(f"{one}: reply {answer[0]} is {answer[6]}")


def _check_web_order(tally: Tally, spoken: Sequence[Spoken], inbound: Mapping[tuple[str, str], Sequence[Any]]) -> None:
    last: dict[str, int] = {}
    for one in spoken:
        row = inbound.get((one.channel, one.id))
        if one.channel != "webchat" or row is None:
            continue
        if row[0] < last.get(one.citizen, 0):
            tally.out_of_order.append(f"{one}: stored before an earlier one")
        last[one.citizen] = row[0]


def _check_platform(tally: Tally, platform: Platform, users: set[str], rows: Sequence[Sequence[Any]]) -> None:
    shown: list[Shown] = [one for one in platform.messages if one.from_oa and one.user in users]
    known = {provider: row for row in rows for provider in row[8]}
    there = {one.id for one in shown}
    tally.lost += [
        f"{platform.name}: row {row[0]} never arrived"
        for row in rows
        if row[6] in WENT_OUT and not (row[8] and set(row[8]) <= there)
    ]
    tally.twice += [
        f"{platform.name}: {one.id} to {one.user} is known to no row" for one in shown if one.id not in known
    ]
    for user in users:
        order = [known[one.id][0] for one in shown if one.user == user and one.id in known]
        if order != sorted(order):
            tally.out_of_order.append(f"{platform.name}: {user} got rows {order}")
