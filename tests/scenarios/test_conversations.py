"""Conversations of citizens of different age and patience through the whole house: the decision at each turn.

How they are written: conversations/README.md. The count is docs/quality.md's.
"""

from collections.abc import Iterator

import pytest

from bench.conversations import BEGIN, END, PAGE, page_figures
from tests.ports import free_port
from tests.scenarios.conftest import LADDER_S, PATIENT, scratch
from tests.scenarios.conversations.count import cause_of
from tests.scenarios.conversations.play import Turned, play_all
from tests.scenarios.conversations.spoken import Seen, Spoken, entry_called, is_right, load_spoken
from tests.scenarios.house import PATIENCE_S, opened
from tests.simulators.zalo import ZaloSimulator

CONVERSATIONS = load_spoken()
ANSWERED = Seen("answer", answered=(entry_called("F0 là gì"),), text="F0 là …")
PICKS = (entry_called("F0 là gì"), entry_called("Thế nào là F1"), entry_called("Thế nào là F2"))


@pytest.fixture(scope="module")
def played() -> Iterator[dict[str, list[Turned]]]:
    """Every conversation, in a house of its own: other scenarios teach theirs new entries."""
    port = free_port()
    zalo = ZaloSimulator(gateway=f"http://127.0.0.1:{port}", ladder_s=LADDER_S, patience_s=PATIENCE_S).start()
    try:
        with scratch() as data, opened(data, zalo.environment() | PATIENT, port=port) as house:
            yield play_all(house, zalo, CONVERSATIONS)
    finally:
        zalo.stop()


@pytest.mark.slow
@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda one: one.name)
def test_each_turn_is_decided_as_a_good_operator_would(played: dict[str, list[Turned]], conversation: Spoken) -> None:
    for turn in played[conversation.name]:
        if turn.saying.known:
            assert not turn.right, f"{turn.words!r} is right now: take its mark away ({turn.saying.known})"
        else:
            assert turn.right, f"{turn.words!r}: wanted {turn.saying.want}, but {turn.seen}"


def test_there_are_more_than_fifty_and_each_has_its_own_name() -> None:
    assert len({one.name for one in CONVERSATIONS}) == len(CONVERSATIONS) > 50


def test_every_mark_names_a_cause_and_what_happens() -> None:
    for turn in (turn for one in CONVERSATIONS for turn in one.sayings if turn.known):
        assert cause_of(turn)
        assert len((turn.known or "").split()) > 3, turn.say


def test_the_page_of_quality_carries_these_figures() -> None:
    page = PAGE.read_text("utf-8")
    shown = page.partition(BEGIN)[2].partition(END)[0].strip()
    assert shown == page_figures(CONVERSATIONS), "python -m bench.conversations --write"


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda one: one.name)
def test_every_wish_can_be_read(conversation: Spoken) -> None:
    for turn in conversation.sayings:
        is_right(turn.want, Seen("silent"), ())


@pytest.mark.parametrize(
    ("want", "seen", "right"),
    [
        ({"answer": "F0 là gì"}, ANSWERED, True),
        ({"answer": ["F0 là gì", "Thế nào là F1"]}, ANSWERED, False),
        ({"answer": "Thế nào là F1"}, ANSWERED, False),
        ({"find": "F0 là gì"}, ANSWERED, True),
        ({"choose": "F0 là gì"}, ANSWERED, False),
        ({"choose": "F0 là gì"}, Seen("choose", offered=PICKS[:1]), True),
        ({"choose": "any"}, Seen("choose"), False),
        ({"picked": 1}, ANSWERED, True),
        ({"picked": 2}, ANSWERED, False),
        ({"picked": 9}, ANSWERED, False),
        ("handover", Seen("handover", ticket="TH-22222"), True),
        ("handover", Seen("answer", answered=PICKS[:1], ticket="TH-22222"), False),
        ({"answer": "F0 là gì"}, Seen("answer", answered=PICKS[:1], ticket="TH-22222"), False),
        ({"answer": "F0 là gì", "ticket": True}, Seen("answer", answered=PICKS[:1], ticket="TH-22222"), True),
        ({"says": "thanks"}, Seen("dialogue", text="Rất vui được hỗ trợ bạn."), True),
        ({"says": "thanks"}, Seen("dialogue", text="Rất vui được hỗ trợ bạn.", ticket="TH-22222"), False),
        ({"says": "status"}, Seen("dialogue", text="Tiếp nhận lúc 7:00", ticket="TH-22222"), True),
        ({"emergency": "115"}, Seen("emergency", text="gọi NGAY 115", ticket="TH-22222"), True),
        ({"emergency": "115"}, Seen("emergency", text="gọi NGAY 114", ticket="TH-22222"), False),
        ("handover", Seen("emergency", text="gọi NGAY 115", ticket="TH-22222"), False),
        ("quiet", Seen("dialogue", text="Xin chào"), True),
        ("quiet", ANSWERED, False),
        ("silent", ANSWERED, False),
        ({"any": ["quiet", "handover"]}, Seen("handover", ticket="TH-22222"), True),
        ({"any": ["quiet", "handover"]}, ANSWERED, False),
    ],
)
def test_what_fits_a_wish(want: object, seen: Seen, right: bool) -> None:
    assert is_right(want, seen, PICKS) is right


def test_a_wish_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown wish"):
        is_right({"answr": "F0 là gì"}, ANSWERED, ())
