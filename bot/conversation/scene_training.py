"""Makes models/scenes/ from the intents' examples: `python -m bot.conversation.scene_training` (two minutes).

A support vector machine on sentence vectors: examples of `emergency` against those of the other intents, each as
written and as it is read when it comes without marks. Of a sentence that it knows the reader would restore every mark,
which it can't of a citizen's; so each quarter of the examples is read with the words of the other three. Only sentences
of our own are read. Needs the development packages (scikit-learn).
"""

import gzip
import json
import re
import zlib
from collections.abc import Sequence

import numpy as np
import yaml
from sklearn.svm import SVC

from bot.conversation.emergency import INTENT, WORDS
from bot.conversation.scenes import CLOSE, LEARNED, Examples, as_meant
from faq.embed import load_untaught
from faq.lexicon import Counts, Lexicon
from faq.normalise import words_of
from faq.settings import ROOT, FaqSettings
from nlu_data.vi_nlu.text import has_diacritics, strip_diacritics

EXAMPLES = ROOT / "nlu_data" / "nlu"
BANKS = ROOT / "kb_import" / "samples" / "content"
CLOSELY = 10.0
"""Inverse strength of the regularisation."""
PARTS = 4
_ANNOTATION = re.compile(r"\[([^\]]+)\]\(\w+\)")
_SENTENCE = re.compile(r"[.\n;:!?]")


def load_examples() -> list[tuple[str, bool]]:
    """Each example, and whether it is an emergency."""
    return [
        (_ANNOTATION.sub(r"\1", line.removeprefix("- ")), item["intent"] == INTENT)
        for path in sorted(EXAMPLES.glob("*.yml"))
        for item in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]
        if "intent" in item
        for line in item["examples"].splitlines()
    ]


def bank_sentences() -> list[str]:
    """What the sample banks' entries say; the wordings kept for measuring (`asked:`) are left out."""
    entries = [
        entry
        for path in sorted(BANKS.glob("*.yml"))
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["entries"]
    ]
    texts = [said for entry in entries for name, said in entry.items() if name != "asked" and isinstance(said, str)]
    return [one for text in texts for one in _SENTENCE.split(text)]


def alarm_phrases() -> list[str]:
    """The phrases of emergency.yml, the first of each word's alternatives."""
    lists = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    found = [
        phrase
        for name, phrases in lists.items()
        if name != "spellings"
        for group in (phrases.values() if isinstance(phrases, dict) else [phrases])
        for phrase in group
    ]
    return [re.sub(r"/\S+", "", one.replace("…", " ").removeprefix("=")) for one in found]


def part_of(text: str) -> int:
    """Which part an example belongs to; the same with and without marks."""
    return zlib.crc32(strip_diacritics(text).lower().encode()) % PARTS


def spelled(examples: Sequence[tuple[str, bool]], others: Sequence[str]) -> dict[str, bool]:
    """Every example as written and as read without its marks, by the words of the other parts and of `others`."""
    marked = [text for text, _ in examples if has_diacritics(text)]
    out: dict[str, bool] = {}
    for part in range(PARTS):
        known = [words_of(text) for text in (*others, *(one for one in marked if part_of(one) != part))]
        lexicon = Lexicon(Counts.of(known), Counts())
        for text, emergency in examples:
            if part_of(text) == part:
                for said in (text, strip_diacritics(text)):
                    out.setdefault(as_meant(said, lexicon), emergency)
    return out


def main() -> None:
    """Read, embed, fit, write."""
    embedder = load_untaught(FaqSettings())
    examples = load_examples()
    others = [one for one in (*bank_sentences(), *alarm_phrases()) if has_diacritics(one)]
    texts = spelled(examples, others)
    vectors = np.vstack([embedder.embed([text]) for text in texts])
    learner = SVC(C=CLOSELY, gamma=CLOSE / 2, class_weight="balanced")
    learner.fit(vectors, list(texts.values()))
    marked = [text for text, _ in examples if has_diacritics(text)]
    learned = Examples(
        learner.support_vectors_.astype(np.float32),
        learner.dual_coef_[0].astype(np.float32),
        float(learner.intercept_[0]),
        Counts.of(words_of(text) for text in (*others, *marked)),
    )
    about = {"embedder": embedder.name, "examples": len(examples), "emergencies": sum(one for _, one in examples)}
    content = json.dumps(about | learned.as_json(), ensure_ascii=False, separators=(",", ":"))
    LEARNED.write_bytes(gzip.compress(content.encode(), mtime=0))
    print(f"{len(examples)} examples, {len(learned.weights)} of their {len(texts)} spellings -> {LEARNED.name}")


if __name__ == "__main__":
    main()
