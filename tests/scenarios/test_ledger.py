"""The ledger finds what it is there to find: scenarios and the soak rest on it."""

from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.house import House
from tests.scenarios.ledger import Spoken, audit
from tests.simulators.zalo import Said, ZaloSimulator

Row = list[Any]


class Written(House):
    """A house of which only the rows are known."""

    rows: list[Row]

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows, whatever was asked."""
        return [tuple(row) for row in sorted(self.rows)]


SPOKEN = [Spoken("webchat", "a", "own1"), Spoken("webchat", "a", "own2"), Spoken("zalo", "z", "m1")]


def inbound(number: int, channel: str, citizen: str, own_id: str) -> Row:
    provider_id = f"ref-{citizen}:{own_id}" if channel == "webchat" else own_id
    ref = f"ref-{citizen}" if channel == "webchat" else citizen
    return [number, ord(citizen), channel, "in", provider_id, True, None, None, [], None, "?", "citizen", ref]


def answer(number: int, to: Row, *provider_ids: str, text: str = "!", ticket: str | None = None) -> Row:
    ids = list(provider_ids)
    return [number, to[1], to[2], "out", None, False, "sent", to[0], ids, ticket, text, "bot", to[12]]


@pytest.fixture
def house(tmp_path: Path) -> Written:
    one = Written(tmp_path)
    first, second = inbound(1, "webchat", "a", "own1"), inbound(2, "webchat", "a", "own2")
    third = inbound(3, "zalo", "z", "m1")
    one.rows = [first, second, third, answer(4, first), answer(5, second, ticket="TH-22222"), answer(6, third, "p1")]
    return one


@pytest.fixture
def zalo() -> ZaloSimulator:
    simulator = ZaloSimulator()
    simulator.messages = [Said("m1", "z", False, 0.0, "?"), Said("p1", "z", True, 0.0, "!")]
    return simulator


def test_all_is_well(house: Written, zalo: ZaloSimulator) -> None:
    tally = audit(house, SPOKEN, [zalo])
    assert tally.clean
    assert (tally.spoken, tally.answered, tally.ticketed) == (3, 3, 1)


@pytest.mark.parametrize("gone", range(6))
def test_a_row_that_is_missing_is_a_loss(house: Written, zalo: ZaloSimulator, gone: int) -> None:
    del house.rows[gone]
    assert audit(house, SPOKEN, [zalo]).lost


@pytest.mark.parametrize(("column", "value"), [(5, False), (6, "queued"), (6, "failed")])
def test_what_was_not_finished_is_a_loss(house: Written, zalo: ZaloSimulator, column: int, value: object) -> None:
    house.rows[0 if column == 5 else 5][column] = value
    assert audit(house, SPOKEN, [zalo]).lost


def test_sent_but_never_shown_is_a_loss(house: Written, zalo: ZaloSimulator) -> None:
    zalo.messages.pop()
    assert audit(house, SPOKEN, [zalo]).lost


def test_the_same_reply_twice(house: Written, zalo: ZaloSimulator) -> None:
    house.rows.append(answer(7, house.rows[1]))
    tally = audit(house, SPOKEN, [zalo])
    assert tally.twice
    assert not tally.lost


def test_shown_twice_on_the_platform(house: Written, zalo: ZaloSimulator) -> None:
    zalo.messages.append(Said("p2", "z", True, 1.0, "!"))
    assert audit(house, SPOKEN, [zalo]).twice


def test_answers_out_of_order(house: Written, zalo: ZaloSimulator) -> None:
    house.rows[3][7], house.rows[4][7] = 2, 1
    assert audit(house, SPOKEN, [zalo]).out_of_order


def test_stored_out_of_order(house: Written, zalo: ZaloSimulator) -> None:
    assert audit(house, [SPOKEN[1], SPOKEN[0], SPOKEN[2]], [zalo]).out_of_order


def test_shown_out_of_order(house: Written, zalo: ZaloSimulator) -> None:
    house.rows.append(answer(7, house.rows[2], "p0", text="!!"))
    zalo.messages.insert(1, Said("p0", "z", True, 0.0, "!!"))
    tally = audit(house, SPOKEN, [zalo])
    assert tally.out_of_order
    assert not tally.twice
