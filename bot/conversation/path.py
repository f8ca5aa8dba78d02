"""Who works a message out: the answer search alone, or Rasa's dialogue. Pure.

A plain question needs no dialogue, and Core is the narrow place (15 to 22 turns a second on two cores, 50 parses): so
Core sees only what is dialogue. Measured and decided in docs/decisions/0003-core-sees-only-dialogue.md.
"""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from enum import StrEnum

from bot.contracts.ids import EntryId
from bot.conversation.emergency import INTENT, sure_enough
from bot.conversation.rasa import FALLBACK, Understanding
from faq.decide import Answer, Answers, Decision, HandOver, OfferChoices, Reason

QUESTIONS = frozenset({"ask_question", FALLBACK, "out_of_scope"})
SURE = 0.75
"""From this confidence on, an intent other than a question is believed even when the search has an answer.

So is an emergency inside a form, where people describe a broken road; anywhere else emergency.sure_enough says.
"""
FEW_WORDS = 3


class Path(StrEnum):
    """Where a message goes."""

    SEARCH = "search"
    DIALOGUE = "dialogue"
    EMERGENCY = "emergency"


def plan_path(
    text: str,
    understanding: Understanding | None,
    decision: Decision,
    *,
    in_dialogue: bool,
    danger: float | None = None,
) -> Path:
    """Which way `text` goes. `understanding` is None when Rasa did not answer in time.

    `danger`: how sure it is that this is an emergency (0..1), if that was looked at more closely than by the intent.
    """
    if understanding is None:
        return Path.SEARCH
    answered = isinstance(decision, Answer | Answers)
    danger = understanding.confidence_in(INTENT) if danger is None else danger
    if danger >= (SURE if answered or in_dialogue else sure_enough(text)):
        return Path.EMERGENCY
    if in_dialogue:
        return Path.DIALOGUE
    if understanding.intent == "out_of_scope":
        return Path.DIALOGUE if isinstance(decision, HandOver) and understanding.confidence >= SURE else Path.SEARCH
    if understanding.intent == FALLBACK:
        unclear = isinstance(decision, HandOver) and len(text.split()) <= FEW_WORDS
        return Path.DIALOGUE if unclear else Path.SEARCH
    if understanding.intent in QUESTIONS:
        return Path.SEARCH
    if answered and understanding.confidence < SURE:
        return Path.SEARCH
    return Path.DIALOGUE


def without_unhelpful(decision: Decision, unhelpful: AbstractSet[EntryId]) -> Decision:
    """The same decision without the answers that this citizen was given and said did not help.

    The next best entry is no substitute: it answers another question. What is left without an answer is for a person.
    """
    match decision:
        case Answer(entry=entry, confidence=confidence) if entry.id in unhelpful:
            return HandOver(Reason.ASKED_AGAIN, confidence, decision.evidence)
        case Answers(parts=parts, unanswered=unanswered):
            helpful = tuple(one for one in parts if one.entry.id not in unhelpful)
            if not helpful:
                return HandOver(Reason.ASKED_AGAIN, parts[0].confidence, decision.evidence)
            left = tuple(one.asked for one in parts if one.entry.id in unhelpful)
            return replace(decision, parts=helpful, unanswered=(*left, *unanswered))
        case OfferChoices(entries=entries, confidence=confidence):
            left_over = tuple(one for one in entries if one.id not in unhelpful)
            if not left_over:
                return HandOver(Reason.ASKED_AGAIN, confidence, decision.evidence)
            return replace(decision, entries=left_over)
        case _:
            return decision
