"""Probabilities that keep their word, and thresholds that keep the target."""

import random

from hypothesis import given
from hypothesis import strategies as st

from faq.calibrate import Calibration, Judged, fit
from faq.decide import Verdict, decide


def sample(seed: int, size: int = 600) -> list[Judged]:
    """Questions whose first entry is right about as often as the score says."""
    chance = random.Random(seed)
    judged = []
    for _ in range(size):
        answerable = chance.random() < 0.7
        score = chance.gauss(1.5, 2) if answerable else chance.gauss(-2, 1.5)
        right = answerable and chance.random() < 1 / (1 + 2.718 ** (-2 * score))
        judged.append(Judged(score, right, right or (answerable and chance.random() < 0.5), answerable))
    return judged


@given(st.integers(0, 1000), st.sampled_from([0.8, 0.9, 0.95]))
def test_the_threshold_keeps_the_target_on_what_it_was_set_from(seed: int, target: float) -> None:
    calibration = fit(sample(seed))
    point = calibration.point_at(target)
    assert point.precision >= target
    assert calibration.coverage_at(target) == point.coverage
    assert calibration.thresholds(target).choose <= calibration.thresholds(target).answer


def test_a_stricter_target_answers_less() -> None:
    calibration = fit(sample(1))
    assert calibration.coverage_at(0.97) <= calibration.coverage_at(0.9) <= calibration.coverage_at(0.7)


def test_confidence_rises_with_the_score() -> None:
    calibration = fit(sample(2))
    chances = [calibration.chance(score) for score in (-8, -1, 0, 1, 8)]
    assert chances == sorted(chances)
    assert chances[0] < 0.1 < 0.9 < chances[-1]


def test_as_json_and_back() -> None:
    calibration = fit(sample(3))
    again = Calibration.from_json(calibration.as_json())
    assert again.as_json() == calibration.as_json()


def test_an_unreachable_target_answers_nothing() -> None:
    judged = [Judged(1.0, at % 2 == 0, True, True) for at in range(100)]
    limits = fit(judged).thresholds(0.95)
    assert decide(0.999, limits) is not Verdict.ANSWER
