"""What is decided about one question: several questions in one message, follow-ups, and what was asked before."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from bot.contracts.ids import EntryId
from faq.abbreviations import StaffTable
from faq.clauses import follow_up, loose_questions_of, questions_of
from faq.decide import Answer, Answers, Decision, Evidence, HandOver, OfferChoices, Reason, Verdict, choices
from faq.follow import LEANS_WORDS, asks_about_it, meant_instead, names_office, place_in, subject_of
from faq.index import Index
from faq.normalise import is_telling, key_of, words_of
from faq.search import Found, Searcher
from faq.synonyms import Meaning
from faq.topic import offer_of_siblings, offer_of_topic

BARE_WORDS: Final = 3
"""A follow-up of so few words ("thế F1?") says what it is about only together with the question before it."""
NEAR: Final = 5
"""An entry must be among so many for a message alone to be found for it together with the question before it."""
SHARED: Final = 2.0
"""Sum of the rarities (nats) of the words that an entry must share with the question before."""
KNOWN: Final = 512
"""So many questions' findings are kept."""
GUESSED: Final = 0.05
"""How much surer an answer must be if only a guess joins the message to the question before it."""


@dataclass(frozen=True, slots=True)
class Live:
    """What questions are answered from: one index, and the searcher with the tables and limits that belong to it.

    Replaced as a whole: a question that has begun goes on with what it began with.
    """

    index: Index
    searcher: Searcher
    staff: StaffTable
    known: dict[tuple[str, date, str | None, frozenset[EntryId]], Found] = field(
        default_factory=dict, compare=False, repr=False
    )
    """What was found lately: the question before is looked at again with the next one."""
    readings: dict[str, tuple[Sequence[tuple[str, ...]], float]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """What was read lately."""


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
        asking = _Asking(self.live, today, place, exclude)
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

    def _several(self, asking: "_Asking", text: str, whole: Found) -> Answers | None:
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


@dataclass(frozen=True, slots=True)
class _Asking:
    """The searches of one message: all on one day, from one place, without the entries that did not help."""

    live: Live
    today: date
    place: str | None
    exclude: frozenset[EntryId]

    @property
    def verdict(self) -> Callable[[Found], Verdict]:
        return self.live.searcher.verdict

    def search(self, text: str, *, exclude: frozenset[EntryId] | None = None) -> Found:
        """By the words alone."""
        without = self.exclude if exclude is None else exclude
        known, key = self.live.known, (text, self.today, self.place, without)
        found = known.get(key)
        if found is None:
            clauses, repairs = self._clauses(text)
            found = self.live.searcher.search_clauses(
                self.live.index, clauses, repairs, today=self.today, place=self.place, exclude=without
            )
            if len(known) >= KNOWN:
                known.clear()
            known[key] = found
        return found

    def each(self, questions: Sequence[str]) -> list[Found]:
        """Each question of a message; one that names nothing is about what the one before it was about."""
        found: list[Found] = []
        for at, question in enumerate(questions):
            alone = self.search(question)
            joined = self.after(questions[at - 1], question, alone) if at else None
            found.append(joined or alone)
        return found

    def after(self, previous: str, text: str, alone: Found, *, corrects: bool = False) -> Found | None:
        """What is found for `text` read together with the question before it; None if it stands by itself.

        `alone`: what was found without. A follow-up that names another thing excludes the entry that answered before;
        one that adds only a place, or asks more about the same thing, may get it again.
        """
        words, repairs = self._read(text)
        if not words or len(words) > LEANS_WORDS:
            return None
        place, about, led = place_in(words), asks_about_it(words), corrects or follow_up(words) is not None
        answered = self.verdict(alone) is Verdict.ANSWER
        if place is None and not about and (answered if not led else corrects and len(words) > BARE_WORDS):
            return None
        before, _ = self._read(previous)
        first = self.search(previous)
        given = first.candidates[0].entry if self.verdict(first) is Verdict.ANSWER else None
        if not before:
            return None
        if place is not None:
            return self._elsewhere(before, place, repairs, first)
        if about:
            return self._more_of_it(before, words, repairs, alone, first, given)
        contexts = [previous, self.live.index.entry(given).draft.question] if given is not None else [previous]
        if led:
            return self._led(contexts, f"còn {text}" if corrects else text, alone)
        return self._unled(contexts, words, repairs, alone, first, given)

    def _clauses(self, text: str) -> tuple[Sequence[tuple[str, ...]], float]:
        """`Searcher.read`, once for each text."""
        read = self.live.readings.get(text)
        if read is None:
            read = self.live.searcher.read(self.live.index, text)
            if len(self.live.readings) >= KNOWN:
                self.live.readings.clear()
            self.live.readings[text] = read
        return read

    def _read(self, text: str) -> tuple[tuple[str, ...], float]:
        clauses, repairs = self._clauses(text)
        return tuple(word for clause in clauses for word in clause), repairs

    def _join(
        self, start: tuple[str, ...], added: tuple[str, ...], repairs: float, given: EntryId | None = None
    ) -> Found:
        without = self.exclude if given is None else self.exclude | {given}
        return self.live.searcher.search_clauses(
            self.live.index, [start + added], repairs, today=self.today, place=self.place, exclude=without
        )

    def _elsewhere(self, before: tuple[str, ...], place: tuple[str, ...], repairs: float, first: Found) -> Found | None:
        """The same question for another place: an entry that names it, if it is about the same, else the answer again.

        By the place's name alone the airport of Thọ Xuân would be the answer to everything in Thọ Xuân.
        """
        joined = self._join(before, place, repairs)
        near = {one.entry for one in first.candidates[:NEAR]}
        if joined.candidates and joined.candidates[0].entry in near and self.verdict(joined) is Verdict.ANSWER:
            return joined
        return first if self.verdict(first) is not Verdict.HANDOVER else None

    def _more_of_it(
        self,
        before: tuple[str, ...],
        words: tuple[str, ...],
        repairs: float,
        alone: Found,
        first: Found,
        given: EntryId | None,
    ) -> Found | None:
        """More about the same thing: the entry that was given if it is about that, or another one, or if it says so."""
        about, told = self._kinds_of(given, words) if given is not None else (False, False)
        if about:
            return first
        joined = self._join(subject_of(before), words, repairs)
        verdict = self.verdict(joined)
        other = verdict is not Verdict.HANDOVER and joined.candidates[0].entry != given
        if told and not (other and verdict is Verdict.ANSWER):
            return first
        return joined if other and joined.confidence > alone.confidence else None

    def _led(self, contexts: Sequence[str], text: str, alone: Found) -> Found | None:
        """A follow-up that says that it is one ("thế còn trẻ em?")."""
        search = self.live.searcher.search_after
        found = [
            search(self.live.index, one, text, today=self.today, place=self.place, exclude=self.exclude)
            for one in contexts
        ]
        best = max((one for one in found if one is not None), key=lambda one: one.confidence, default=None)
        if best is None or best.confidence > alone.confidence:
            return best
        short = len(words_of(text)) <= BARE_WORDS and self.verdict(best) is Verdict.ANSWER
        return best if short else None

    def _unled(
        self,
        contexts: Sequence[str],
        words: tuple[str, ...],
        repairs: float,
        alone: Found,
        first: Found,
        given: EntryId | None,
    ) -> Found | None:
        """A question that may lean on the one before it without saying so.

        Only what the words alone point to as well: a new subject must not be answered with the old one's neighbours.
        """
        near = {one.entry for one in alone.candidates[:NEAR]}
        starts = [self._read(one)[0] for one in contexts]
        if not self._shares_words(near, {word for start in starts for word in start} - set(words)):
            return None
        self.live.searcher.embedder.embed([" ".join(start + words) for start in starts])  # both at once, and kept
        joined = [self._join(start, words, repairs, given) for start in starts]
        fits = [one for one in joined if one.candidates and one.candidates[0].entry in near]
        best = max(fits, key=lambda one: one.confidence, default=None)
        if best is None or best.confidence <= alone.confidence:
            return None
        verdict = self.verdict(best)
        if verdict is Verdict.ANSWER and best.confidence < self.live.searcher.thresholds.answer + GUESSED:
            return None
        if verdict is Verdict.CHOOSE and best.candidates[0].entry == first.candidates[0].entry:
            return None  # the words have added nothing: "có ai giải thích cho tôi không"
        better = verdict is Verdict.ANSWER or (verdict is Verdict.CHOOSE and self.verdict(alone) is Verdict.HANDOVER)
        return best if better else None

    def _shares_words(self, entries: Iterable[EntryId], words: Iterable[str]) -> bool:
        """Does one of the entries share telling words with these? If not, they can hardly speak for it."""
        telling = {key_of(word) for word in words if is_telling(word)}
        idf = self.live.index.plain.idf
        for one in entries:
            draft = self.live.index.entry(one).draft
            theirs = {key_of(word) for text in (draft.question, *draft.phrasings) for word in words_of(text)}
            if sum(idf(key) for key in theirs & telling) >= SHARED:
                return True
        return False

    def _kinds_of(self, entry: EntryId, words: tuple[str, ...]) -> tuple[bool, bool]:
        """Does the entry ask, and does its answer tell, what `words` ask for: a fee, how long, which papers?"""
        meaning = self.live.searcher.synonyms.meaning
        draft = self.live.index.entry(entry).draft
        vague, where = _kinds(meaning, "được không thế nào có thể"), _kinds(meaning, "ở đâu")
        asked = meaning(words).kinds | (where if "đâu" in words else frozenset())
        if asked & _kinds(meaning, "khi nào"):
            asked |= _kinds(meaning, "bao lâu")
        in_question = _kinds(meaning, " ".join((draft.question, *draft.phrasings)))
        in_answer = _kinds(meaning, draft.answer) - vague | (where if names_office(draft.answer) else frozenset())
        return not asked.isdisjoint(in_question), not asked.isdisjoint(in_answer)


def _kinds(meaning: Callable[[tuple[str, ...]], Meaning], text: str) -> frozenset[int]:
    """What the words ask about, or tell: how much, how long, where …"""
    return meaning(tuple(words_of(text))).kinds
