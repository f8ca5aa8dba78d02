"""Every error of PROTOCOLS.md 2.8, in that document's order, and what becomes of a message that meets it."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.base.clock import now
from bot.contracts.errors import Action, GiveUp, NotYet, RetryLater
from bot.contracts.messages import Author
from connectors.messenger.connector import MessengerConnector
from connectors.messenger.errors import CODES
from connectors.messenger.marks import Mark
from connectors.messenger.send import body_of, parts_of
from connectors.messenger.window import window
from tests.connectors.messenger.conftest import CITIZEN, outbound
from tests.simulators.messenger import MessengerSimulator


@dataclass(frozen=True)
class Line:
    """One pair of the document. `told`: what the outbox is told."""

    code: int
    subcode: int | None
    told: Action | type[RetryLater]
    tries: int | None = None

    def __str__(self) -> str:
        return f"{self.code}/{self.subcode}" if self.subcode else str(self.code)


RETRY, LATER, STOP, FIX, OPERATOR, WINDOW = RetryLater, NotYet, Action.STOP, Action.FIX, Action.OPERATOR, Action.WINDOW
ALL = (
    Line(1, None, RETRY, tries=5),  # RETRY ≤ 4, then STOP
    Line(2, None, RETRY, tries=5),
    Line(1200, None, RETRY, tries=5),
    Line(4, None, RETRY),
    Line(4, 2018022, RETRY),
    Line(32, None, RETRY),
    Line(80006, None, RETRY),
    Line(613, None, RETRY),
    Line(9, 2018352, STOP),
    Line(10, 2018278, WINDOW),
    Line(10, 2018065, WINDOW),
    Line(10, 2534022, WINDOW),
    Line(10, 2018108, STOP),
    Line(200, 2018108, STOP),
    Line(10, 1893063, LATER),  # barred: probed from 30 min, doubling to 4 h
    Line(10, None, OPERATOR),
    Line(200, None, OPERATOR),
    Line(100, 2018001, STOP),
    Line(100, 33, STOP),
    Line(100, 2018109, FIX),
    Line(100, 2018008, FIX),  # retried once
    Line(100, 2018047, FIX),
    Line(100, 2018294, FIX),
    Line(100, 2018074, FIX),
    Line(100, None, FIX),
    Line(190, None, OPERATOR),
    Line(190, 463, OPERATOR),
    Line(190, 460, OPERATOR),
    Line(230, None, OPERATOR),
    Line(551, 1545041, STOP),
    Line(200, 1545041, STOP),
    Line(368, None, OPERATOR),
)
TWICE = {2018008, 2018047, 2018294, 2018074}
"""The attachment is given to Meta once more."""


def test_the_tables_are_the_same() -> None:
    listed = {(line.code, line.subcode) for line in ALL}
    assert {one for one in CODES if one not in listed} == {(551, None)}  # whatever its subcode
    assert all(one in CODES or (one[0], None) in CODES for one in listed)


@pytest.mark.parametrize("line", ALL, ids=str)
async def test_what_becomes_of_a_message(line: Line, meta: MessengerSimulator, connector: MessengerConnector) -> None:
    """Through the whole connector: Meta answers with this error, as often as it is asked."""
    meta.faults.next_codes = [str(line)] * 3
    with pytest.raises((RetryLater, GiveUp)) as failed:
        await connector.send(outbound())
    assert meta.to(CITIZEN) == []
    if isinstance(failed.value, GiveUp):
        assert failed.value.action is line.told
        assert failed.value.code == str(line)
        assert str(line) in failed.value.reason_vi
    else:
        assert type(failed.value) is line.told
        assert failed.value.tries == line.tries
        assert str(line) in failed.value.reason
    assert 3 - len(meta.faults.next_codes) == (2 if line.subcode in TWICE else 1)
    told_of_account = any("từ chối gửi tin" in one for one in await connector.warnings())
    assert told_of_account is (line.told is OPERATOR)


@pytest.mark.parametrize("code", ["3", "77777", "999/12"])
async def test_an_unknown_error_is_the_operators(
    code: str, meta: MessengerSimulator, connector: MessengerConnector
) -> None:
    meta.faults.next_codes = [code] * 2
    with pytest.raises(GiveUp) as failed:
        await connector.send(outbound())
    assert failed.value.action is OPERATOR
    assert len(meta.faults.next_codes) == 1


@pytest.mark.parametrize("author", Author)
@pytest.mark.parametrize("hours", [1, 30, 200])
def test_dead_tags_and_utility_templates_are_never_sent(author: Author, hours: float) -> None:
    """2.3, 2.4: the old tags are errors by now; UTILITY needs approved templates (open until the first day)."""
    message = outbound("Phiếu đã có trả lời.", author=author, last_inbound_at=now() - timedelta(hours=hours))
    lane = window(message.last_inbound_at, author, now(), human_agent=True)
    body = body_of(message, parts_of(message)[0], Mark(message.message, 1, 1), lane)
    assert (body["messaging_type"], body.get("tag")) in {("RESPONSE", None), ("MESSAGE_TAG", "HUMAN_AGENT")}
