"""Ordinary citizens' Vietnamese, counted from sentences of our own only: `sentences.txt` and the sample banks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from faq.lexicon import Counts
from faq.normalise import Abbreviations, words_of
from faq.synonyms import load_synonyms
from faq.training.wordings import UNANSWERED, load_practice
from nlu_data.vi_nlu.text import has_diacritics, is_syllable

HERE: Final = Path(__file__).parent
SAMPLES: Final = HERE.parent.parent / "kb_import" / "samples" / "content"
_STOPS: Final = re.compile(r"[,.?!;:\n]")


def count_ordinary(table: Abbreviations) -> Counts:
    """Words and neighbours of our own sentences; short forms are left out, they are what must be read as something."""
    counts = Counts.of(_own_sentences())
    short = {form for form in table.meanings if not is_syllable(form)}
    for word in [word for word in counts.words if word in short]:
        del counts.words[word]
    for pair in [pair for pair in counts.pairs if short.intersection(pair)]:
        del counts.pairs[pair]
    return counts


def load_samples() -> list[dict[str, Any]]:
    """The sample banks' content files as they are, sorted by name."""
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(SAMPLES.glob("*.yml"))]


def own_lines() -> list[str]:
    """Lines of ordinary speech and the sample banks' questions: their middle is the middle of sentences (`centres`)."""
    lines = (HERE / "sentences.txt").read_text(encoding="utf-8").splitlines()
    questions = [entry["question"] for bank in load_samples() for entry in bank["entries"]]
    return [line for line in lines if line.strip() and not line.startswith("#")] + questions


def _own_sentences() -> Iterator[list[str]]:
    for line in (HERE / "sentences.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield from _parts(line)
    for bank in load_samples():
        texts = [*bank.get("unanswerable", ())]
        for entry in bank["entries"]:
            texts += [entry["question"], entry["answer"], *entry.get("asked", ()), *entry.get("phrasings", ())]
        for text in texts:
            if has_diacritics(text):
                yield from _parts(text)
    for rows in load_practice().values():
        for row in rows:
            for text in row:
                yield from _parts(text.removeprefix(UNANSWERED))
    yield from (list(name) for name in load_synonyms().names())


def _parts(text: str) -> Iterator[list[str]]:
    yield from (words for part in _STOPS.split(text) if (words := words_of(part)))
