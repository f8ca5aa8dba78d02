"""What is decided about one question: several questions in one message, follow-ups, and what was asked before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.contracts.ids import EntryId
from faq.clauses import loose_questions_of, questions_of
from faq.decide import Answer, Answers, Decision, Evidence, HandOver, OfferChoices, Reason, Verdict, choices
from faq.follow import asks_about_it, meant_instead
from faq.leaning import Asking
from faq.live import Live
from faq.normalise import words_of
from faq.search import Found
from faq.topic import offer_of_siblings, offer_of_topic


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, from what is live as it comes in. CPU work only: off the event loop."""

    live: Live
    embedder: str

    def decide(
        self, text: str, today: date, previous: str | None, place: str | None, exclude: frozenset[EntryId]
    ) -> Decision:
        """See `FaqEngine.ask`."""
        meant = meant_instead(text)
        asking = Asking(self.live, today, place, exclude)
        text, corrects = meant or text, meant is not None
        found = asking.search(text)
        if exclude:
            plain = asking.search(text, exclude=frozenset())
            first = plain.candidates[0].entry if plain.candidates else None
            if first in exclude and self.live.searcher.verdict(plain) is not Verdict.HANDOVER:
                return HandOver(Reason.ASKED_AGAIN, found.confidence, self._evidence(plain))
        joined = asking.after(previous, text, found, corrects=corrects) if previous else None
        several = self._several(asking, text, joined or found)
        if several is not None:
            return several
        if joined is not None:
            return self._decide(joined, leans=True)
        offered = offer_of_topic(self.live.index, found, self.live.searcher.thresholds)
        if not offered and self.live.searcher.verdict(found) is Verdict.HANDOVER:
            offered = offer_of_siblings(self.live.index, found)
        if offered:
            entries = tuple(self.live.index.entry(one.entry) for one in offered)
            return OfferChoices(entries, found.confidence, self._evidence(found))
        return self._decide(found)

    def _several(self, asking: Asking, text: str, whole: Found) -> Answers | None:
        """One answer per question of the message; None if no two different things were asked."""
        questions = questions_of(text)
        if len(questions) > 1:
            return self._answer_each(questions, asking.each(questions), whole)
        loose = loose_questions_of(text)
        found = asking.each(loose)
        verdicts = [asking.verdict(one) for one in found]
        if any(
            one is not Verdict.ANSWER and asks_about_it(words_of(part))
            for part, one in zip(loose, verdicts, strict=True)
        ):
            return None
        tops = {one.candidates[0].entry for one in found if one.candidates}
        if not loose or len(tops) < len(found) or Verdict.HANDOVER in verdicts:
            return None
        sure = {one.candidates[0].entry for one in found if asking.verdict(one) is Verdict.ANSWER}
        if len(sure) < len(found) and asking.verdict(whole) is Verdict.ANSWER and whole.candidates[0].entry not in sure:
            return None
        return self._answer_each(loose, found, whole)

    def _answer_each(self, questions: Sequence[str], found: Sequence[Found], whole: Found) -> Answers | None:
        answers: dict[EntryId, Answer] = {}
        left: list[tuple[str, Found]] = []
        for question, one in zip(questions, found, strict=True):
            if self.live.searcher.verdict(one) is Verdict.ANSWER:
                entry = self.live.index.entry(one.candidates[0].entry)
                answers.setdefault(entry.id, Answer(entry, one.confidence, self._evidence(one), question))
            else:
                left.append((question, one))
        if not answers or len(answers) + len(left) < 2:
            return None
        parts, evidence = tuple(answers.values()), self._evidence(whole)
        if len(left) == 1 and self.live.searcher.verdict(left[0][1]) is Verdict.CHOOSE:
            likely = choices(left[0][1].candidates, self.live.searcher.thresholds)
            offered = tuple(self.live.index.entry(one.entry) for one in likely if one.entry not in answers)
            if offered:
                return Answers(parts, (), evidence, offered, left[0][0])
        return Answers(parts, tuple(question for question, _ in left), evidence)

    def _evidence(self, found: Found) -> Evidence:
        return Evidence(
            found.normalised,
            found.candidates,
            self.live.searcher.thresholds,
            self.live.index.generation,
            self.embedder,
            self.live.searcher.ranker.version,
        )

    def _decide(self, found: Found, *, leans: bool = False) -> Decision:
        limits = self.live.searcher.thresholds
        evidence = replace(self._evidence(found), leans=leans)
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
