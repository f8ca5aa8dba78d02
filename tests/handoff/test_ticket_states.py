"""Codes and states of a ticket, without a database."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from handoff.ticket import (
    CODE_ALPHABET,
    KIND_VI,
    MOVE_VI,
    MOVES,
    OPEN,
    OUTCOME_VI,
    PRIORITY_VI,
    REASON_VI,
    STATE_VI,
    Move,
    MoveRefused,
    Outcome,
    Priority,
    Reason,
    State,
    TicketKind,
    new_code,
    parse_code,
    plan_move,
)


def test_codes_are_easy_to_read_out_and_hard_to_guess() -> None:
    codes = {new_code() for _ in range(2000)}
    assert len(codes) > 1990
    assert all(re.fullmatch(r"TH-[2-9A-HJ-NP-Z]{5}", one) for one in codes)
    assert {sign for one in codes for sign in one[3:]} == set(CODE_ALPHABET)


@pytest.mark.parametrize(
    "written", ["TH-7K3P9", "th-7k3p9", "TH7K3P9", "th 7k3p9", "Mã phiếu: TH – 7K3P9 ạ", "cho toi hoi phieu th-7k3p9"]
)
def test_a_code_is_found_however_it_is_typed(written: str) -> None:
    assert parse_code(written) == "TH-7K3P9"


@pytest.mark.parametrize(
    "written", ["", "TH", "TH-7K3", "TH-0O1I0", "Thanh Hóa", "thời hạn trả lời là bao lâu", "0912345678"]
)
def test_what_is_no_code_is_none(written: str) -> None:
    assert parse_code(written) is None


@given(st.text(max_size=20), st.text(alphabet=CODE_ALPHABET, min_size=5, max_size=5))
def test_a_code_is_found_at_the_end_of_any_words(before: str, body: str) -> None:
    found = parse_code(f"{before} TH-{body}")
    if parse_code(before) is None and "th" not in before.lower():
        assert found == f"TH-{body}"


@given(st.text(max_size=60))
def test_whatever_is_found_has_the_form_of_a_code(written: str) -> None:
    found = parse_code(written)
    assert found is None or re.fullmatch(r"TH-[2-9A-HJ-NP-Z]{5}", found)


def test_every_word_has_its_vietnamese() -> None:
    for enum, table in (
        (State, STATE_VI),
        (Move, MOVE_VI),
        (TicketKind, KIND_VI),
        (Priority, PRIORITY_VI),
        (Reason, REASON_VI),
        (Outcome, OUTCOME_VI),
    ):
        assert set(table) == set(enum)


def test_a_refused_move_says_in_vietnamese_why() -> None:
    with pytest.raises(MoveRefused) as refused:
        plan_move(State.CLOSED, Move.ANSWER)
    assert refused.value.message_vi == "Phiếu đang ở trạng thái “Đã đóng” nên không thể trả lời."


def test_from_every_state_a_ticket_can_come_to_its_end_and_back() -> None:
    for state in State:
        if state is not State.CLOSED:
            assert plan_move(state, Move.CLOSE) is State.CLOSED
    assert plan_move(State.CLOSED, Move.REOPEN) is State.WAITING


class Life(RuleBasedStateMachine):
    """Any sequence of moves that people may try, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State.WAITING
        self.answers = 0
        self.at_unit = False

    @rule(move=st.sampled_from(Move))
    def try_move(self, move: Move) -> None:
        before = self.state
        try:
            self.state = plan_move(before, move)
        except MoveRefused:
            assert (before, move) not in MOVES
            assert self.state is before
            return
        if move is Move.ANSWER:
            self.answers += 1
        if move is Move.REOPEN:
            assert before in {State.ANSWERED, State.CLOSED}
            self.answers = 0
        if move is Move.SEND_BACK:
            assert before in {State.FORWARDED, State.PROMISED}
        if before is State.CLOSED:
            assert move is Move.REOPEN

    @invariant()
    def the_citizen_waits_unless_answered_or_closed(self) -> None:
        assert (self.state in OPEN) == (self.state not in {State.ANSWERED, State.CLOSED})
        if self.state is State.ANSWERED:
            assert self.answers > 0


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
