"""Long answers in parts: nothing lost, nothing too long, no word and no link cut."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts.messages import Choice
from connectors.numbered import with_numbered
from connectors.split import chars, split_for

LINK = "https://dichvucong.gov.vn/p/home/dvc-chi-tiet.html?ma=1.004&x=a.b"
DECOMPOSED = unicodedata.normalize("NFD", "thuế")
words = st.sampled_from(
    [
        *("Người", "dân", "cần", "mang", "TP.", "ThS.", "1.", "68/2021/NQ-CP.", "hết!", "sao?", "vậy…", "😀", "“Có.”"),
        *("\n", "\n\n", LINK, DECOMPOSED),
    ]
)
vietnamese = st.lists(words, max_size=400).map(" ".join)


def squeezed(text: str) -> list[str]:
    return unicodedata.normalize("NFC", text).split()


@given(text=vietnamese, max_chars=st.integers(70, 2000))
def test_every_word_survives_whole_and_every_part_fits(text: str, max_chars: int) -> None:
    parts = split_for(text, max_chars)
    assert [word for part in parts for word in part.split()] == squeezed(text)
    assert all(0 < chars(part) <= max_chars for part in parts)


@given(text=st.text(max_size=600), max_chars=st.integers(2, 50))
def test_any_text_fits_and_loses_only_blanks(text: str, max_chars: int) -> None:
    parts = split_for(text, max_chars)
    assert "".join("".join(part.split()) for part in parts) == "".join(squeezed(text))
    assert all(0 < chars(part) <= max_chars for part in parts)


@given(text=vietnamese)
def test_the_same_text_is_always_cut_the_same_way(text: str) -> None:
    """A retry starts after the parts that went out, so the cuts must not move."""
    assert split_for(text, 200) == split_for(unicodedata.normalize("NFD", text), 200)


@pytest.mark.parametrize(
    ("text", "max_chars", "parts"),
    [
        ("", 10, []),
        (" \n ", 10, []),
        ("Ngắn.", 10, ["Ngắn."]),
        ("Câu một. Câu hai. Câu ba.", 18, ["Câu một. Câu hai.", "Câu ba."]),
        ("Đến TP. Thanh Hóa rồi rẽ phải", 22, ["Đến TP. Thanh Hóa rồi", "rẽ phải"]),
        ("Hồ sơ gồm:\n1. Đơn\n2. Thẻ căn cước", 20, ["Hồ sơ gồm:\n1. Đơn", "2. Thẻ căn cước"]),
        ("Đoạn đầu dài. Câu.\n\nĐoạn sau.", 24, ["Đoạn đầu dài. Câu.", "Đoạn sau."]),
        ("Xem https://a.vn/b.c?d=e.f ngay nhé", 26, ["Xem https://a.vn/b.c?d=e.f", "ngay nhé"]),
        ("Xem https://a.vn/b.c?d=e.f", 25, ["Xem", "https://a.vn/b.c?d=e.f"]),
    ],
)
def test_where_it_is_cut(text: str, max_chars: int, parts: list[str]) -> None:
    assert split_for(text, max_chars) == parts


def test_emoji_count_as_two_and_are_not_halved() -> None:
    assert split_for("😀" * 5, 4) == ["😀😀", "😀😀", "😀"]


def test_a_limit_below_two_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        split_for("a", 1)


def test_numbers_under_a_text() -> None:
    choices = (Choice("Có", "y"), Choice("Không", "n"))
    assert with_numbered("Đúng không?", choices).splitlines()[0] == "Đúng không?"
    assert with_numbered("", choices).endswith("1. Có\n2. Không")
