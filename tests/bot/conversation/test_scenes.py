"""Scenes that are only described: the second opinion, and what a kind of emergency is told."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.emergency import EmergencyKind, by_intent, find_emergency, kind_of
from bot.conversation.respond import _NUMBERS
from bot.conversation.scenes import WAVERS, WEIGHTS, Scenes
from faq.embed import Embedder

SCENE = "cháu nó nằm úp mặt trong thau nước"
QUESTION = "làm căn cước cho cháu cần mang theo giấy tờ gì"


async def test_where_the_intent_wavers_the_meaning_decides(embedder: Embedder) -> None:
    scenes = Scenes(embedder)
    assert find_emergency(SCENE) is None
    assert await scenes.confidence(SCENE, 0.3) > 0.5
    assert await scenes.confidence(QUESTION, 0.5) < 0.3


@given(st.floats(0, 1).filter(lambda sure: not WAVERS[0] <= sure < WAVERS[1]))
async def test_a_clear_intent_stays_as_it_is(embedder: Embedder, sure: float) -> None:
    assert await Scenes(embedder).confidence(SCENE, sure) == sure


async def test_with_another_embedder_the_intent_decides_alone(embedder: Embedder, tmp_path: Path) -> None:
    learned = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    assert learned["embedder"] == embedder.name, "python -m bot.conversation.scene_training"
    assert len(learned["weights"]) == embedder.dim
    other = tmp_path / "scenes.json"
    other.write_text(json.dumps(learned | {"embedder": "another"}), encoding="utf-8")
    scenes = Scenes(embedder, other)
    assert await scenes.confidence(SCENE, 0.3) == 0.3
    with pytest.raises(ValueError, match="no weights"):
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
