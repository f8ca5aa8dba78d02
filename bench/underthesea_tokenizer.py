"""Words of underthesea as tokens, to compare with our own tokenizer: `python -m bench.nlu --peers underthesea`."""

# Runs in Rasa's own environment with underthesea added to it; the gateway's has no Rasa.
# mypy: ignore-errors
from __future__ import annotations

import re

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.nlu.training_data.message import Message
from underthesea import word_tokenize

from nlu_data.vi_nlu.text import fold
from nlu_data.vi_nlu.tokenizer import ViTokenizer


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class UndertheseaTokenizer(ViTokenizer):
    """Segmented words ("cấp cứu" is one token); lemma = folded, its syllables joined."""

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        text = message.get(attribute) or ""
        tokens, at = [], 0
        for word in word_tokenize(text):
            found = re.compile(r"\s+".join(map(re.escape, word.split()))).search(text, at)
            if found and any(one.isalnum() or one in "?!" for one in word):
                tokens.append(Token(found.group(), found.start(), lemma=fold(word).replace(" ", "_") or word))
                at = found.end()
        return tokens or [Token(text, 0, lemma=text)]
