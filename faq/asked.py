"""What is decided about one question: several questions in one message, follow-ups, and what was asked before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from bot.contracts.ids import EntryId
from faq.abbreviations import StaffTable
from faq.clauses import questions_of
from faq.decide import Answer, Answers, Decision, Evidence, HandOver, OfferChoices, Reason, Verdict, choices
from faq.index import Index
from faq.normalise import words_of
from faq.search import Found, Searcher

BARE_WORDS: Final = 3
"""A follow-up of so few words ("thế F1?") says what it is about only together with the question before it."""


@dataclass(frozen=True, slots=True)
class Live:
    """What questions are answered from: one index, and the searcher with the tables and limits that belong to it.

    Replaced as a whole: a question that has begun goes on with what it began with.
    """

    index: Index
    searcher: Searcher
    staff: StaffTable


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, from what is live as it comes in. CPU work only: off the event loop."""

    live: Live
    embedder: str

    def decide(
        self, text: str, today: date, previous: str | None, place: str | None, exclude: frozenset[EntryId]
    ) -> Decision:
        """See `FaqEngine.ask`."""
        index, searcher = self.live.index, self.live.searcher
        search = partial(searcher.search, index, today=today, place=place)
        found = search(text, exclude=exclude)
        if exclude:
            plain = search(text)
            first = plain.candidates[0].entry if plain.candidates else None
            if first in exclude and searcher.verdict(plain) is not Verdict.HANDOVER:
                return HandOver(Reason.ASKED_AGAIN, found.confidence, self._evidence(plain))
        if previous:
            joined = searcher.search_after(index, previous, text, today=today, place=place, exclude=exclude)
            if joined is not None and (
                joined.confidence > found.confidence
                or (len(words_of(text)) <= BARE_WORDS and searcher.verdict(joined) is Verdict.ANSWER)
            ):
                found = joined
        questions = questions_of(text)
        if len(questions) > 1:
            several = self._answer_each(questions, [search(one, exclude=exclude) for one in questions], found)
            if several is not None:
                return several
        return self._decide(found)

    def _answer_each(self, questions: Sequence[str], found: Sequence[Found], whole: Found) -> Answers | None:
        """One answer per question of the message; None if no two different things were asked."""
        answers: dict[EntryId, Answer] = {}
        left: list[str] = []
        for question, one in zip(questions, found, strict=True):
            if self.live.searcher.verdict(one) is Verdict.ANSWER:
                entry = self.live.index.entry(one.candidates[0].entry)
                answers.setdefault(entry.id, Answer(entry, one.confidence, self._evidence(one), question))
            else:
                left.append(question)
        if not answers or len(answers) + len(left) < 2:
            return None
        return Answers(tuple(answers.values()), tuple(left), self._evidence(whole))

    def _evidence(self, found: Found) -> Evidence:
        return Evidence(
            found.normalised,
            found.candidates,
            self.live.searcher.thresholds,
            self.live.index.generation,
            self.embedder,
            self.live.searcher.ranker.version,
        )

    def _decide(self, found: Found) -> Decision:
        limits = self.live.searcher.thresholds
        evidence = self._evidence(found)
        if not found.candidates:
            return HandOver(Reason.EMPTY_BANK if found.normalised else Reason.NO_WORDS, 0.0, evidence)
        match self.live.searcher.verdict(found):
            case Verdict.ANSWER:
                return Answer(self.live.index.entry(found.candidates[0].entry), found.confidence, evidence)
            case Verdict.CHOOSE:
                offered = tuple(self.live.index.entry(one.entry) for one in choices(found.candidates, limits))
                return OfferChoices(offered, found.confidence, evidence)
            case Verdict.HANDOVER:
                return HandOver(Reason.NOTHING_CLOSE, found.confidence, evidence)
