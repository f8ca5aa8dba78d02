"""The trained part: weighs evidence into a score per entry and a probability for the first. Plain numbers.

Trained by `python -m faq.training.fit`; the artefact and its card are in models/ranker/.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bot.contracts.errors import Refused
from faq.embed import FloatArray
from faq.features import PAIR_FEATURES, VIEW_FEATURES
from faq.lexicon import Counts

MARGIN_FEATURES: Final = (
    "final",           # the first entry's score
    "gap",             # to the second entry
    "gap_third",       # to the third
    "views",           # how many views there were
    "rivals",          # how many entries come close to the first
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Linear:
    """A weighted sum."""

    names: tuple[str, ...]
    weights: FloatArray
    bias: float

    def __call__(self, features: FloatArray) -> FloatArray:
        """One number for each row of `features`."""
        return np.asarray(features @ self.weights + np.float32(self.bias), np.float32)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], names: Sequence[str]) -> "Linear":
        """Checks that the numbers belong to today's features. Raises Refused."""
        if list(stored["weights"]) != list(names):
            raise Refused(problem="Bộ xếp hạng không khớp với phần mềm: chạy lại python -m faq.training.fit.")
        return cls(tuple(names), np.array(list(stored["weights"].values()), np.float32), float(stored["bias"]))


@dataclass(frozen=True, slots=True)
class Ranker:
    """Everything that was learnt."""

    version: str
    order: Linear
    """Over pair and view features: which entry is meant."""
    trust: Linear
    """Over pair, view and margin features of the first entry: does it answer at all? In log-odds."""
    ordinary: Counts
    """Words of ordinary speech, from sentences of our own."""
    calibration: Mapping[str, Any]
    centres: Mapping[str, FloatArray]
    """By embedder: the mean vector of our own sentences."""


def load_ranker(path: Path) -> Ranker:
    """The trained part in that file. Raises Refused if it doesn't fit this program."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    words = json.loads((path.parent / "ordinary.json").read_text(encoding="utf-8"))
    return Ranker(
        stored["version"],
        Linear.from_json(stored["order"], (*PAIR_FEATURES, *VIEW_FEATURES)),
        Linear.from_json(stored["trust"], (*PAIR_FEATURES, *VIEW_FEATURES, *MARGIN_FEATURES)),
        Counts.from_json(words),
        stored["calibration"],
        {name: np.array(centre, np.float32) for name, centre in stored["centres"].items()},
    )
