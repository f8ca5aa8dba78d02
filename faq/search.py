"""From a question to candidates with evidence. CPU work only: callers run it off the event loop."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from bot.contracts.ids import EntryId
from faq.decide import Candidate, Thresholds, Verdict, decide
from faq.embed import Embedder, FloatArray
from faq.entry import EntryRecord
from faq.index import Index
from faq.normalise import Abbreviations, key_of, letter_grams, load_abbreviations, n_grams, words_of
from faq.settings import FaqSettings

CANDIDATES: Final = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    normalised: str
    candidates: tuple[Candidate, ...]
    """Best first."""

    @property
    def confidence(self) -> float:
        """Of the first candidate; 0 if there is none."""
        return self.candidates[0].confidence if self.candidates else 0.0


class Searcher:
    """Searches one index after another with the same model and tables."""

    def __init__(self, embedder: Embedder, abbreviations: Abbreviations, target: float) -> None:
        self.embedder, self.abbreviations = embedder, abbreviations
        self.thresholds = Thresholds(answer=0.6, choose=0.2, target=target)

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
        words = self._expand(words_of(text))
        if not words or not index.entries:
            return Found(" ".join(words), ())
        allowed = np.array([may_send(entry, today, place) and entry.id not in exclude for entry in index.entries], bool)
        vector = self.embedder.embed([" ".join(words)])[0]
        cosine = index.dense.vectors @ vector
        keys = [key_of(word) for word in words]
        lexical = (
            0.25 * index.marked.score(Counter(words))
            + 0.25 * index.plain.score(Counter(keys))
            + 0.2 * index.pairs.score(Counter(n_grams(keys, 2)))
            + 0.3 * index.letters.score(Counter(letter_grams(keys)))
        )
        penalty = np.where(index.is_answer, np.float32(0.1), np.float32(0))
        final = lexical + 2 * (cosine - 0.8) - penalty
        best = np.where(allowed, index.best_per_entry(final), -9)
        order = [int(at) for at in np.argsort(-best)[:CANDIDATES] if best[at] > -9]
        return Found(" ".join(words), tuple(self._candidate(index, at, final, cosine, lexical) for at in order))

    def _candidate(
        self, index: Index, at: int, final: FloatArray, cosine: FloatArray, lexical: FloatArray
    ) -> Candidate:
        rows = np.flatnonzero(index.owner == at)
        row = int(rows[np.argmax(final[rows])])
        entry = index.entries[at]
        value = float(final[row])
        return Candidate(
            entry=entry.id,
            question=entry.draft.question,
            matched=index.pieces[row].text,
            similarity=float(cosine[rows].max()),
            lexical=float(lexical[rows].max()),
            final=value,
            confidence=float(1 / (1 + np.exp(-(value - 0.75) * 8))),
        )

    def _expand(self, words: Sequence[str]) -> list[str]:
        out: list[str] = []
        for word in words:
            meanings = self.abbreviations.of(word)
            out.extend(meanings[0].split() if meanings and len(word) > 1 else [word])
        return out


def load_searcher(settings: FaqSettings, embedder: Embedder) -> Searcher:
    """The searcher this site's settings describe. Raises Refused if a table can't be read."""
    return Searcher(embedder, load_abbreviations(settings.abbreviations), settings.target)


def may_send(entry: EntryRecord, today: date, place: str | None = None) -> bool:
    """Is the answer in force today, and not only for another place than the citizen's?"""
    draft = entry.draft
    if draft.valid_from is not None and today < draft.valid_from:
        return False
    if draft.valid_until is not None and today > draft.valid_until:
        return False
    return draft.place is None or place is None or draft.place == place
