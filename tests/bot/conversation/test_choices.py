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
    still_open,
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
        ("cái cuối cùng ấy", "#q:33"),
        ("dạ cho em xem câu 2 nhé", "#q:22"),
        ("cho xem câu 2 nữa", "#q:22"),
        ("cái trên cùng", "#q:11"),
        ("chọn 3 giúp em với", "#q:33"),
        ("câu một và câu hai", None),
        ("mũi 2", None),
        ("cho bà hỏi", None),
        ("cho ba hoi", None),
        ("đâu ạ", None),
        ("câu tư", PERSON),
        ("từ ngày 2", None),
        ("đăng ký lại khai sinh", "#q:22"),
        ("cái khai sinh cần giấy tờ gì ấy", "#q:11"),
        ("ở đâu", None),
        ("đăng ký khai sinh", None),
        ("khai sinh cho con ngoài giá thú cần giấy tờ gì", None),
        ("không phải mấy cái này", PERSON),
        ("khong cau nao dung", PERSON),
        ("ko phải", PERSON),
        ("không có câu nào đúng ý tôi", PERSON),
        ("không kích hoạt được VNeID", None),
        ("đúng rồi", None),
        ("", None),
        ("👍", None),
    ],
)
def test_what_words_pick(said: str, picks: str | None) -> None:
    assert find_choice(said, None, OFFERED) == picks


ONLY = (OFFERED[0], OFFERED[-1])


@pytest.mark.parametrize(
    ("said", "picks"),
    [
        ("đúng rồi", "#q:11"),
        ("dạ vâng ạ", "#q:11"),
        ("ừ", "#q:11"),
        ("OK em", "#q:11"),
        ("phải rồi, câu đó", "#q:11"),
        ("không", PERSON),
        ("k phải ạ", PERSON),
        ("sai rồi", PERSON),
        ("đúng là chán", None),
        ("vâng cảm ơn", None),
        ("không đeo khẩu trang phạt bao nhiêu", None),
        ("khai sinh giấy tờ", None),
    ],
)
def test_the_only_entry_is_picked_by_yes_and_refused_by_no(said: str, picks: str | None) -> None:
    assert find_choice(said, None, ONLY) == picks


@pytest.mark.parametrize("said", ["không", "đúng rồi", "không phải câu này"])
@pytest.mark.parametrize(
    "offered",
    [
        OFFERED[-1:],
        (Choice("Bỏ qua", "bỏ qua"),),
        (Choice("Gửi phản ánh", "/report"), Choice("Gặp cán bộ", "/ask_person")),
    ],
)
def test_yes_and_no_pick_nothing_where_no_entry_is_on_offer(said: str, offered: tuple[Choice, ...]) -> None:
    assert find_choice(said, None, offered) is None


def test_after_a_pick_the_other_entries_can_still_be_picked_but_no_longer_refused() -> None:
    left = still_open(OFFERED)
    assert find_choice("cho xem câu 2 nữa", None, left) == "#q:22"
    assert find_choice("không đúng", None, left) is None
    assert find_choice("đúng rồi", None, left) is None
    assert still_open(ONLY) == ()


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
