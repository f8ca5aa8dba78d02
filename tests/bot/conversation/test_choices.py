"""A button, its number, or its words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts.ids import EntryId
from bot.contracts.messages import Choice
from bot.conversation.choices import (
    HELPED,
    NOT_HELPED,
    PERSON,
    entry_in,
    entry_payload,
    find_choice,
    is_payload,
)

OFFERED = (
    Choice("Đăng ký khai sinh cần giấy tờ gì?", "#q:11"),
    Choice("Đăng ký lại khai sinh ở đâu?", "#q:22"),
    Choice("Boong tàu có được đứng không?", "#q:33"),
    Choice("Gặp cán bộ", PERSON),
)


@pytest.mark.parametrize(
    ("said", "picks"),
    [
        ("1", "#q:11"),
        (" 2. ", "#q:22"),
        ("số 2", "#q:22"),
        ("so 3", "#q:33"),
        ("chọn câu 1", "#q:11"),
        ("Câu thứ hai", "#q:22"),
        ("câu thứ nhất", "#q:11"),
        ("cái đầu tiên ạ", "#q:11"),
        ("ý cuối cùng", "#q:33"),
        ("1 ạ", "#q:11"),
        ("dạ số 2 nhé", "#q:22"),
        ("BA", "#q:33"),
        ("bốn", PERSON),
        ("2️⃣", "#q:22"),
        ("(1)", "#q:11"),
        ("5", None),
        ("0", None),
        ("12", None),
        ("21 ngày", None),
        ("2 con tôi học trường nào", None),
        ("gặp cán bộ", PERSON),
        ("GAP CAN BO!", PERSON),
        ("dang ky khai sinh can giay to gi", "#q:11"),
        ("Đăng kýyy lại khai sinh ở đâu???", "#q:22"),
        ("boong tau co duoc dung khong", "#q:33"),
        ("khai sinh", None),
        ("", None),
        ("👍", None),
    ],
)
def test_what_words_pick(said: str, picks: str | None) -> None:
    assert find_choice(said, None, OFFERED) == picks


@pytest.mark.parametrize("said", ["1", "hai", "gặp cán bộ", "số 1"])
def test_words_pick_nothing_when_nothing_is_on_offer(said: str) -> None:
    assert find_choice(said, None, ()) is None


@pytest.mark.parametrize("payload", [PERSON, HELPED, NOT_HELPED, "#q:7"])
def test_a_button_counts_at_any_time_as_payload_or_as_text(payload: str) -> None:
    assert find_choice("Nút", payload, ()) == payload
    assert find_choice(f" {payload} ", None, ()) == payload


def test_a_payload_of_ours_that_is_on_offer_counts() -> None:
    assert find_choice("", "/form_yes", (Choice("Đồng ý", "/form_yes"),)) == "/form_yes"
    assert find_choice("", "/form_yes", ()) is None


@given(st.integers(0, 10**18 - 1))
def test_entry_payloads_come_back(entry: int) -> None:
    assert entry_in(entry_payload(EntryId(entry))) == entry


@given(st.text(max_size=40))
def test_no_text_but_a_payload_is_a_payload(said: str) -> None:
    assert is_payload(said) is (said in {PERSON, HELPED, NOT_HELPED} or entry_in(said) is not None)
    assert find_choice(said, None, ()) == (said.strip() if is_payload(said.strip()) else None)


@pytest.mark.parametrize("typed", ["#q:", "#q:x", "#q:-1", "#q:٣", "#q:1 or 1=1", "#q:" + "9" * 30, "q:1", "#Q:1"])
def test_a_made_up_payload_is_no_entry(typed: str) -> None:
    assert entry_in(typed) is None


@given(st.text(max_size=60), st.lists(st.builds(Choice, st.text(max_size=20), st.text(max_size=20)), max_size=4))
def test_only_what_is_offered_or_ours_is_picked(said: str, offered: list[Choice]) -> None:
    picked = find_choice(said, None, offered)
    assert picked is None or is_payload(picked) or picked in {one.payload for one in offered}
