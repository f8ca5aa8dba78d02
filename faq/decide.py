"""What to do with a question, given what the search found. Pure: no disk, no clock, no model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from bot.contracts.ids import EntryId
from faq.entry import EntryRecord

MAX_CHOICES: Final = 3


class Reason(StrEnum):
    """Why a person must answer."""

    NOTHING_CLOSE = "nothing_close"
    """No entry is likely enough to be what was asked."""
    EMPTY_BANK = "empty_bank"
    """There is no entry that may be sent today."""
    NO_WORDS = "no_words"
    """Nothing to search for: no letters, or only courtesies."""
    ASKED_AGAIN = "asked_again"
    """Only entries that were given before and did not help (`exclude`) come close."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits on confidence, set from labelled questions for one generation of the banks and one target."""

    answer: float
    """From here on an answer is sent by itself."""
    choose: float
    """From here on up to three choices are offered."""
    target: float = 0.95
    """Share of automatic answers that must be right; what `answer` was set for."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may answer the question, with the evidence for it."""

    entry: EntryId
    question: str
    """The entry's own question, as the department wrote it."""
    matched: str
    """The phrasing that came closest."""
    similarity: float
    """Cosine of sentence vectors, -1..1."""
    lexical: float
    """Agreement of words and their pieces, 0..1."""
    final: float
    """What the trained ranker makes of all evidence; any number, larger is better."""
    confidence: float
    """Calibrated probability that this entry answers the question, 0..1."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a person needs to see why the bot decided as it did ("vì sao")."""

    normalised: str
    """The words that were searched for."""
    candidates: tuple[Candidate, ...]
    """Best first."""
    thresholds: Thresholds
    generation: int
    embedder: str
    ranker: str
    leans: bool = False
    """The message was read together with the question before it."""

    def as_json(self) -> dict[str, Any]:
        """For a jsonb column."""
        return {
            "normalised": self.normalised,
            "generation": self.generation,
            "embedder": self.embedder,
            "ranker": self.ranker,
            "leans": self.leans,
            "thresholds": {
                "answer": round(self.thresholds.answer, 4),
                "choose": round(self.thresholds.choose, 4),
                "target": self.thresholds.target,
            },
            "candidates": [
                {
                    "entry": one.entry,
                    "question": one.question,
                    "matched": one.matched,
                    "similarity": round(one.similarity, 4),
                    "lexical": round(one.lexical, 4),
                    "final": round(one.final, 4),
                    "confidence": round(one.confidence, 4),
                }
                for one in self.candidates
            ],
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """Send this entry's approved answer, word for word."""

    entry: EntryRecord
    confidence: float
    evidence: Evidence = field(repr=False)
    asked: str = ""
    """The part of the message it answers; empty when it is the whole message."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The message held several questions; each of these is answered."""

    parts: tuple[Answer, ...]
    unanswered: tuple[str, ...]
    """Questions of the same message that no entry answers surely enough."""
    evidence: Evidence = field(repr=False)
    offered: tuple[EntryRecord, ...] = ()
    """What may be meant by the one question of the message that is left to ask about."""
    about: str = ""
    """That question."""


@dataclass(frozen=True, slots=True)
class OfferChoices:
    """Ask which of these was meant; at most MAX_CHOICES, best first."""

    entries: tuple[EntryRecord, ...]
    confidence: float
    evidence: Evidence = field(repr=False)


@dataclass(frozen=True, slots=True)
class HandOver:
    """A person must answer."""

    reason: Reason
    confidence: float
    evidence: Evidence = field(repr=False)


Decision = Answer | Answers | OfferChoices | HandOver


class Verdict(StrEnum):
    """A decision's name on the command line and in tables."""

    ANSWER = "answer"
    CHOOSE = "choose"
    HANDOVER = "handover"


def decide(confidence: float, limits: Thresholds) -> Verdict:
    """Which of the three, for the confidence that the first candidate answers."""
    if confidence >= limits.answer:
        return Verdict.ANSWER
    return Verdict.CHOOSE if confidence >= limits.choose else Verdict.HANDOVER


def choices(candidates: Sequence[Candidate], limits: Thresholds) -> tuple[Candidate, ...]:
    """The candidates worth offering: the first, and others not hopelessly behind it."""
    if not candidates:
        return ()
    floor = min(limits.choose, candidates[0].confidence) / 5
    return tuple(one for one in candidates[:MAX_CHOICES] if one is candidates[0] or one.confidence >= floor)
