"""The answers room's front door: one engine per process, fed from PostgreSQL, asked in plain words."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial

import structlog

from bot.base.db import Database
from bot.contracts.ids import EntryId, UnitCode
from faq.calibrate import Calibration, CoveragePoint
from faq.clauses import questions_of
from faq.decide import (
    Answer,
    Answers,
    Decision,
    Evidence,
    HandOver,
    OfferChoices,
    Reason,
    Thresholds,
    Verdict,
    choices,
)
from faq.embed import Embedder, FloatArray
from faq.entry import EntryRecord
from faq.index import Index, Piece, pieces_of
from faq.search import Found, load_searcher
from faq.settings import FaqSettings
from faq.store import load_generation, load_live_entries, load_live_versions
from faq.tuning import Labelled, judge_and_fit, load_tuning
from faq.vectors import load_vectors

log = structlog.get_logger(__name__)


class FaqEngine:
    """Answers questions from the published banks.

    `start` once, `refresh` whenever a generation is published (topic `store.TOPIC`) or a connection was lost.
    """

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        settings: FaqSettings,
        *,
        unit_names: Mapping[UnitCode, str] | None = None,
    ) -> None:
        self._database, self._embedder, self._settings = database, embedder, settings
        self.unit_names: Mapping[UnitCode, str] = unit_names or {}
        self._searcher = load_searcher(settings, embedder)
        self._known: dict[tuple[EntryId, int], tuple[EntryRecord, tuple[Piece, ...]]] = {}
        self._vectors: dict[str, FloatArray] = {}
        self._index: Index | None = None
        self._refreshing = asyncio.Lock()

    @property
    def generation(self) -> int:
        """The generation that is answered from; 0 before the first."""
        return self._index.generation if self._index else 0

    @property
    def size(self) -> int:
        """Number of live entries in the index."""
        return len(self._index.entries) if self._index else 0

    async def start(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Load everything; embeds only what has no stored vector. `progress` gets texts done and texts to do."""
        await self.refresh(progress)

    async def refresh(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Bring the index up to the published banks: only what changed is read and embedded; swapped in at once."""
        async with self._refreshing:
            began = time.monotonic()
            async with self._database.transaction() as session:
                generation = await load_generation(session)
                tuning = await load_tuning(session)
                versions = await load_live_versions(session)
                fresh = [entry for entry, version in versions.items() if (entry, version) not in self._known]
                records = await load_live_entries(session, ids=fresh, unit_names=self.unit_names) if fresh else []
            known = {key: held for key, held in self._known.items() if versions.get(key[0]) == key[1]}
            for record in records:
                known[record.id, record.version] = (record, pieces_of(record.draft, self._searcher.abbreviations))
            texts = list(dict.fromkeys(piece.dense for _, pieces in known.values() for piece in pieces))
            missing = [text for text in texts if text not in self._vectors]
            vectors = await load_vectors(self._database, self._embedder, missing, progress)
            self._vectors = {text: self._vectors[text] if text in self._vectors else vectors[text] for text in texts}
            held = sorted(known.values(), key=lambda one: one[0].id)
            index = await asyncio.to_thread(
                Index,
                [record for record, _ in held],
                [pieces for _, pieces in held],
                self._vectors,
                dim=self._embedder.dim,
                generation=generation,
                exact_limit=self._settings.exact_limit,
                ordinary=self._searcher.ranker.ordinary,
                centre=self._searcher.ranker.centres.get(self._embedder.name),
            )
            shipped = Calibration.from_json(self._searcher.ranker.calibration)
            target = tuning.target or self._settings.target
            self._searcher.use(tuning.calibration or shipped, target)
            self._known, self._index = known, index
            log.info(
                "faq.index_ready",
                generation=generation,
                entries=len(held),
                texts=len(texts),
                changed=len(records),
                seconds=round(time.monotonic() - began, 3),
            )

    async def ask(
        self,
        text: str,
        *,
        today: date,
        previous: str | None = None,
        place: str | None = None,
        exclude: frozenset[EntryId] = frozenset(),
    ) -> Decision:
        """What to do with a citizen's question.

        `previous` is the question before it, for follow-ups ("thế còn trẻ em?"); `place` an administrative code;
        `exclude` entries that were given before and did not help. Raises RuntimeError before `start`.
        """
        index = self._index
        if index is None:
            raise RuntimeError("FaqEngine.ask before start")
        return await asyncio.to_thread(self._ask, index, text, today, previous, place, exclude)

    def coverage_at(self, target: float) -> CoveragePoint:
        """What an administrator would get for this target: threshold, coverage and precision on labelled questions."""
        return self._searcher.calibration.point_at(target)

    @property
    def thresholds(self) -> Thresholds:
        """The limits in force."""
        return self._searcher.thresholds

    async def calibrate(self, questions: Sequence[Labelled], *, today: date) -> Calibration:
        """A calibration for the banks as they are now, from judged questions; `tuning.save_calibration` stores it.

        Raises Refused if there are too few of them.
        """
        index = self._index
        if index is None:
            raise RuntimeError("FaqEngine.calibrate before start")
        return await asyncio.to_thread(judge_and_fit, self._searcher, index, questions, today)

    def _ask(
        self,
        index: Index,
        text: str,
        today: date,
        previous: str | None,
        place: str | None,
        exclude: frozenset[EntryId],
    ) -> Decision:
        search = partial(self._searcher.search, index, today=today, place=place)
        found = search(text, exclude=exclude)
        if exclude:
            plain = search(text)
            first = plain.candidates[0].entry if plain.candidates else None
            if first in exclude and self._searcher.verdict(plain) is not Verdict.HANDOVER:
                return HandOver(Reason.ASKED_AGAIN, found.confidence, self._evidence(index, plain))
        if previous:
            joined = self._searcher.search_after(index, previous, text, today=today, place=place, exclude=exclude)
            if joined is not None and joined.confidence > found.confidence:
                found = joined
        questions = questions_of(text)
        if len(questions) > 1:
            several = self._answer_each(index, questions, [search(one, exclude=exclude) for one in questions], found)
            if several is not None:
                return several
        return self._decide(index, found)

    def _answer_each(
        self, index: Index, questions: Sequence[str], found: Sequence[Found], whole: Found
    ) -> Answers | None:
        """One answer per question of the message; None if no two different things were asked."""
        by_id = {entry.id: entry for entry in index.entries}
        answers: dict[EntryId, Answer] = {}
        left: list[str] = []
        for question, one in zip(questions, found, strict=True):
            if self._searcher.verdict(one) is Verdict.ANSWER:
                entry = by_id[one.candidates[0].entry]
                answers.setdefault(entry.id, Answer(entry, one.confidence, self._evidence(index, one), question))
            else:
                left.append(question)
        if not answers or len(answers) + len(left) < 2:
            return None
        return Answers(tuple(answers.values()), tuple(left), self._evidence(index, whole))

    def _evidence(self, index: Index, found: Found) -> Evidence:
        return Evidence(
            found.normalised,
            found.candidates,
            self._searcher.thresholds,
            index.generation,
            self._embedder.name,
            self._searcher.ranker.version,
        )

    def _decide(self, index: Index, found: Found) -> Decision:
        limits = self._searcher.thresholds
        evidence = self._evidence(index, found)
        if not found.candidates:
            return HandOver(Reason.EMPTY_BANK if found.normalised else Reason.NO_WORDS, 0.0, evidence)
        by_id = {entry.id: entry for entry in index.entries}
        match self._searcher.verdict(found):
            case Verdict.ANSWER:
                return Answer(by_id[found.candidates[0].entry], found.confidence, evidence)
            case Verdict.CHOOSE:
                offered = tuple(by_id[one.entry] for one in choices(found.candidates, limits))
                return OfferChoices(offered, found.confidence, evidence)
            case Verdict.HANDOVER:
                return HandOver(Reason.NOTHING_CLOSE, found.confidence, evidence)
