"""Scenes that sound like an emergency but are not called one: a second opinion by the meaning of the sentence.

Rasa's intent knows words; "cháu nằm úp mặt trong thau nước" has none that alarm. Where the intent is not certain, the
sentence's vector is compared with those of the examples (a support vector machine), and both together decide. A text
with few marks or none is read first: the likeliest marks, short forms and slips are put right, since the vectors of
"chau nam up mat" know little. What each step brings is measured in docs/emergencies.md; models/scenes/ is made by
`python -m bot.conversation.scene_training`.
"""

import asyncio
import base64
import gzip
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from faq.embed import Embedder, FloatArray
from faq.lexicon import Counts, Lexicon
from faq.normalise import Abbreviations, load_abbreviations, words_of
from faq.repair import read
from faq.settings import ABBREVIATIONS_FILE, ROOT
from nlu_data.vi_nlu.text import is_syllable

LEARNED: Final = ROOT / "models" / "scenes" / "scenes.json.gz"
WAVERS: Final = (0.02, 0.98)
"""Confidence of the intent from which on, and below which, the meaning is asked."""
MEANING_COUNTS: Final = 4.0
"""How much a step of the meaning's score (about -2 to 2) weighs against one of the intent's log-odds."""
ALARM_WHEN_IN_DOUBT: Final = 2.4
"""Added to the log-odds of both together, so that the limits of emergency.py hold for them as for the intent alone."""
CLOSE: Final = 16.0
"""How fast an example counts less with its distance: exp(-CLOSE * (1 - cosine))."""
MARKED_SHARE: Final = 0.45
"""A text with a smaller share of words with marks is read first; of Vietnamese as written, three in four have some."""


@dataclass(frozen=True, slots=True)
class Examples:
    """What was learned: the vectors that count, how much each counts, and the words of the examples."""

    vectors: FloatArray
    weights: FloatArray
    bias: float
    words: Counts

    def score(self, vector: FloatArray) -> float:
        """Above 0: nearer to emergencies than to anything else."""
        return float(np.exp(CLOSE * (self.vectors @ vector - 1.0)) @ self.weights) + self.bias

    def as_json(self) -> dict[str, Any]:
        """For the file; `from_json` is its inverse but for the vectors' rounding to 8 bits."""
        scale = float(np.abs(self.vectors).max()) / 127
        return {
            "scale": scale,
            "vectors": base64.b64encode(np.round(self.vectors / scale).astype(np.int8).tobytes()).decode(),
            "weights": [round(float(one), 4) for one in self.weights],
            "bias": round(self.bias, 5),
            "words": self.words.as_json(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Examples":
        """What `as_json` wrote."""
        weights = np.asarray(stored["weights"], np.float32)
        steps = np.frombuffer(base64.b64decode(stored["vectors"]), np.int8).reshape(len(weights), -1)
        vectors = steps.astype(np.float32) * np.float32(stored["scale"])
        return cls(vectors, weights, float(stored["bias"]), Counts.from_json(stored["words"]))


@lru_cache(maxsize=1)
def short_forms() -> Abbreviations:
    """The table of abbreviations and teencode."""
    return load_abbreviations(ABBREVIATIONS_FILE)


def as_meant(text: str, lexicon: Lexicon) -> str:
    """The words of `text`, or how they are read where marks are missing or one is no word; no letters drawn out."""
    words = words_of(text)
    marked = sum(not word.isascii() for word in words)
    if marked < MARKED_SHARE * len(words) or not all(is_syllable(word) or word.isdigit() for word in words):
        words = list(read(words, lexicon, short_forms()).words)
    return " ".join(words) + ("?" if "?" in text else "")


class Scenes:
    """Judges scenes with the sentence model as it came (`faq.embed.load_untaught`)."""

    def __init__(self, embedder: Embedder, path: Path = LEARNED) -> None:
        """With another embedder than the one `path` was made with, the intent is left to decide alone."""
        learned = json.loads(gzip.decompress(path.read_bytes()))
        self._embedder = embedder
        self._examples: Examples | None = None
        if learned["embedder"] == embedder.name:
            self._examples = Examples.from_json(learned)
            self._lexicon = Lexicon(self._examples.words, Counts())

    async def confidence(self, text: str, by_intent: float) -> float:
        """How sure it is that `text` tells of an emergency (0..1); `by_intent` is Rasa's confidence in that intent."""
        if self._examples is None or not WAVERS[0] <= by_intent < WAVERS[1]:
            return by_intent
        return together(by_intent, await asyncio.to_thread(self.by_meaning, text))

    def by_meaning(self, text: str) -> float:
        """The meaning's opinion alone: above 0 for an emergency, about -2 to 2. Blocking.

        Raises ValueError if the embedder is not the one that was learned with.
        """
        if self._examples is None:
            raise ValueError(f"nothing was learned with {self._embedder.name}")
        return self._examples.score(self._embedder.embed([as_meant(text, self._lexicon)])[0])


def together(by_intent: float, by_meaning: float) -> float:
    """One confidence (0..1) from the intent's (0..1, neither end included) and the meaning's score."""
    odds = math.log(by_intent / (1.0 - by_intent)) + MEANING_COUNTS * by_meaning + ALARM_WHEN_IN_DOUBT
    return 1.0 / (1.0 + math.exp(-odds))
