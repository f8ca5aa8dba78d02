"""Intents by logistic regression over words, letters and classes of words (grams.py). Runs inside Rasa.

One component in the place of three CountVectorsFeaturizers and a LogisticRegressionClassifier: the same method, with
terms weighted by how telling they are and messages brought to one length, which measured better, and with plain dot
products at parse time, which measured faster (docs/nlu.md has both). The files of a trained model are arrays and JSON.
"""

# Checked by its tests in Rasa's own environment, whose types the gateway's does not have.
# mypy: ignore-errors
from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import TOKENS_NAMES
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from nlu_data.vi_nlu.grams import BLOCKS, WEIGHTS, terms_of

RANKED = 5


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class ViIntentClassifier(GraphComponent):
    """Needs only tokens with lemmas (ViTokenizer).

    Settings: `C` (how closely the examples are followed), `min_examples` (a term in fewer examples is left out),
    `sharpness` (log-probabilities are multiplied by it; chosen so that confidence is the share that is right).
    """

    @classmethod
    def required_packages(cls) -> list[str]:
        return ["sklearn"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"C": 20.0, "min_examples": 2, "sharpness": 1.3, "max_iter": 400, "tol": 0.001}

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config, self._model_storage, self._resource = config, model_storage, resource
        self._intents: list[str] = []
        self._columns: list[dict[str, int]] = []
        self._telling = np.zeros(0, np.float32)
        self._weights = np.zeros((0, 0), np.float32)
        self._bias = np.zeros(0, np.float32)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ViIntentClassifier:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> ViIntentClassifier:
        one = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            named = json.loads((folder / "terms.json").read_text(encoding="utf-8"))
            with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
                one._telling, one._weights, one._bias = arrays["telling"], arrays["weights"], arrays["bias"]
        one._intents = named["intents"]
        at = 0
        for terms in named["terms"]:
            one._columns.append({term: at + number for number, term in enumerate(terms)})
            at += len(terms)
        return one

    # --- training ----------------------------------------------------------------------------------------------------

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the examples that have an intent and a text."""
        examples = [one for one in training_data.intent_examples if one.get(INTENT) and one.get(TEXT)]
        counted = [[Counter(terms) for terms in _terms_of(one)] for one in examples]
        named = self._learn_terms(counted)
        rows = [self._values(each) for each in counted]
        at = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        columns = np.concatenate([columns for columns, _ in rows])
        values = np.concatenate([values for _, values in rows])
        matrix = csr_matrix((values, columns, at), shape=(len(rows), len(self._telling)))
        learner = LogisticRegression(
            C=self._config["C"],
            class_weight="balanced",
            max_iter=self._config["max_iter"],
            tol=self._config["tol"],
            multi_class="multinomial",
        )
        learner.fit(matrix, [one.get(INTENT) for one in examples])
        self._intents = [str(one) for one in learner.classes_]
        self._weights = np.ascontiguousarray(learner.coef_.T, np.float32)
        self._bias = learner.intercept_.astype(np.float32)
        with self._model_storage.write_to(self._resource) as folder:
            content = {"intents": self._intents, "terms": named}
            (folder / "terms.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
            np.savez(folder / "weights.npz", telling=self._telling, weights=self._weights, bias=self._bias)
        return self._resource

    def _learn_terms(self, counted: list[list[Counter[str]]]) -> list[list[str]]:
        """Which terms count, in the order of their columns, and how telling each is."""
        named: list[list[str]] = []
        telling: list[float] = []
        for block in range(len(BLOCKS)):
            seen = Counter(term for one in counted for term in one[block])
            terms = sorted(term for term, times in seen.items() if times >= self._config["min_examples"])
            self._columns.append({term: len(telling) + number for number, term in enumerate(terms)})
            telling += [math.log((1 + len(counted)) / (1 + seen[term])) + 1.0 for term in terms]
            named.append(terms)
        self._telling = np.asarray(telling, np.float32)
        return named

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    # --- parsing -----------------------------------------------------------------------------------------------------

    def process(self, messages: list[Message]) -> list[Message]:
        """The likeliest intent and the next ones."""
        for message in messages:
            if not message.get(TEXT) or not self._intents:
                message.set(INTENT, {"name": None, PREDICTED_CONFIDENCE_KEY: 0.0}, add_to_output=True)
                message.set(INTENT_RANKING_KEY, [], add_to_output=True)
                continue
            columns, values = self._values([Counter(terms) for terms in _terms_of(message)])
            scores = (values @ self._weights[columns] + self._bias) * self._config["sharpness"]
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            best = np.argsort(-shares)[:RANKED]
            ranking = [{"name": self._intents[at], PREDICTED_CONFIDENCE_KEY: float(shares[at])} for at in best]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        return messages

    def _values(self, counted: list[Counter[str]]) -> tuple[np.ndarray, np.ndarray]:
        """Columns of the known terms and their values: each block of length 1, times its weight."""
        all_columns, all_values = [], []
        for block, weight, counts in zip(self._columns, WEIGHTS, counted, strict=True):
            known = [(block[term], times) for term, times in counts.items() if term in block]
            if not known:
                continue
            columns = np.fromiter((column for column, _ in known), np.int32, len(known))
            values = np.fromiter((1.0 + math.log(times) for _, times in known), np.float32, len(known))
            values *= self._telling[columns]
            all_columns.append(columns)
            all_values.append(values * (weight / math.sqrt(float(values @ values))))
        if not all_columns:
            return np.zeros(0, np.int32), np.zeros(0, np.float32)
        return np.concatenate(all_columns), np.concatenate(all_values)


def _terms_of(message: Message) -> tuple[list[str], ...]:
    tokens = message.get(TOKENS_NAMES[TEXT])
    return terms_of([one.text.lower() for one in tokens], [one.lemma for one in tokens])
