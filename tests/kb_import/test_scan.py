"""The looks at whole columns say the same as a look at each cell."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from viparse.normalize.tcvn3 import TCVN3

from kb_import.keys import key_of, keys_of
from kb_import.repair import repair_columns, repair_text
from kb_import.scan import LATIN_END, PUNCTUATION, VIETNAMESE, codes_of, find_long_numbers, is_plain, text_of
from tests.kb_import.corpus import legacy

OLD = legacy("Câu hỏi của người dân", TCVN3)
WORDS = (
    "hoà", "hòa", "Toàn", "HOÀ", "quý", "quỷ", "thuỷ", "Thuý ", "khoẻ", "oà", "uý", "Đoà_n", "o", "à", "(hoà)", "uoà",
    "ß", "İ", "ﬁ", "😀", "\u0301", "e\u0301", "\xa0", "\xad", "Ð", "ð", "_x000D_", " ", "  ", "\n", "\n\n\n", " \n",
    "\t", "–", "“a”", "…", "₫", "→", "\u200b", "0912 345 678", "038099012345", "12.345", "9", "\u1680", "\x7f", "Ω",
    "\u212b",
)  # fmt: skip
texts = st.lists(
    st.one_of(
        st.lists(st.sampled_from(WORDS), max_size=6).map("".join),
        st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x1f"), max_size=12),
    ),
    min_size=40,
    max_size=60,
)


@given(texts)
def test_keys_at_once_are_the_keys_one_by_one(cells: list[str]) -> None:
    composed = [unicodedata.normalize("NFC", one) for one in cells]
    assert keys_of(composed) == [key_of(one) for one in composed]


@given(texts)
def test_a_plain_column_has_nothing_to_repair(cells: list[str]) -> None:
    stripped = [one.strip() for one in cells]
    if is_plain(codes_of("\x1f".join(stripped))):
        shy = [one for one in stripped if not re.search("[Ðð\xad]|_x000", one)]
        assert [repair_text(one) for one in shy] == shy


@given(texts)
def test_a_repaired_column_is_one_of_repaired_cells(cells: list[str]) -> None:
    (column,), conversions, _ = repair_columns([cells])
    if not conversions:
        assert list(column) == [repair_text(one) for one in cells]


@given(texts)
def test_long_numbers_are_found_wherever_they_stand(cells: list[str]) -> None:
    exact = re.compile(r"[0-9](?:[ .-]?[0-9]){8}")
    assert {number for number, one in enumerate(cells) if exact.search(one)} <= set(find_long_numbers(cells, 9, 17))


def test_every_letter_that_passes_as_plain_is() -> None:
    for start, end in ((0x20, 0x7F), (0xA1, LATIN_END), VIETNAMESE, *PUNCTUATION):
        for code in range(start, end):
            one = chr(code)
            if one in "\xadÐð" or not is_plain(codes_of(f"a{one}a")):
                continue
            assert one.isprintable() or unicodedata.category(one) == "Cn"
            assert unicodedata.is_normalized("NFC", f"a{one}a")
            assert repair_text(f"a{one}a") == f"a{one}a"


def test_ordinary_vietnamese_is_plain() -> None:
    text = "Người dân “đăng ký” ở đâu?\n- Tại UBND xã – giá 10.000 ₫…\x1fHòa giải"
    assert is_plain(codes_of(text))
    assert text_of(codes_of(text)) == text


@pytest.mark.parametrize("cells", [["I. Tiêm phòng"], ["Ghi chú", "hỏi lại chị Hà"], ["Căn cứ", "Thông tư số 10 có"]])
def test_a_column_in_unicode_is_left_alone_beside_one_in_an_old_font(cells: list[str]) -> None:
    """Their letters stand for others in TCVN3, but what came out would be no better Vietnamese."""
    (column, _), conversions, _ = repair_columns([cells, [OLD]], fonts=[".VnTime"])
    assert list(column) == cells
    assert [one.column for one in conversions] == [1]


def test_one_cell_in_an_old_font_is_converted() -> None:
    _, (conversion,), _ = repair_columns([[OLD]], fonts=[".VnTime"])
    assert conversion.after == "Câu hỏi của người dân"
