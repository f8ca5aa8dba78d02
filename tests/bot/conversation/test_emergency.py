"""The emergency words on our own sentences, in every spelling."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.emergency import EmergencyKind, find_emergency
from nlu_data.vi_nlu.text import strip_diacritics
from tests.bot.conversation.measure import load_sentences, mistakes

SAMPLES = Path(__file__).resolve().parents[3] / "kb_import" / "samples" / "content"


@pytest.mark.parametrize("held_out", [False, True], ids=["tuning", "held-out"])
def test_at_most_one_miss_in_a_hundred(held_out: bool) -> None:
    counts, found = mistakes(held_out=held_out)
    tried = sum(one[0] for group, one in counts.items() if group.startswith("emergency"))
    missed = [one.written for one in found if one.sentence.emergency and one.what == "missed"]
    assert tried > 600
    assert len(missed) * 100 <= tried, missed


@pytest.mark.parametrize("held_out", [False, True], ids=["tuning", "held-out"])
def test_harmless_messages_seldom_raise_the_alarm(held_out: bool) -> None:
    counts, found = mistakes(held_out=held_out)
    tried = sum(one[0] for group, one in counts.items() if group.startswith("harmless"))
    alarms = [(one.written, one.what) for one in found if not one.sentence.emergency]
    assert tried > 900
    assert len(alarms) * 100 <= 3 * tried, alarms


@pytest.mark.parametrize("held_out", [False, True], ids=["tuning", "held-out"])
def test_the_number_to_call_is_the_right_one(held_out: bool) -> None:
    counts, found = mistakes(held_out=held_out)
    tried = sum(one[0] for group, one in counts.items() if group.startswith("emergency"))
    wrong = [(one.written, one.what) for one in found if one.sentence.emergency and one.what != "missed"]
    assert len(wrong) * 100 <= 2 * tried, wrong


def test_there_are_enough_sentences_and_none_twice() -> None:
    sentences = load_sentences()
    assert len({one.text for one in sentences}) == len(sentences)
    assert sum(one.emergency for one in sentences) >= 200
    assert sum(not one.emergency for one in sentences) >= 300
    splittable = [one for one in sentences if not one.looked_at]
    halves = sum(one.held_out for one in splittable) / len(splittable)
    assert 0.4 < halves < 0.6


@pytest.mark.parametrize(
    "text",
    [
        "khó thở quá",
        "KHÓ THỞ QUÁ",
        "kho tho qua",
        "khó tho qúa",
        "khóoo thởởở",
        "kho th0 qua",
        "khos thowr quas",
        "kho1 tho73 qua1",
        "khotho qua",
        "k tho dc",
        "khó\u200b thở quá",
        "khó thỡ quá",
        "kho htho qua",
        "𝐤𝐡ó 𝐭𝐡ở quá",
        "kho\u0301 tho\u031b\u0309 quá",
    ],
)
def test_spellings_of_one_emergency(text: str) -> None:
    found = find_emergency(text)
    assert found is not None
    assert found.kind is EmergencyKind.MEDICAL


@pytest.mark.parametrize(
    ("alarm", "harmless"),
    [
        ("bố em bị ngất", "khu phố bị ngắt điện"),
        ("em muốn tự tử", "em muốn từ từ"),
        ("nhà cháy rồi", "nhà chạy rồi"),
        ("cứu tôi với", "cụ tôi với bà tôi"),
        ("con tôi bị co giật, tím tái", "Cách sơ cứu khi trẻ bị co giật"),
        ("chợ cháy to rồi, hàng em cháy hết", "cháy hàng rồi"),
        ("bị khó thở nhẹ sau tiêm có sao không?", "tiêm xong có bị khó thở không?"),
        ("Bố tôi đột quỵ, cấp cứu ở đâu gần nhất?", "Dấu hiệu đột quỵ là gì?"),
    ],
)
def test_near_ones(alarm: str, harmless: str) -> None:
    assert find_emergency(alarm) is not None
    assert find_emergency(harmless) is None


def test_a_harmless_turn_of_phrase_does_not_hide_an_emergency() -> None:
    found = find_emergency("Cười chết mất. À không, mẹ tôi khó thở quá!")
    assert found is not None
    assert found.matched == "khó thở quá"


def test_a_cry_for_help_takes_the_number_of_the_danger() -> None:
    kinds = [find_emergency(text) for text in ("cứu với", "cháy, cứu với", "đuối nước cứu với")]
    assert [one and one.kind for one in kinds] == [EmergencyKind.CRIME, EmergencyKind.FIRE, EmergencyKind.FIRE]


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    found = find_emergency(text)
    assert found is None or found.matched


@given(st.sampled_from([one.text for one in load_sentences() if one.emergency]), st.text(" .,!?\n\t", max_size=5))
def test_punctuation_around_changes_nothing(text: str, around: str) -> None:
    assert find_emergency(f"{around}{text}{around}") == find_emergency(text)


def test_the_questions_of_our_sample_banks_seldom_raise_the_alarm() -> None:
    questions = [
        written
        for file in sorted(SAMPLES.glob("*.yml"))
        for question in _questions(yaml.safe_load(file.read_text(encoding="utf-8")))
        for written in (question, strip_diacritics(question))
    ]
    alarms = [one for one in questions if find_emergency(one)]
    assert len(questions) > 500
    assert len(alarms) * 100 <= len(questions), alarms


def _questions(node: Any) -> Iterator[str]:
    match node:
        case dict():
            yield from (one for key, value in node.items() if key == "question" for one in [value])
            yield from (one for key, value in node.items() if key != "question" for one in _questions(value))
        case list():
            yield from (one for value in node for one in _questions(value))
