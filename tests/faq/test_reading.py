"""What citizens type is read as what they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts.errors import Refused
from faq.clauses import clauses_of, follow_up, questions_of, sentences_of
from faq.lexicon import Counts, Lexicon
from faq.normalise import Abbreviations, canonical, load_abbreviations, parse_abbreviations, words_of
from faq.ranker import load_ranker
from faq.repair import read
from faq.settings import FaqSettings

SETTINGS = FaqSettings()
TABLE: Abbreviations = load_abbreviations(SETTINGS.abbreviations)
BANK = (
    "đăng ký kết hôn cần giấy tờ gì",
    "thủ tục cấp giấy phép xây dựng nhà ở",
    "thời gian cách ly của f1 là bao lâu",
    "nhập hộ khẩu cho con mới sinh",
    "đăng ký hộ khẩu thường trú",
    "tiêm vắc xin cho phụ nữ mang thai",
)
LEXICON = Lexicon(Counts.of([words_of(text) for text in BANK]), load_ranker(SETTINGS.ranker).ordinary)


def reading(text: str) -> str:
    return " ".join(canonical(read(words_of(text), LEXICON, TABLE).words, TABLE))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("dang ky ket hon can giay to gi", "đăng ký kết hôn cần giấy tờ gì"),
        ("ĐĂNG KÝ KẾT HÔN CẦN GIẤY TỜ GÌ", "đăng ký kết hôn cần giấy tờ gì"),
        ("ddawng kys keets hoon", "đăng ký kết hôn"),
        ("thủ ụtc cấp giấy phép xây dựng", "thủ tục cấp giấy phép xây dựng"),
        ("giấyphép xây dựng", "giấy phép xây dựng"),
        ("nhập hk cho con", "nhập hộ khẩu cho con"),
        ("tg cách ly f1 bao lâu", "thời gian cách ly f1 bao lâu"),
        ("phu nu mang thai tiem vacxin dc ko", "phụ nữ mang thai tiêm vắc xin được không"),
        ("thời gian cách ly của f1 là bao lâuuuu", "thời gian cách ly của f1 là bao lâu"),
    ],
)
def test_read_as_meant(typed: str, meant: str) -> None:
    assert reading(typed) == meant


@pytest.mark.parametrize("text", BANK)
def test_well_written_text_stays_and_costs_nothing(text: str) -> None:
    found = read(words_of(text), LEXICON, TABLE)
    assert " ".join(found.words) == text
    assert found.repairs == 0


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    typed = words_of(text)
    found = read(typed, LEXICON, TABLE)
    assert len(found.words) == len(found.origin)
    assert list(found.origin) == sorted(found.origin)
    assert bool(found.words) == bool(typed)


def test_a_polite_message_is_cut_to_its_question() -> None:
    text = "Dạ em chào anh chị ạ, cho em hỏi là đăng ký kết hôn cần giấy tờ gì em cảm ơn nhiều ạ!"
    clauses = clauses_of([read(words, LEXICON, TABLE).words for words in sentences_of(text)])
    assert ("đăng", "ký", "kết", "hôn", "cần", "giấy", "tờ", "gì") in clauses


def test_only_courtesies_leave_nothing() -> None:
    assert clauses_of([words_of("dạ em cảm ơn anh chị nhiều ạ")]) == []


def test_two_questions_are_told_apart() -> None:
    assert len(questions_of("Em là F1. Phải cách ly bao lâu? Tiêm ở đâu?")) == 2
    assert questions_of("Em là F1. Phải cách ly bao lâu?") == ["Em là F1. Phải cách ly bao lâu?"]
    assert len(questions_of("siêu thị có mở không với lại xe buýt chạy chưa ạ")) == 2
    assert len(questions_of("kết hôn ở đâu và cho em hỏi khai sinh cần gì")) == 2
    assert len(questions_of("em tiêm rồi với lại hết sốt rồi có phải cách ly không")) == 1


def test_follow_up() -> None:
    assert follow_up(words_of("thế còn trẻ em?")) == ("trẻ", "em")
    assert follow_up(words_of("ở Sầm Sơn thì sao?")) == ("ở", "sầm", "sơn")
    assert follow_up(words_of("dạ thế còn trẻ em ạ")) == ("trẻ", "em", "ạ")
    assert follow_up(words_of("thì phải báo ai")) == ("phải", "báo", "ai")
    longer = ("vợ", "em", "chưa", "tiêm", "mũi", "nào")
    assert follow_up(words_of("vậy vợ em chưa tiêm mũi nào thì sao ạ")) == longer
    assert follow_up(words_of("đăng ký kết hôn cần giấy tờ gì")) is None


def test_a_broken_table_names_the_trouble() -> None:
    with pytest.raises(Refused, match="không"):
        parse_abbreviations("nhóm:\n  không: k\n")
