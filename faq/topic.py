"""Messages that name a subject and leave open what about it: "cách ly", "làm căn cước cần gì". Pure."""

import re
from collections.abc import Sequence
from typing import Final

from faq.decide import MAX_CHOICES, Candidate, Thresholds, choices
from faq.follow import ABOUT_WORDS, named_in
from faq.index import Index
from faq.search import Found

TOPIC_WORDS: Final = 4
"""Longer messages say more than a subject."""
FEWEST_NAMES: Final = 2
"""One syllable alone ("xe") is in too many entries to be what a question is about."""
NEAREST: Final = 6
"""So many candidates are looked at."""
CLEARLY: Final = 0.95
"""An entry this likely is answered with, however short the question."""
_POLITE: Final = frozenset(
    re.findall(r"\w+", "ạ à ơi dạ vâng ad admin em cháu tôi mình nhé nha với hỏi về cho xin cái vụ")
)
_ASKS: Final = frozenset(
    re.findall(r"\w+", "gì nào đâu sao bao nhiêu mấy không chưa ai khi bị được phải lâu hết cần muốn làm thế mất đổi")
)


def offer_of_topic(index: Index, found: Found, limits: Thresholds) -> tuple[Candidate, ...]:
    """What to offer for a bare subject: the likely entries that are about it, even if none is likely by itself.

    Empty if the message is more than a subject, or one entry is clearly meant.
    """
    words = topic_of(found.normalised)
    if not words or found.confidence >= max(CLEARLY, limits.answer):
        return ()
    likely = choices(found.candidates, limits) if found.confidence >= limits.choose else ()
    about = [one for one in found.candidates if _is_about(index, one, words)]
    offered = tuple(dict.fromkeys((*likely[:1], *about, *likely)))[:MAX_CHOICES]
    return () if len(offered) == 1 and found.confidence >= limits.answer else offered


def offer_of_siblings(index: Index, found: Found) -> tuple[Candidate, ...]:
    """What to offer for a short question that several entries could mean and none surely: "làm căn cước cần gì".

    Only entries that have every word that names what the question is about, and only if there are several: a question
    with a word that no entry has goes to a person.
    """
    words = found.normalised.split()
    named = named_in(words) if len(words) <= ABOUT_WORDS else frozenset()
    if len(named) < FEWEST_NAMES:
        return ()
    about = [one for one in found.candidates[:NEAREST] if named <= index.keys_to_ask(one.entry)]
    return tuple(about[:MAX_CHOICES]) if len(about) > 1 else ()


def topic_of(read: str) -> tuple[str, ...]:
    """The words of a bare subject, without courtesies around it; empty if the message is more than that.

    `read`: the message as it was understood, marks restored.
    """
    words = read.split()
    while words and words[0] in _POLITE:
        del words[0]
    while words and words[-1] in _POLITE:
        del words[-1]
    return tuple(words) if len(words) <= TOPIC_WORDS and _ASKS.isdisjoint(words) else ()


def _is_about(index: Index, candidate: Candidate, words: Sequence[str]) -> bool:
    """Do the words stand next to each other in the entry's question or in a way to ask it?"""
    return any(f" {' '.join(words)} " in f" {' '.join(way)} " for way in index.ways_to_ask(candidate.entry))
