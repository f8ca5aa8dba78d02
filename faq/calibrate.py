"""From a raw score to an honest probability, and from a target to thresholds. Pure.

A calibration is fitted to labelled questions (right or wrong, answerable or not) and stored beside the index. What an
administrator moves is the target, "at most 5 % of automatic answers wrong"; thresholds and coverage follow from it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from faq.decide import Thresholds

UNANSWERABLE_SHARE: Final = 1 / 3
"""Assumed share of questions that no entry answers; a bank's own judged questions may say otherwise."""
OFFER_CHANCE: Final = 0.5
"""Choices are offered when the right entry is among them at least this often."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One labelled question as the search decided it."""

    score: float
    """The ranker's trust, in log-odds."""
    right: bool
    """The first entry answers the question."""
    offered: bool
    """One of the first three does."""
    answerable: bool
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """What a threshold on confidence brings."""

    threshold: float
    coverage: float
    """Share of answerable questions that are answered automatically and rightly."""
    precision: float
    """Share of automatic answers that are right."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How scores become probabilities, and what each threshold brought on the labelled questions."""

    slope: float
    intercept: float
    curve: tuple[CoveragePoint, ...]
    """By rising threshold."""
    choose: float
    questions: int
    """How many labelled questions it was fitted to."""

    def chance(self, score: float) -> float:
        """The probability that the first entry answers, for a score in log-odds."""
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.slope * score + self.intercept))))

    def point_at(self, target: float) -> CoveragePoint:
        """The lowest threshold that keeps the target; one that nothing passes if none does."""
        for point in self.curve:
            if point.precision >= target:
                return point
        return CoveragePoint(1.01, 0.0, 1.0)

    def coverage_at(self, target: float) -> float:
        """Share of answerable questions that will be answered automatically if this share of answers must be right."""
        return self.point_at(target).coverage

    def thresholds(self, target: float) -> Thresholds:
        """The limits that keep the target."""
        answer = self.point_at(target).threshold
        return Thresholds(answer=answer, choose=min(self.choose, answer), target=target)

    def as_json(self) -> dict[str, Any]:
        """For a jsonb column; `from_json` is its inverse."""
        return {
            "slope": round(self.slope, 5),
            "intercept": round(self.intercept, 5),
            "choose": round(self.choose, 5),
            "questions": self.questions,
            "curve": [[round(one, 5) for one in (p.threshold, p.coverage, p.precision)] for p in self.curve],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Calibration":
        """What `as_json` wrote."""
        curve = tuple(CoveragePoint(*point) for point in stored["curve"])
        return cls(stored["slope"], stored["intercept"], curve, stored["choose"], stored["questions"])


def fit(judged: Sequence[Judged], *, slope: float | None = None, intercept: float | None = None) -> Calibration:
    """Platt's logistic fit and the curve of thresholds, with the mix of questions set to UNANSWERABLE_SHARE.

    With `slope` and `intercept` given only the curve is made. Needs at least one right and one wrong question.
    """
    weights = mix_weights(judged)
    scores = np.array([one.score for one in judged])
    right = np.array([one.right for one in judged], float)
    if slope is None or intercept is None:
        slope, intercept = _platt(scores, right, weights)
    chances = 1 / (1 + np.exp(-np.clip(slope * scores + intercept, -30, 30)))
    answerable = np.array([one.answerable for one in judged])
    offered = np.array([one.offered for one in judged], float)
    return Calibration(
        slope,
        intercept,
        _curve(chances, right, weights, answerable),
        _offer_threshold(chances, offered, weights),
        len(judged),
    )


def mix_weights(judged: Sequence[Judged]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Weights that make unanswerable questions UNANSWERABLE_SHARE of all."""
    own = np.array([one.weight for one in judged])
    answerable = np.array([one.answerable for one in judged])
    yes, no = own[answerable].sum(), own[~answerable].sum()
    if yes and no:
        own = own * np.where(answerable, 1.0, yes * UNANSWERABLE_SHARE / (1 - UNANSWERABLE_SHARE) / no)
    return np.asarray(own, np.float64)


def _platt(scores: Any, right: Any, weights: Any) -> tuple[float, float]:
    """Logistic regression on one number by Newton's method, lightly held to slope 1 and intercept 0."""
    slope, intercept = 1.0, 0.0
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(slope * scores + intercept, -30, 30)))
        error = weights * (chance - right)
        curve = weights * chance * (1 - chance)
        gradient = np.array([(error * scores).sum() + (slope - 1), error.sum() + intercept * 0.1])
        hessian = np.array(
            [
                [(curve * scores * scores).sum() + 1, (curve * scores).sum()],
                [(curve * scores).sum(), curve.sum() + 0.1],
            ]
        )
        step = np.linalg.solve(hessian, gradient)
        slope, intercept = slope - float(step[0]), intercept - float(step[1])
        if abs(step).max() < 1e-8:
            break
    return slope, intercept


def _curve(chances: Any, right: Any, weights: Any, answerable: Any) -> tuple[CoveragePoint, ...]:
    order = np.argsort(-chances, kind="stable")
    good = np.cumsum((weights * right)[order])
    every = np.cumsum(weights[order])
    precision = good / every
    total = weights[answerable].sum() or 1.0
    points = []
    for threshold in np.concatenate([np.arange(0.05, 0.9, 0.025), np.arange(0.9, 1.0, 0.005)]):
        passed = int((chances >= threshold).sum())
        if passed:
            points.append(
                CoveragePoint(float(threshold), float(good[passed - 1] / total), float(precision[passed - 1]))
            )
    return tuple(points)


def _offer_threshold(chances: Any, offered: Any, weights: Any) -> float:
    """The lowest confidence around which the right entry is among the first three OFFER_CHANCE of the time."""
    for low in np.arange(0.05, 0.6, 0.05):
        near = (chances >= low) & (chances < low + 0.1)
        if near.sum() >= 5 and (weights * offered)[near].sum() / weights[near].sum() >= OFFER_CHANCE:
            return float(low)
    return 0.5
