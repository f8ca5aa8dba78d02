"""Makes scenes.json from the intents' examples: `python -m bot.conversation.scene_training` (about a minute).

Logistic regression on sentence vectors: examples of `emergency` against those of the other intents, each as written and
without diacritics. Only sentences of our own are read. Needs the development packages (scikit-learn).
"""

import json
import re
from pathlib import Path

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression

from bot.conversation.emergency import INTENT
from bot.conversation.scenes import WEIGHTS
from faq.embed import load_embedder
from faq.settings import FaqSettings
from nlu_data.vi_nlu.text import strip_diacritics

EXAMPLES = Path(__file__).resolve().parents[2] / "nlu_data" / "nlu"
CLOSELY = 100.0
"""Inverse strength of the regularisation."""
_ANNOTATION = re.compile(r"\[([^\]]+)\]\(\w+\)")


def load_examples() -> list[tuple[str, bool]]:
    """Each example, and whether it is an emergency."""
    return [
        (_ANNOTATION.sub(r"\1", line.removeprefix("- ")), item["intent"] == INTENT)
        for path in sorted(EXAMPLES.glob("*.yml"))
        for item in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]
        if "intent" in item
        for line in item["examples"].splitlines()
    ]


def main() -> None:
    """Embed, fit, write."""
    embedder = load_embedder(FaqSettings())
    examples = dict(load_examples())
    spelled = {written: emergency for text, emergency in examples.items() for written in (text, strip_diacritics(text))}
    vectors = np.vstack([embedder.embed([text]) for text in spelled])
    learner = LogisticRegression(C=CLOSELY, class_weight="balanced", max_iter=1000)
    learner.fit(vectors - vectors.mean(axis=0), list(spelled.values()))
    weights = learner.coef_[0]
    bias = float(learner.intercept_[0] - vectors.mean(axis=0) @ weights)
    content = {
        "embedder": embedder.name,
        "examples": len(examples),
        "emergencies": sum(examples.values()),
        "bias": round(bias, 4),
        "weights": [round(float(one), 4) for one in weights],
    }
    WEIGHTS.write_text(json.dumps(content) + "\n", encoding="utf-8")
    print(f"{len(examples)} examples -> {WEIGHTS.name}")


if __name__ == "__main__":
    main()
