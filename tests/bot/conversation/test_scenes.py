"""Scenes that are only described: the second opinion, and what a kind of emergency is told."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversation.emergency import EmergencyKind, by_intent, find_emergency, kind_of
from bot.conversation.respond import _NUMBERS
from bot.conversation.scenes import LEARNED, WAVERS, Examples, Scenes, as_meant, together
from faq.embed import Embedder
from faq.lexicon import Counts, Lexicon
from faq.normalise import words_of
from tests.bot.conversation.measure import spelled

SCENE = "cháu nó nằm úp mặt trong thau nước"
QUESTION = "làm căn cước cho cháu cần mang theo giấy tờ gì"


async def test_where_the_intent_wavers_the_meaning_decides(untaught: Embedder) -> None:
    scenes = Scenes(untaught)
    assert find_emergency(SCENE) is None
    assert await scenes.confidence(SCENE, 0.3) > 0.8
    assert await scenes.confidence(QUESTION, 0.5) < 0.2


@pytest.mark.parametrize("spelling", ["no diacritics", "bare teencode", "Telex keys", "half the marks", "drawn out"])
def test_the_meaning_is_read_in_every_spelling(untaught: Embedder, spelling: str) -> None:
    scenes = Scenes(untaught)
    assert scenes.by_meaning(dict(spelled(SCENE))[spelling]) > 0
    assert scenes.by_meaning(dict(spelled(QUESTION))[spelling]) < -0.5


def test_only_what_was_not_written_with_marks_is_read() -> None:
    known = Counts.of([words_of("mẹ em ngất giữa chợ"), words_of("không ai giúp")])
    lexicon = Lexicon(known, Counts())
    assert as_meant("me em ngat giua cho", lexicon) == "mẹ em ngất giữa chợ"
    assert as_meant("k ai giup", lexicon) == "không ai giúp"
    assert as_meant("Mẹ em ngát giữa chơ!!!", lexicon) == "mẹ em ngát giữa chơ"
    assert as_meant("ai giúpppp?", lexicon) == "ai giúp?"
    assert as_meant("", lexicon) == ""


@settings(max_examples=10, deadline=None)
@given(st.floats(0, 1).filter(lambda sure: not WAVERS[0] <= sure < WAVERS[1]))
async def test_a_clear_intent_stays_as_it_is(untaught: Embedder, sure: float) -> None:
    assert await Scenes(untaught).confidence(SCENE, sure) == sure


@given(st.floats(*WAVERS), st.floats(*WAVERS), st.floats(-3, 3), st.floats(-3, 3))
def test_either_opinion_can_only_raise_what_it_supports(one: float, two: float, near: float, nearer: float) -> None:
    low, high = together(min(one, two), min(near, nearer)), together(max(one, two), max(near, nearer))
    assert 0 < low <= high < 1


def test_what_was_learned_survives_the_file() -> None:
    learned = Examples(np.eye(3, 4, dtype=np.float32), np.array([1, -1, 2], np.float32), 0.25, Counts.of([["a", "b"]]))
    again = Examples.from_json(json.loads(json.dumps(learned.as_json())))
    vector = np.array([0.6, 0.8, 0, 0], np.float32)
    assert again.score(vector) == pytest.approx(learned.score(vector), abs=1e-3)
    assert again.words == learned.words


async def test_with_another_embedder_the_intent_decides_alone(untaught: Embedder, tmp_path: Path) -> None:
    learned = json.loads(gzip.decompress(LEARNED.read_bytes()))
    assert learned["embedder"] == untaught.name, "python -m bot.conversation.scene_training"
    assert Examples.from_json(learned).vectors.shape[1] == untaught.dim
    other = tmp_path / "scenes.json.gz"
    other.write_bytes(gzip.compress(json.dumps(learned | {"embedder": "another"}).encode()))
    scenes = Scenes(untaught, other)
    assert await scenes.confidence(SCENE, 0.3) == 0.3
    with pytest.raises(ValueError, match="nothing was learned"):
        scenes.by_meaning(SCENE)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("khói đùn qua khe cửa, lửa liếm tới tủ gỗ", EmergencyKind.FIRE),
        ("bà nằm im, môi tím, gọi không thưa", EmergencyKind.MEDICAL),
        ("em nấp trong tủ, hắn đang đạp cửa", EmergencyKind.CRIME),
        ("kho lạnh có gì đó không ổn", EmergencyKind.UNCLEAR),
        ("", EmergencyKind.UNCLEAR),
    ],
)
def test_the_kind_comes_from_what_is_mentioned(text: str, kind: EmergencyKind) -> None:
    assert kind_of(text) is kind
    assert by_intent(text).kind is kind


def test_every_kind_has_its_number_and_unclear_has_all() -> None:
    assert set(_NUMBERS) == set(EmergencyKind)
    assert all(number in _NUMBERS[EmergencyKind.UNCLEAR] for number in ("113", "114", "115"))
