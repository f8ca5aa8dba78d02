"""The answers room's front door: one engine per process, fed from PostgreSQL, asked in plain words."""

import asyncio
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.base.clock import in_vietnam, now
from bot.base.db import Database
from bot.contracts.ids import EntryId, UnitCode
from faq.abbreviations import load_staff_table, merged
from faq.asked import Asked
from faq.calibrate import Calibration, CoveragePoint
from faq.decide import (
    Decision,
    Thresholds,
)
from faq.dense import Graph
from faq.embed import Embedder, FloatArray
from faq.entry import EntryRecord
from faq.index import Index, Piece, pieces_of
from faq.live import Live
from faq.normalise import Abbreviations
from faq.recalibrate import (
    FEWEST_ENTRIES,
    PAUSE_S,
    CalibrationState,
    Check,
    is_due,
    load_state,
    recalibrate,
)
from faq.search import Searcher, load_searcher
from faq.settings import FaqSettings
from faq.store import load_generation, load_live_entries, load_live_versions
from faq.tuning import Labelled, judge_and_fit, load_tuning
from faq.vectors import load_vectors
from nlu_data.vi_nlu.text import fold

log = structlog.get_logger(__name__)
QUIET_S = 20.0
"""After a change, before asking whether the calibration still holds: several changes often come in a row."""
_OFFICE_AND_KIND: Final = re.compile(
    r"^(?:o |tai )?(?:(?:uy ban nhan dan|ubnd) )?(?:(?:xa|phuong|thi tran|huyen|thi xa|thanh pho|p|x|tp|tx) )?"
)


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
        self._calibrating: asyncio.Task[None] | None = None

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
        if len(index.entries) >= FEWEST_ENTRIES and (self._calibrating is None or self._calibrating.done()):
            self._calibrating = asyncio.create_task(self._recalibrate_if_due(), name="faq-calibration")
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
        return await asyncio.to_thread(Asked(live, self._embedder.name).decide, text, today, previous, there, exclude)

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

    async def calibration_state(self) -> CalibrationState:
        """When and from what the limits in force were made, and when that was last looked at; for the console."""
        async with self._database.transaction() as session:
            return await load_state(session, Calibration.from_json(self._ranker.calibration))

    async def recalibrate(self, *, today: date, pause_s: float = PAUSE_S) -> Check | None:
        """Look whether the calibration still holds for the banks as they are now, and replace it if another is better
        founded; None if another process is at it. Some seconds of work, a question at a time between the citizens'.
        """
        live = self._live
        if live is None:
            raise RuntimeError("FaqEngine.recalibrate before start")
        return await recalibrate(self._database, live.index, live.searcher, today=today, pause_s=pause_s)

    async def settled(self) -> None:
        """Return when what a refresh has left to do beside the answering is done."""
        await asyncio.gather(*(one for one in (self._graph_maker, self._calibrating) if one is not None))

    async def _recalibrate_if_due(self) -> None:
        """After a change: in some process, once it is quiet, if enough has changed."""
        try:
            await asyncio.sleep(QUIET_S)
            if is_due(await self.calibration_state(), FEWEST_ENTRIES):
                await self.recalibrate(today=in_vietnam(now()).date())
        except (SQLAlchemyError, OSError) as error:  # the next change asks again; answering does not depend on it
            log.warning("faq.calibration_not_checked", error=type(error).__name__)

    @property
    def _searcher(self) -> Searcher:
        return self._live.searcher if self._live else self._unloaded


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
