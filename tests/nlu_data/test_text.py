"""Text as people type it: what every reader in the house relies on."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu_data.vi_nlu.text import (
    clean,
    expand,
    fold,
    fold_repeats,
    has_diacritics,
    is_plain_syllable,
    is_syllable,
    place_tones,
    strip_diacritics,
    syllables,
    untype,
)

VIETNAMESE = "aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
texts = st.text(st.sampled_from(VIETNAMESE + VIETNAMESE.upper() + " .,!?0123456789\n\t"), max_size=60)
anything = st.text(max_size=80)


@given(anything)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert once == unicodedata.normalize("NFC", once).strip()


@given(anything)
def test_folded_text_is_plain_and_stays_so(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert once == once.lower()
    assert "  " not in once


@given(texts)
def test_marks_case_and_composition_make_no_difference_when_folded(text: str) -> None:
    assert fold(text) == fold(strip_diacritics(text)) == fold(text.upper())
    assert fold(text) == fold(unicodedata.normalize("NFD", text))


@given(texts)
def test_stripping_leaves_no_marks_and_every_letter(text: str) -> None:
    bare = strip_diacritics(text)
    assert bare.isascii()
    assert len(bare) == len(unicodedata.normalize("NFC", text))
    assert not has_diacritics(bare)


@given(texts)
def test_syllables_are_the_words_in_order(text: str) -> None:
    assert [strip_diacritics(one) for one in syllables(text)] == [
        strip_diacritics(one).lower() for one in "".join(c if c.isalnum() else " " for c in text).split()
    ]


@given(
    st.sampled_from(["khó", "thở", "quá", "ngất", "cấp", "cứu", "được", "đường", "thuốc", "tiêm"]), st.integers(2, 6)
)
def test_drawn_out_letters_are_drawn_in(word: str, times: int) -> None:
    assert fold_repeats(word[:-1] + word[-1] * (times + 1)) == word
    assert fold(word + word[-1] * times) == fold(word)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("dduwowjc", "được"),
        ("tieem", "tiêm"),
        ("tieme", "tiêm"),
        ("d9u7o7c5", "được"),
        ("tie6m", "tiêm"),
        ("thowr", "thở"),
        ("khos", "khó"),
        ("f0", "f0"),
        ("zalo", "zalo"),
        ("covid19", "covid19"),
        ("b2", "b2"),
    ],
)
def test_keys_that_stayed_keys(typed: str, meant: str) -> None:
    assert untype(typed) == meant


_KEYS = {"\u0300": "f", "\u0301": "s", "\u0309": "r", "\u0303": "x", "\u0323": "j"}
_SHAPES = {"â": "aa", "ê": "ee", "ô": "oo", "ă": "aw", "ơ": "ow", "ư": "uw", "đ": "dd"}
_WORDS = [
    "được",
    "tiêm",
    "thở",
    "ngất",
    "cứu",
    "đường",
    "thuốc",
    "khẩn",
    "cấp",
    "bệnh",
    "viện",
    "trường",
    "nước",
    "lửa",
    "người",
    "sốt",
    "nặng",
    "chồng",
    "mệt",
]


@given(st.sampled_from(_WORDS))
def test_a_word_typed_in_telex_is_read_back(word: str) -> None:
    tone = next((_KEYS[one] for one in unicodedata.normalize("NFD", word) if one in _KEYS), "")
    bare = unicodedata.normalize("NFC", "".join(c for c in unicodedata.normalize("NFD", word) if c not in _KEYS))
    typed = "".join(_SHAPES.get(one, one) for one in bare) + tone
    assert untype(typed) == word


@given(st.sampled_from([*_WORDS, "hòa", "thủy", "khỏe", "quý", "loan", "hóa"]))
def test_a_vietnamese_word_is_left_alone(word: str) -> None:
    assert is_syllable(word)
    assert is_plain_syllable(strip_diacritics(word))
    assert untype(word) == word
    assert place_tones(word) == place_tones(place_tones(word))


@pytest.mark.parametrize(("old", "new"), [("hoà", "hòa"), ("thuỷ", "thủy"), ("khoẻ", "khỏe"), ("quý", "quý")])
def test_tones_stand_in_one_place(old: str, new: str) -> None:
    assert place_tones(old) == new


@pytest.mark.parametrize("word", ["xyz", "facebook", "ngnh", "bhyt", ""])
def test_other_words_are_no_syllables(word: str) -> None:
    assert not is_syllable(word)


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("kh\u200bó thở", "khó thở"),
        ("𝐤𝐡ó thở", "khó thở"),
        ("саp cuu", "cap cuu"),
        ("khó   thở!!!", "khó thở!"),
        ("cấp cứu 🚑🚑", "cấp cứu"),
        ("ho\u0300a", "hòa"),
    ],
)
def test_tricks_of_spelling_are_cleaned(written: str, seen: str) -> None:
    assert clean(written) == seen


TABLE = {"k": "không", "đc": "được", "bh": "bảo hiểm", "bh yt": "bảo hiểm y tế"}


@given(st.lists(st.sampled_from(["k", "đc", "bh", "yt", "tiêm", "ở"]), max_size=10))
def test_abbreviations_longest_first_and_nothing_else_changes(words: list[str]) -> None:
    out = " ".join(expand(words, TABLE)).split()
    assert [one for one in out if one in {"tiêm", "ở"}] == [one for one in words if one in {"tiêm", "ở"}]
    assert "k" not in out
    assert "đc" not in out
    assert " ".join(words).count("bh yt") == " ".join(out).count("bảo hiểm y tế")
