"""The answers room's front door: one engine per process, fed from PostgreSQL, asked in plain words."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import date

import structlog

from bot.base.db import Database
from bot.contracts.ids import EntryId, UnitCode
from faq.decide import Answer, Decision, Evidence, HandOver, OfferChoices, Reason, Verdict, choices
from faq.embed import Embedder, FloatArray
from faq.entry import EntryRecord
from faq.index import Index, Piece, pieces_of
from faq.search import Found, load_searcher
from faq.settings import FaqSettings
from faq.store import load_generation, load_live_entries, load_live_versions
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
        found = await asyncio.to_thread(self._searcher.search, index, text, today=today, place=place, exclude=exclude)
        return self._decide(index, found)

    def _decide(self, index: Index, found: Found) -> Decision:
        limits = self._searcher.thresholds
        evidence = Evidence(
            found.normalised,
            found.candidates,
            limits,
            index.generation,
            self._embedder.name,
            self._searcher.ranker.version,
        )
        if not found.candidates:
            reason = Reason.NO_WORDS if index.entries and not found.normalised else Reason.EMPTY_BANK
            return HandOver(reason, 0.0, evidence)
        by_id = {entry.id: entry for entry in index.entries}
        match self._searcher.verdict(found):
            case Verdict.ANSWER:
                return Answer(by_id[found.candidates[0].entry], found.confidence, evidence)
            case Verdict.CHOOSE:
                offered = tuple(by_id[one.entry] for one in choices(found.candidates, limits))
                return OfferChoices(offered, found.confidence, evidence)
            case Verdict.HANDOVER:
                return HandOver(Reason.NOTHING_CLOSE, found.confidence, evidence)
