"""Emergencies by their words, in every spelling. Pure; the words are data in emergency.yml.

A message that names a danger to life gets the number to call first, then a person at once, whatever else it says.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

from nlu_data.vi_nlu.text import clean, fold, has_diacritics

WORDS: Final = Path(__file__).with_name("emergency.yml")


class EmergencyKind(StrEnum):
    """What kind of help is needed first."""

    MEDICAL = "medical"
    SUICIDE = "suicide"
    FIRE = "fire"
    CRIME = "crime"


@dataclass(frozen=True, slots=True)
class Emergency:
    """A danger to life that a message names."""

    kind: EmergencyKind
    matched: str
    """The words that gave it away."""


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: EmergencyKind
    written: re.Pattern[str]
    """Matched against text with diacritics."""
    folded: re.Pattern[str]
    """Matched against text without."""


def find_emergency(text: str) -> Emergency | None:
    """The emergency that `text` names, or None. Text with diacritics is read with them, other text without."""
    written, folded = clean(text).lower(), fold(text)
    rules, harmless = _rules(), _harmless()
    if any(pattern.search(folded) for pattern in harmless):
        return None
    accented = has_diacritics(written)
    for rule in rules:
        found = rule.written.search(written) if accented else rule.folded.search(folded)
        if found:
            return Emergency(rule.kind, found.group().strip())
    return None


@lru_cache(maxsize=1)
def _rules() -> tuple[_Rule, ...]:
    data = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return tuple(
        _Rule(
            EmergencyKind(kind),
            re.compile("|".join(_as_pattern(clean(phrase).lower()) for phrase in phrases)),
            re.compile("|".join(_as_pattern(fold(phrase)) for phrase in phrases)),
        )
        for kind, phrases in data["words"].items()
    )


@lru_cache(maxsize=1)
def _harmless() -> tuple[re.Pattern[str], ...]:
    data = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return tuple(re.compile(_as_pattern(fold(phrase))) for phrase in data["harmless"])


def _as_pattern(phrase: str) -> str:
    words = [r"\w*(?:\W+\w+){0,3}?" if word == "…" else re.escape(word) for word in phrase.replace("...", "…").split()]
    return r"(?<!\w)" + r"\W+".join(words) + r"(?!\w)"
