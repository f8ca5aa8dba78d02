"""The answers room's front door: one engine per process, fed from PostgreSQL, asked in plain words."""

import asyncio
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

import structlog

from bot.base.db import Database
from bot.contracts.ids import EntryId, UnitCode
from faq.abbreviations import StaffTable, load_staff_table, merged
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
from faq.dense import Graph
from faq.embed import Embedder, FloatArray
from faq.entry import EntryRecord
from faq.index import Index, Piece, pieces_of
from faq.normalise import Abbreviations
from faq.search import Found, Searcher, load_searcher
from faq.settings import FaqSettings
from faq.store import load_generation, load_live_entries, load_live_versions
from faq.tuning import Labelled, judge_and_fit, load_tuning
from faq.vectors import load_vectors
from nlu_data.vi_nlu.text import fold

log = structlog.get_logger(__name__)
_OFFICE_AND_KIND: Final = re.compile(
    r"^(?:o |tai )?(?:(?:uy ban nhan dan|ubnd) )?(?:(?:xa|phuong|thi tran|huyen|thi xa|thanh pho|p|x|tp|tx) )?"
)


@dataclass(frozen=True, slots=True)
class Live:
    """What questions are answered from: one index, and the searcher with the tables and limits that belong to it.

    Replaced as a whole: a question that has begun goes on with what it began with.
    """

    index: Index
    searcher: Searcher
    staff: StaffTable


class FaqEngine:
    """Answers questions from the published banks.

    `start` once, `refresh` whenever a generation is published (topic `store.TOPIC`) or a connection was lost. Asking
    reads nothing from the database.
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
        shipped = load_searcher(settings, embedder)
        self._ranker = shipped.ranker
        self.file_abbreviations: Abbreviations = shipped.abbreviations
        """The table of short forms as shipped; what staff changed lies over it (see `faq.abbreviations`)."""
        self._live: Live | None = None
        self._unloaded = shipped
        self._refreshing = asyncio.Lock()
        self._graph_maker: asyncio.Task[None] | None = None

    @property
    def generation(self) -> int:
        """The generation that is answered from; 0 before the first."""
        return self._live.index.generation if self._live else 0

    @property
    def size(self) -> int:
        """Number of live entries in the index."""
        return len(self._live.index.entries) if self._live else 0

    @property
    def abbreviations(self) -> Abbreviations:
        """The table of short forms in force."""
        return self._searcher.abbreviations

    async def start(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Load everything; embeds only what has no stored vector. `progress` gets texts done and texts to do."""
        await self.refresh(progress)

    async def refresh(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Bring the index up to the published banks: only what changed is read, embedded and counted anew.

        Everything is read as it was at one moment, made beside the old index and off the event loop, and swapped in at
        once: a search sees the old banks or the new ones.
        """
        async with self._refreshing:
            began = time.monotonic()
            live = self._live
            held = {record.id: record.version for record in live.index.entries} if live else {}
            async with self._database.transaction() as session:
                await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
                generation = await load_generation(session)
                tuning = await load_tuning(session)
                staff = await load_staff_table(session)
                versions = await load_live_versions(session)
                ids = [entry for entry, version in versions.items() if held.get(entry) != version]
                records = await load_live_entries(session, ids=ids, unit_names=self.unit_names) if ids else []
            table = (
                live.searcher.abbreviations if live and live.staff == staff else merged(self.file_abbreviations, staff)
            )
            searcher = Searcher(self._embedder, table, self._ranker, self._settings.target)
            shipped = Calibration.from_json(self._ranker.calibration)
            searcher.use(tuning.calibration or shipped, tuning.target or self._settings.target)
            gone = [entry for entry in held if entry not in versions]
            if live and live.staff == staff:
                before = live.index
            else:  # by another table every text may read differently
                before = None
                came = {record.id for record in records}
                if live:
                    records.extend(one for one in live.index.entries if one.id in versions and one.id not in came)
            fresh = await asyncio.to_thread(lambda: [(one, pieces_of(one.draft, table)) for one in records])
            texts = list(dict.fromkeys(piece.dense for _, pieces in fresh for piece in pieces))
            vectors = await load_vectors(self._database, self._embedder, texts, progress)
            index = await asyncio.to_thread(self._make_index, before, fresh, gone, vectors, generation)
            self._live = Live(index, searcher, staff)
            log.info(
                "faq.index_ready",
                generation=generation,
                entries=len(index.entries),
                texts=len(index.pieces),
                changed=len(fresh),
                gone=len(gone),
                seconds=round(time.monotonic() - began, 3),
            )
        if index.dense.wants_graph and (self._graph_maker is None or self._graph_maker.done()):
            self._graph_maker = asyncio.create_task(self._make_graph(index), name="faq-graph")

    def _make_index(
        self,
        before: Index | None,
        fresh: Sequence[tuple[EntryRecord, Sequence[Piece]]],
        gone: Sequence[EntryId],
        vectors: Mapping[str, FloatArray],
        generation: int,
    ) -> Index:
        if before is not None:
            return before.changed(fresh, gone, vectors, generation=generation)
        return Index(
            [record for record, _ in fresh],
            [pieces for _, pieces in fresh],
            vectors,
            dim=self._embedder.dim,
            generation=generation,
            exact_limit=self._settings.exact_limit,
            ordinary=self._ranker.ordinary,
            centre=self._ranker.centres.get(self._embedder.name),
        )

    async def _make_graph(self, index: Index) -> None:
        """For banks beyond exact search: minutes of work beside the answering, which stays exact until it is done."""
        began = time.monotonic()
        graph = await asyncio.to_thread(Graph, index.dense.centred)
        async with self._refreshing:
            if self._live is not None:
                self._live.index.attach_graph(graph, index)
        log.info("faq.graph_ready", texts=len(index.pieces), seconds=round(time.monotonic() - began, 1))

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

        `previous` is the question before it, for follow-ups ("thế còn trẻ em?"); `place` where the citizen is, by
        administrative code or name; `exclude` entries that were given before and did not help. Raises RuntimeError
        before `start`.
        """
        live = self._live
        if live is None:
            raise RuntimeError("FaqEngine.ask before start")
        there = place_code(place, live.index.place_codes, self.unit_names) if place else None
        return await asyncio.to_thread(_Asked(live, self._embedder.name).ask, text, today, previous, there, exclude)

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
        live = self._live
        if live is None:
            raise RuntimeError("FaqEngine.calibrate before start")
        return await asyncio.to_thread(judge_and_fit, live.searcher, live.index, questions, today)

    @property
    def _searcher(self) -> Searcher:
        return self._live.searcher if self._live else self._unloaded


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question, from what is live as it comes in. CPU work only: off the event loop."""

    live: Live
    embedder: str

    def ask(
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
            if joined is not None and joined.confidence > found.confidence:
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


def place_code(said: str, codes: Collection[str], names: Mapping[UnitCode, str]) -> str:
    """Which of the places that entries hold for (`codes`) a citizen means: "Sầm Sơn" is "UBND phường Sầm Sơn". Pure.

    What is none of them, or could be several, comes back as it was said: entries of other places are not for them.
    """
    if said in codes:
        return said
    meant = _plain_place(said)
    found = [code for code in codes if _plain_place(names.get(UnitCode(code), "")) == meant]
    return found[0] if len(found) == 1 and meant else said


def _plain_place(name: str) -> str:
    return _OFFICE_AND_KIND.sub("", fold(name))
