"""Cross-validation of the intents in one minute: `python -m bench.folds`.

The classifier of nlu_data/vi_nlu/intents.py over the same terms, in five folds, without starting Rasa ten times as
`rasa test nlu --cross-validation` does. Prints the table of docs/nlu.md.
"""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import yaml
from scipy.sparse import csr_matrix, hstack  # type: ignore[import-untyped]
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from nlu_data.vi_nlu.grams import BLOCKS, WEIGHTS, terms_of
from nlu_data.vi_nlu.text import fold

ROOT = Path(__file__).resolve().parent.parent
_TOKEN = re.compile(r"[^\W_]+(?:[-.,:/][^\W_]+)*|[?!]")  # as ViTokenizer, which only Rasa's environment can load
_ANNOTATION = re.compile(r"\[([^\]]+)\]\(\w+\)")


def load_examples() -> list[tuple[str, str]]:
    """Text and intent of every example."""
    return [
        (_ANNOTATION.sub(r"\1", line.removeprefix("- ")), item["intent"])
        for path in sorted((ROOT / "nlu_data" / "nlu").glob("*.yml"))
        for item in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]
        if "intent" in item
        for line in item["examples"].splitlines()
    ]


def terms(text: str) -> tuple[list[str], ...]:
    """The terms Rasa's component sees."""
    words = _TOKEN.findall(text)
    return terms_of([one.lower() for one in words], [fold(one) or one for one in words])


def as_is(block: list[str]) -> list[str]:
    """The vectorizer's analyzer: the terms are made already."""
    return block


def matrices(train: list[tuple[list[str], ...]], test: list[tuple[list[str], ...]]) -> tuple[csr_matrix, csr_matrix]:
    """Both sets as weighted terms; only `train` says which terms there are and how telling each is."""
    seen, asked = [], []
    for block, weight in enumerate(WEIGHTS[: len(BLOCKS)]):
        vectorizer = TfidfVectorizer(analyzer=as_is, sublinear_tf=True, min_df=2)
        seen.append(vectorizer.fit_transform([one[block] for one in train]) * weight)
        asked.append(vectorizer.transform([one[block] for one in test]) * weight)
    return hstack(seen).tocsr(), hstack(asked).tocsr()


def main() -> None:
    """Five folds, one table."""
    settings = next(
        one
        for one in yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
        if one["name"].endswith("ViIntentClassifier")
    )
    examples = load_examples()
    made = [terms(text) for text, _ in examples]
    right = np.array([intent for _, intent in examples])
    given = np.array(right)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(made, right):
        seen, asked = matrices([made[at] for at in train], [made[at] for at in test])
        learner = LogisticRegression(C=settings["C"], class_weight="balanced", max_iter=400, tol=0.001)
        given[test] = learner.fit(seen, right[train]).predict(asked)
    lines, shares = [], []
    for intent, number in Counter(right.tolist()).most_common():
        both = int(((given == intent) & (right == intent)).sum())
        precision, recall = both / max(1, int((given == intent).sum())), both / number
        shares.append(2 * both / (int((given == intent).sum()) + number))
        wrong = Counter(given[(right == intent) & (given != intent)].tolist()).most_common(2)
        taken_for = ", ".join(f"{name} {times}" for name, times in wrong)
        lines.append(f"| {intent} | {precision:.2f} | {recall:.2f} | {shares[-1]:.2f} | {number} | {taken_for} |")
    print(f"Accuracy {(given == right).mean():.3f}, macro F1 {np.mean(shares):.3f}, {len(right):,} examples.\n")
    print("| intent | precision | recall | F1 | examples | most often taken for |\n|---|---|---|---|---|---|")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
