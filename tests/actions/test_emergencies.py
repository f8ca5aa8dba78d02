"""Scenes that nobody trained on, through the real Rasa: few are missed, and few harmless ones raise the alarm."""

import pytest

from bench.emergencies import judge, sentences
from bot.conversation.scenes import Scenes
from faq.embed import load_untaught
from faq.settings import FaqSettings
from tests.actions.conftest import House
from tests.bot.conversation.measure import spelled
from tests.nlu_data.test_data import INTENTS

pytestmark = pytest.mark.slow


ROUNDS = {"third": 400, "fifth": 141, "sixth": 82}
"""Rounds that nobody trained on, and how many sentences each has."""


def test_these_rounds_are_not_trained_on() -> None:
    known = {text for said in INTENTS.values() for text in said}
    for name, number in ROUNDS.items():
        texts = [text for text, _ in sentences(name)]
        assert len(texts) == len(set(texts)) == number
        assert not known & set(texts)


@pytest.mark.parametrize(
    ("name", "spelling", "most_missed", "most_alarms"),
    [
        ("third", "as written", 3, 46),
        ("third", "no diacritics", 5, 52),
        ("third", "Telex keys", 4, 60),
        ("fifth", "as written", 1, 28),
        ("fifth", "no diacritics", 1, 34),
        ("sixth", "no diacritics", 1, 20),
    ],
)
async def test_scenes_are_found_and_harmless_ones_left_alone(
    house: House, name: str, spelling: str, most_missed: int, most_alarms: int
) -> None:
    scenes = Scenes(load_untaught(FaqSettings()))
    missed: list[str] = []
    alarms: list[str] = []
    for text, emergency in sentences(name):
        said = dict(spelled(text))[spelling]
        alarmed = (await judge(await house.parse(said), scenes, said))[-1]
        if alarmed is not emergency:
            (missed if emergency else alarms).append(said)
    assert len(missed) <= most_missed, missed
    assert len(alarms) <= most_alarms, alarms
