"""A message and the question before it: does it lean on that, and what is found for both together?

Which words make a message lean is `follow.py`'s; here the bank is asked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.contracts.ids import EntryId
from faq.clauses import follow_up
from faq.decide import Verdict
from faq.follow import LEANS_WORDS, asks_about_it, named_in, names_office, place_in, subject_of
from faq.live import Live
from faq.normalise import is_telling, key_of, words_of
from faq.search import Found
from faq.synonyms import Meaning

BARE_WORDS: Final = 3
"""A follow-up of so few words ("thế F1?") says what it is about only together with the question before it."""
NEAR: Final = 5
"""An entry must be among so many for a message alone to be found for it together with the question before it."""
SHARED: Final = 2.0
"""Sum of the rarities (nats) of the words that an entry must share with the question before."""
GUESSED: Final = 0.05
"""How much surer an answer must be if only a guess joins the message to the question before it."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The searches of one message: all on one day, from one place, without the entries that did not help."""

    live: Live
    today: date
    place: str | None
    exclude: frozenset[EntryId]

    @property
    def verdict(self) -> Callable[[Found], Verdict]:
        """Answer, choose or hand over."""
        return self.live.searcher.verdict

    def search(self, text: str, *, exclude: frozenset[EntryId] | None = None) -> Found:
        """By the words alone."""
        return self.live.search(text, self.today, self.place, self.exclude if exclude is None else exclude)

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
        if not before:
            return None
        both = _Both(self, previous, before, words, repairs, alone, self.search(previous))
        if place is not None:
            return both.elsewhere(place)
        if about:
            return both.more_of_it()
        if not led:
            return both.unled()
        return both.led(f"còn {text}" if corrects else text, corrects=corrects)

    def search_after(self, previous: str, text: str) -> Found | None:
        """See `Searcher.search_after`."""
        return self.live.searcher.search_after(
            self.live.index, previous, text, today=self.today, place=self.place, exclude=self.exclude
        )

    def join(self, start: tuple[str, ...], added: tuple[str, ...], repairs: float, without: EntryId | None) -> Found:
        """What is found for words of both messages."""
        exclude = self.exclude if without is None else self.exclude | {without}
        return self.live.searcher.search_clauses(
            self.live.index, [start + added], repairs, today=self.today, place=self.place, exclude=exclude
        )

    def _read(self, text: str) -> tuple[tuple[str, ...], float]:
        clauses, repairs = self.live.read(text)
        return tuple(word for clause in clauses for word in clause), repairs

    def words_of(self, text: str) -> tuple[str, ...]:
        """The words of a message as they are read."""
        return self._read(text)[0]


@dataclass(frozen=True, slots=True)
class _Both:
    """A message and the question before it, looked at together."""

    asking: Asking
    previous: str
    before: tuple[str, ...]
    """Words of the question before."""
    words: tuple[str, ...]
    repairs: float
    alone: Found
    """What the message finds by itself."""
    first: Found
    """What the question before found."""

    @property
    def given(self) -> EntryId | None:
        """The entry that answered before."""
        return self.first.candidates[0].entry if self.asking.verdict(self.first) is Verdict.ANSWER else None

    @property
    def contexts(self) -> list[str]:
        """What the message may lean on: the question before, and that of the entry that answered it."""
        given = self.given
        return [self.previous] if given is None else [self.previous, self.asking.live.index.entry(given).draft.question]

    def elsewhere(self, place: tuple[str, ...]) -> Found | None:
        """The same question for another place: an entry that names it, if it is about the same, else the answer again.

        By the place's name alone the airport of Thọ Xuân would be the answer to everything in Thọ Xuân.
        """
        verdict, first = self.asking.verdict, self.first
        joined = self.asking.join(self.before, place, self.repairs, None)
        near = {one.entry for one in first.candidates[:NEAR]}
        if joined.candidates and joined.candidates[0].entry in near and verdict(joined) is Verdict.ANSWER:
            return joined
        return first if verdict(first) is not Verdict.HANDOVER else None

    def more_of_it(self) -> Found | None:
        """More about the same thing: the entry that was given if it is about that, or another one, or if it says so."""
        given = self.given
        about, told = self._kinds_of(given) if given is not None else (False, False)
        if about:
            return self.first
        joined = self.asking.join(subject_of(self.before), self.words, self.repairs, None)
        verdict = self.asking.verdict(joined)
        other = verdict is not Verdict.HANDOVER and joined.candidates[0].entry != given
        if told and not (other and verdict is Verdict.ANSWER):
            return self.first
        return joined if other and joined.confidence > self.alone.confidence else None

    def led(self, text: str, *, corrects: bool) -> Found | None:
        """A follow-up that says that it is one ("thế còn trẻ em?").

        What a correction names must be in the entry: by the rest of the old question everything would be likely.
        """
        found = [self.asking.search_after(one, text) for one in self.contexts]
        best = max((one for one in found if one is not None), key=lambda one: one.confidence, default=None)
        if best is None or not best.candidates:
            return best
        if corrects and named_in(self.words).isdisjoint(self.asking.live.index.keys_to_ask(best.candidates[0].entry)):
            return None
        if best.confidence > self.alone.confidence and self.asking.verdict(best) is not Verdict.HANDOVER:
            return best
        fitting = self._what_fits(best)
        if fitting is not None and fitting.confidence > max(best.confidence, self.alone.confidence):
            return fitting
        if best.confidence > self.alone.confidence:
            return best
        short = len(words_of(text)) <= BARE_WORDS and self.asking.verdict(best) is Verdict.ANSWER
        return best if short else None

    def _what_fits(self, found: Found) -> Found | None:
        """After "mất căn cước làm lại ở đâu", of "thế còn làm lần đầu": without what the follow-up does away with.

        That is what an entry lacks which has every word that the follow-up names: "mất" and "lại" go, "căn cước" stays.
        """
        added, named, keys_of = follow_up(self.words), named_in(self.words), self.asking.live.index.keys_to_ask
        if not added or not named:
            return None
        for likely in found.candidates[:NEAR]:
            keys = keys_of(likely.entry)
            if named <= keys:
                kept = tuple(word for word in self.before if key_of(word) in keys)
                joined = self.asking.join(kept, added, self.repairs, self.given)
                surely = self.asking.verdict(joined) is not Verdict.HANDOVER
                return joined if surely and joined.candidates[0].entry == likely.entry else None
        return None

    def unled(self) -> Found | None:
        """A question that may lean on the one before it without saying so.

        Only what the words alone point to as well: a new subject must not be answered with the old one's neighbours.
        """
        live, verdict = self.asking.live, self.asking.verdict
        near = {one.entry for one in self.alone.candidates[:NEAR]}
        starts = [self.asking.words_of(one) for one in self.contexts]
        if not self._shares_words(near, {word for start in starts for word in start} - set(self.words)):
            return None
        live.searcher.embedder.embed([" ".join(start + self.words) for start in starts])  # both at once, and kept
        joined = [self.asking.join(start, self.words, self.repairs, self.given) for start in starts]
        fits = [one for one in joined if one.candidates and one.candidates[0].entry in near]
        best = max(fits, key=lambda one: one.confidence, default=None)
        if best is None or best.confidence <= self.alone.confidence:
            return None
        match verdict(best):
            case Verdict.ANSWER:
                return best if best.confidence >= live.searcher.thresholds.answer + GUESSED else None
            case Verdict.CHOOSE:
                # where the first stays the same the words have added nothing: "có ai giải thích cho tôi không"
                added = best.candidates[0].entry != self.first.candidates[0].entry
                return best if added and verdict(self.alone) is Verdict.HANDOVER else None
            case Verdict.HANDOVER:
                return None

    def _shares_words(self, entries: Iterable[EntryId], words: Iterable[str]) -> bool:
        """Does one of the entries share telling words with these? If not, they can hardly speak for it."""
        telling = {key_of(word) for word in words if is_telling(word)}
        index = self.asking.live.index
        return any(sum(index.plain.idf(key) for key in index.keys_to_ask(one) & telling) >= SHARED for one in entries)

    def _kinds_of(self, entry: EntryId) -> tuple[bool, bool]:
        """Does the entry ask, and does its answer tell, what the message asks for: a fee, how long, which papers?"""
        meaning = self.asking.live.searcher.synonyms.meaning
        draft = self.asking.live.index.entry(entry).draft
        vague, where = _kinds(meaning, "được không thế nào có thể"), _kinds(meaning, "ở đâu")
        asked = meaning(self.words).kinds | (where if "đâu" in self.words else frozenset())
        if asked & _kinds(meaning, "khi nào"):
            asked |= _kinds(meaning, "bao lâu")
        in_question = _kinds(meaning, " ".join((draft.question, *draft.phrasings)))
        in_answer = _kinds(meaning, draft.answer) - vague | (where if names_office(draft.answer) else frozenset())
        return not asked.isdisjoint(in_question), not asked.isdisjoint(in_answer)


def _kinds(meaning: Callable[[tuple[str, ...]], Meaning], text: str) -> frozenset[int]:
    """What the words ask about, or tell: how much, how long, where …"""
    return meaning(tuple(words_of(text))).kinds
