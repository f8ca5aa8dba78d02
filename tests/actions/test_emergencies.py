"""Scenes that nobody trained on, through the real Rasa: few are missed, and few harmless ones raise the alarm."""

import pytest

from bench.emergencies import judge, sentences
from bot.conversation.scenes import Scenes
from faq.embed import load_embedder
from faq.settings import FaqSettings
from nlu_data.vi_nlu.text import strip_diacritics
from tests.actions.conftest import House
from tests.nlu_data.test_data import INTENTS

pytestmark = pytest.mark.slow


def test_the_third_round_is_not_trained_on() -> None:
    known = {text for said in INTENTS.values() for text in said}
    third = [text for text, _ in sentences("third")]
    assert len(third) == len(set(third)) == 400
    assert not known & set(third)


async def test_scenes_are_found_and_harmless_ones_left_alone(house: House) -> None:
    scenes = Scenes(load_embedder(FaqSettings()))
    missed: dict[str, list[str]] = {}
    alarms: dict[str, list[str]] = {}
    for spelling in ("written", "bare"):
        for text, emergency in sentences("third"):
            said = text if spelling == "written" else strip_diacritics(text)
            alarmed = (await judge(await house.parse(said), scenes, said))[-1]
            if alarmed is not emergency:
                (missed if emergency else alarms).setdefault(spelling, []).append(said)
    assert len(missed.get("written", ())) <= 4, missed
    assert len(missed.get("bare", ())) <= 8, missed
    assert len(alarms.get("written", ())) <= 50, alarms
    assert len(alarms.get("bare", ())) <= 70, alarms
