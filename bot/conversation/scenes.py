"""Scenes that sound like an emergency but are not called one: a second opinion by the meaning of the sentence.

Rasa's intent knows words; "cháu nằm úp mặt trong thau nước" has none that alarm. Where the intent wavers, the vector
of the sentence is asked too, and the mean of both decides. Only then: most are clear, and a vector costs about 5 ms.
What this brings is measured in docs/emergencies.md; scenes.json is made by `python -m bot.conversation.scene_training`.
"""

import asyncio
import json
from pathlib import Path
from typing import Final

import numpy as np

from faq.embed import Embedder, FloatArray

WEIGHTS: Final = Path(__file__).with_name("scenes.json")
WAVERS: Final = (0.1, 0.8)
"""Confidence of the intent from which on, and below which, the vector is asked."""


class Scenes:
    """Judges scenes with the embedder of the answer search."""

    def __init__(self, embedder: Embedder, path: Path = WEIGHTS) -> None:
        """With another embedder than the one `path` was made with, the intent is left to decide alone."""
        learned = json.loads(path.read_text(encoding="utf-8"))
        self._embedder = embedder
        self._weights: FloatArray | None = None
        if learned["embedder"] == embedder.name:
            self._weights = np.asarray(learned["weights"], np.float32)
            self._bias = float(learned["bias"])

    async def confidence(self, text: str, by_intent: float) -> float:
        """How sure it is that `text` tells of an emergency (0..1); `by_intent` is Rasa's confidence in that intent."""
        if self._weights is None or not WAVERS[0] <= by_intent < WAVERS[1]:
            return by_intent
        return (by_intent + await asyncio.to_thread(self.by_meaning, text)) / 2

    def by_meaning(self, text: str) -> float:
        """The vector's opinion alone (0..1). Raises ValueError if the embedder is not the one that was learned with."""
        if self._weights is None:
            raise ValueError(f"no weights for {self._embedder.name}")
        score = float(self._embedder.embed([text])[0] @ self._weights) + self._bias
        return float(1.0 / (1.0 + np.exp(-score)))
