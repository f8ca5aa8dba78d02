"""From a question to candidates with evidence. CPU work only: callers run it off the event loop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.contracts.ids import EntryId
from faq.calibrate import Calibration
from faq.clauses import clauses_of, follow_up, sentences_of, views_of
from faq.decide import Candidate, Thresholds, Verdict, decide
from faq.embed import Embedder, FloatArray
from faq.features import PAIR_FEATURES, Lexical, Scored, View, collect, knows, score_words, weigh
from faq.index import Index
from faq.normalise import Abbreviations, canonical, load_abbreviations
from faq.ranker import MARGIN_FEATURES, Ranker, load_ranker
from faq.repair import read
from faq.settings import FaqSettings
from faq.synonyms import load_synonyms

CANDIDATES: Final = 10
EMBEDDED_VIEWS: Final = 3
"""Views of a message that are compared as sentence vectors: each costs an embedding."""
OWN_PLACE: Final = 0.5
"""Added to the score of an entry of the citizen's own place: enough to go before a like one for the whole province,
far too little to make a wrong one right (a right first stands 5 above the second at the median)."""
COSINE_AT: Final = PAIR_FEATURES.index("cosine")


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    normalised: str
    candidates: tuple[Candidate, ...]
    """Best first."""
    trust: FloatArray
    """Features of the first candidate for the decision; empty if there is none."""

    @property
    def confidence(self) -> float:
        """Of the first candidate; 0 if there is none."""
        return self.candidates[0].confidence if self.candidates else 0.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """Entries in order, before anything is made of them for people."""

    views: tuple[View, ...]
    scored: tuple[Scored, ...]
    """Evidence, one per view."""
    order: tuple[tuple[int, int, int, float], ...]
    """(entry, view, row of the view's evidence, score), best entry first."""


class Searcher:
    """Searches one index after another with the same model and tables. Holds no state of a question."""

    def __init__(self, embedder: Embedder, abbreviations: Abbreviations, ranker: Ranker, target: float) -> None:
        self.embedder, self.abbreviations, self.ranker = embedder, abbreviations, ranker
        self.synonyms = load_synonyms()
        self.use(Calibration.from_json(ranker.calibration), target)

    def use(self, calibration: Calibration, target: float) -> None:
        """Decide by this calibration and target from now on."""
        self.calibration = calibration
        self.thresholds: Thresholds = calibration.thresholds(target)

    def verdict(self, found: Found) -> Verdict:
        """Answer, choose or hand over, under the thresholds in force."""
        return decide(found.confidence, self.thresholds)

    def search(
        self,
        index: Index,
        text: str,
        *,
        today: date,
        place: str | None = None,
        exclude: frozenset[EntryId] = frozenset(),
    ) -> Found:
        """Candidates for a citizen's text, best first. Blocking."""
        clauses, repairs = self.read(index, text)
        return self.search_clauses(index, clauses, repairs, today=today, place=place, exclude=exclude)

    def search_after(
        self,
        index: Index,
        previous: str,
        text: str,
        *,
        today: date,
        place: str | None = None,
        exclude: frozenset[EntryId] = frozenset(),
    ) -> Found | None:
        """Candidates for a follow-up, read together with the question before it; None if `text` stands by itself."""
        clauses, repairs = self.read(index, text)
        added = follow_up(tuple(word for clause in clauses for word in clause))
        if added is None:
            return None
        before, _ = self.read(index, previous)
        if not before:
            return None
        first = self.search(index, previous, today=today, place=place)
        if self.verdict(first) is Verdict.ANSWER:  # the entry that answered before is not what is asked for now
            exclude = exclude | {first.candidates[0].entry}
        joined = tuple(word for clause in before for word in clause) + added
        return self.search_clauses(index, [joined], repairs, today=today, place=place, exclude=exclude)

    def read(self, index: Index, text: str) -> tuple[list[tuple[str, ...]], float]:
        """The clauses of a message as they were meant, and the price of the guesses per word."""
        readings = [read(words, index.lexicon, self.abbreviations) for words in sentences_of(text)]
        clauses = clauses_of([canonical(reading.words, self.abbreviations) for reading in readings])
        count = sum(len(reading.words) for reading in readings)
        return clauses, sum(reading.repairs for reading in readings) / max(1, count)

    def search_clauses(
        self,
        index: Index,
        clauses: Sequence[tuple[str, ...]],
        repairs: float,
        *,
        today: date,
        place: str | None = None,
        exclude: frozenset[EntryId] = frozenset(),
    ) -> Found:
        """Like `search`, for a message that was read already."""
        normalised = " / ".join(" ".join(clause) for clause in clauses)
        allowed = index.may_send(today, place, exclude)
        if not clauses or not allowed.any():
            return Found(normalised, (), np.zeros(0, np.float32))
        ranked = self.rank(index, clauses, repairs, allowed, index.own(place))
        if not ranked.order:
            return Found(normalised, (), np.zeros(0, np.float32))
        trust = trust_features(ranked)
        first = self.calibration.chance(float(self.ranker.trust(trust)))
        scores = np.array([score for _, _, _, score in ranked.order])
        share = np.exp(scores - scores[0])
        rest = share[1:] / share.sum() * (1 - first) if len(share) > 1 else share[1:]
        confidences = [first, *np.minimum(rest, first).tolist()]
        candidates = tuple(
            _candidate(index, ranked, at, confidences[at]) for at in range(min(CANDIDATES, len(ranked.order)))
        )
        return Found(normalised, candidates, trust)

    def rank(
        self,
        index: Index,
        clauses: Sequence[tuple[str, ...]],
        repairs: float,
        allowed: NDArray[np.bool_],
        own: NDArray[np.bool_] | None = None,
    ) -> Ranked:
        """Every likely entry with its best view, best first; `own` ones, of the citizen's place, a little before."""
        views, words = self.choose_views(index, clauses, repairs)
        vectors = self.embedder.embed([" ".join(view.words) for view in views])
        whole = dict.fromkeys(word for clause in clauses for word in clause)
        weight = sum(weigh(index, tuple(whole)).values())
        scored = tuple(
            collect(index, view, words[at], vectors[at], allowed, weight, self.synonyms)
            for at, view in enumerate(views)
        )
        best: dict[int, tuple[int, int, int, float]] = {}
        for at, one in enumerate(scored):
            for row, score in enumerate(self.ranker.order(with_view(one))):
                entry = int(one.entries[row])
                score += OWN_PLACE if own is not None and own[entry] else 0.0
                if entry not in best or score > best[entry][3]:
                    best[entry] = (entry, at, row, float(score))
        order = sorted(best.values(), key=lambda one: (-one[3], one[0]))
        return Ranked(tuple(views), scored, tuple(order))

    def choose_views(
        self, index: Index, clauses: Sequence[tuple[str, ...]], repairs: float
    ) -> tuple[list[View], list[Lexical]]:
        """The views worth an embedding: those whose words match some text of the bank best."""
        every = views_of(clauses)
        words = [score_words(index, view) for view in every]
        if len(every) > EMBEDDED_VIEWS:
            match = [
                float(lexical.mixed.max()) * sum(weigh(index, view).values()) ** 0.5
                for view, lexical in zip(every, words, strict=True)
            ]
            keep = sorted(sorted(range(len(every)), key=lambda at: (-match[at], at))[:EMBEDDED_VIEWS])
            every, words = [every[at] for at in keep], [words[at] for at in keep]
        kept = [View(view, repairs) for view in every]
        for view in every:
            if len(kept) > EMBEDDED_VIEWS:
                break
            other = self.in_terms_of(index, view)
            if other is not None and other not in every:
                kept.append(View(other, repairs, True))
                words.append(score_words(index, other))
        return kept, words

    def in_terms_of(self, index: Index, words: tuple[str, ...]) -> tuple[str, ...] | None:
        """The same with names that the bank does not use put in those it does; None if there are none."""
        spans = self.synonyms.meaning(words).spans
        out: list[str] = []
        at = 0
        changed = False
        for start, stop, _ in sorted(spans, key=lambda span: (span[0], -span[1])):
            if start < at or knows(index, words[start:stop]):
                continue
            groups = [group for first, last, group in spans if (first, last) == (start, stop)]
            best = max(
                (name for group in groups for name in self.synonyms.groups[group] if knows(index, name)),
                key=lambda name: (-abs(len(name) - 3), name),
                default=None,
            )
            if best is None:
                continue
            out += [*words[at:start], *best]
            at, changed = stop, True
        return (*out, *words[at:]) if changed else None


def with_view(scored: Scored) -> FloatArray:
    """Pair features beside the view's own, one row per entry: what the ranker's order is learnt from."""
    spread = np.repeat(scored.view[None, :], len(scored.entries), axis=0)
    return np.concatenate([scored.pair, spread], axis=1)


def trust_features(ranked: Ranked) -> FloatArray:
    """What the decision is learnt from: the first entry's evidence, and how it stands out."""
    scores = [score for _, _, _, score in ranked.order]
    _, view, row, _ = ranked.order[0]
    one = ranked.scored[view]
    gap = min(scores[0] - scores[1], 5.0) if len(scores) > 1 else 5.0
    gap_third = min(scores[0] - scores[2], 5.0) if len(scores) > 2 else 5.0
    margins = np.array(
        [
            scores[0],
            gap,
            gap_third,
            float(len(ranked.views) > 1),
            sum(score > scores[0] - 1.0 for score in scores[1:4]),
        ],
        np.float32,
    )
    assert len(margins) == len(MARGIN_FEATURES)  # noqa: S101 - the trained numbers depend on it
    return np.concatenate([one.pair[row], one.view, margins])


def _candidate(index: Index, ranked: Ranked, at: int, confidence: float) -> Candidate:
    entry, view, row, score = ranked.order[at]
    one = ranked.scored[view]
    pair = one.pair[row]
    record = index.entries[entry]
    return Candidate(
        entry=record.id,
        question=record.draft.question,
        matched=index.pieces[int(one.pieces[row])].text,
        similarity=float(pair[COSINE_AT]) / 5 + 0.78,
        lexical=float(pair[PAIR_FEATURES.index("plain")] + pair[PAIR_FEATURES.index("letters")]) / 2,
        final=score,
        confidence=confidence,
    )


def load_searcher(settings: FaqSettings, embedder: Embedder) -> Searcher:
    """The searcher this site's settings describe. Raises Refused if a table or the trained part can't be used."""
    table = load_abbreviations(settings.abbreviations)
    return Searcher(embedder, table, load_ranker(settings.ranker), settings.target)
