"""Vietnamese tokens for Rasa: the citizen's own spelling as text, its folded form as lemma.

"Cho e HỎI tiem vx dc k" and "cho em hỏi tiêm vắc xin được không" get the same lemmas, so featurizers that use lemmas
see one sentence. Measured against Rasa's WhitespaceTokenizer and underthesea in docs/nlu.md.
"""

from __future__ import annotations

import re
from typing import Any

from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message

from nlu_data.vi_nlu.text import fold

_TOKEN = re.compile(r"[^\W_]+(?:[-.,:/][^\W_]+)*|[?!]", re.UNICODE)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class ViTokenizer(Tokenizer):
    """Words, numbers with their separators, and question marks; lemma = folded."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"intent_tokenization_flag": False, "intent_split_symbol": "_", "token_pattern": None}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ViTokenizer:
        return cls(config)

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        text = message.get(attribute) or ""
        tokens = [
            Token(found.group(), found.start(), lemma=fold(found.group()) or found.group())
            for found in _TOKEN.finditer(text)
        ]
        return tokens or [Token(text, 0, lemma=text)]
