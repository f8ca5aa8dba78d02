"""No intent without evidence: a message is a greeting, a report … only if its own words say so. Runs inside Rasa.

Questions to a province can be about anything, and a classifier that has seen twenty intents must choose one of them:
without this guard a quarter of real questions were taken for something else (docs/nlu.md). So each intent but the
question needs two things: enough confidence, and enough of the message's words among the words of that intent's own
examples, or a word that names it ("phản ánh", "gặp cán bộ"). Otherwise the message counts as not understood, and is
searched as a question.
"""

# Checked by its tests in Rasa's own environment, whose types the gateway's does not have.
# mypy: ignore-errors
from __future__ import annotations

import json
import re
from re import Pattern
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu_data.vi_nlu.text import fold


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class EvidenceGuard(GraphComponent):
    """Stands after the classifier and turns an unfounded intent into `nlu_fallback`.

    Settings, each a table by intent with `default` for the others: `confidence` and `coverage` (0..1); `named` and
    `unless` (regular expressions on folded text, where a final question mark is " ?"); `coverage_named` (0..1, what is
    enough when `named` matches).
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {
            "open_intents": ["ask_question"],
            "confidence": {"default": 0.5},
            "coverage": {"default": 0.75},
            "coverage_named": {"default": 0.5},
            "named": {},
            "unless": {},
        }

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        words: dict[str, set[str]] | None = None,
    ) -> None:
        self._config = config
        self._model_storage, self._resource = model_storage, resource
        self._words = words or {}
        self._named = {intent: re.compile(pattern) for intent, pattern in config["named"].items()}
        self._unless = {intent: re.compile(pattern) for intent, pattern in config["unless"].items()}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> EvidenceGuard:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> EvidenceGuard:
        with model_storage.read_from(resource) as folder:
            words = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        return cls(config, model_storage, resource, {intent: set(known) for intent, known in words.items()})

    def train(self, training_data: TrainingData) -> Resource:
        """Remember the folded words of each intent's examples."""
        for example in training_data.intent_examples:
            self._words.setdefault(example.get(INTENT), set()).update(fold(example.get(TEXT) or "").split())
        with self._model_storage.write_to(self._resource) as folder:
            words = {intent: sorted(known) for intent, known in self._words.items()}
            (folder / "words.json").write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Demote what is unfounded. Payloads of buttons ("/report") never come here."""
        for message in messages:
            intent = message.get(INTENT) or {}
            name = intent.get("name")
            if not name or name == DEFAULT_NLU_FALLBACK_INTENT_NAME or name in self._config["open_intents"]:
                continue
            if not self.is_founded(message.get(TEXT) or "", name, float(intent.get(PREDICTED_CONFIDENCE_KEY) or 0.0)):
                unclear = {
                    "name": DEFAULT_NLU_FALLBACK_INTENT_NAME,
                    PREDICTED_CONFIDENCE_KEY: 1.0 - intent["confidence"],
                }
                message.set(INTENT, unclear, add_to_output=True)
                message.set(INTENT_RANKING_KEY, [unclear, *(message.get(INTENT_RANKING_KEY) or [])], add_to_output=True)
        return messages

    def is_founded(self, text: str, intent: str, confidence: float) -> bool:
        """Do confidence and words speak for this intent?"""
        plain = fold(text)
        words = plain.split()
        asked = plain + (" ?" if text.rstrip().endswith("?") else "")
        if not words or confidence < self._limit("confidence", intent) or _matches(self._unless, intent, asked):
            return False
        known = self._words.get(intent, set())
        covered = sum(word in known for word in words) / len(words)
        if covered >= self._limit("coverage", intent):
            return True
        return _matches(self._named, intent, asked) and covered >= self._limit("coverage_named", intent)

    def _limit(self, setting: str, intent: str) -> float:
        table = self._config[setting]
        return float(table.get(intent, table["default"]))


def _matches(patterns: dict[str, Pattern[str]], intent: str, plain: str) -> bool:
    return intent in patterns and patterns[intent].search(plain) is not None
