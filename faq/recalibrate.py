"""Is what "95 % sure" means still true for the banks as they are now? Asked again when enough of them has changed.

The bank itself gives the questions: a way to ask is taken out of its entry and asked, as people would type it, or as
they did type it if staff added it for a citizen's question (`real`); and a question is asked while its entry may not be
used, nor those like it, so that nothing answers it. The calibration in force is replaced only by one that is better
founded (`choose`).
"""

import asyncio
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import numpy as np
import structlog
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.ids import EntryId
from faq.calibrate import Calibration, Judged, fit, mix_weights
from faq.embed import FloatArray
from faq.entry import EntryRecord
from faq.index import Index, Piece, PieceKind
from faq.noise import FORMS, rewrite
from faq.normalise import Abbreviations
from faq.search import Searcher
from faq.store import Change
from faq.tables import EntryRow, EntryVersionRow, FaqIndexRow
from faq.tuning import save_calibration

log = structlog.get_logger(__name__)

ENOUGH_CHANGED: Final = 0.1
"""Share of the live entries that must have changed since the last check."""
FEWEST_ENTRIES: Final = 100
"""Smaller banks say too little about themselves."""
FEWEST_JUDGED: Final = 60
"""With fewer questions of real citizens the limits may become stricter, but not bolder."""
FEWEST_OF_A_KIND: Final = 15
"""Right and wrong first entries needed to fit anything."""
MOST_ASKED: Final = 160
"""Synthetic questions of each kind, answerable and not; as many judged ones at most."""
SYNTHETIC_WEIGHT: Final = 0.3
"""A made-up question counts as this much of a real one."""
FOLDS: Final = 5
LEFT_OUT: Final = 6
"""Entries that may not be used when nothing is to answer: the one asked for and the nearest to it. With it alone left
out, its siblings make a harder question than people ask: trusted .44 on average, with six .24, as against .19 for the
93 questions of the sample banks that nothing answers."""
PAUSE_S: Final = 0.05
"""Between two questions, so that citizens' questions go first."""
NOTHING_FOUND: Final = -9.0
"""Trust, in log-odds, when there is no candidate."""
LOCK: Final = 0x1022_CA11
"""PostgreSQL advisory lock: one process checks at a time."""


class Outcome(StrEnum):
    """What became of a check."""

    REPLACED = "replaced"
    KEPT = "kept"
    """What is in force foretells these questions as well or better."""
    NOT_BOLDER = "not_bolder"
    """The new limits would answer more by made-up questions alone."""
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Practice:
    """One question with what is known about its answer."""

    way: str
    """The text of the entry that it was made from."""
    asked: str
    entry: EntryId
    answerable: bool
    """False: asked while `entry` and its like may not be used."""
    real: bool
    """A citizen's own words, put to this entry by staff."""


@dataclass(frozen=True, slots=True)
class Check:
    """The last look at the calibration, as staff see it."""

    at: datetime
    generation: int
    outcome: Outcome
    judged: int
    synthetic: int
    surprise_before: float
    """Mean log loss of the calibration in force over these questions; smaller is better."""
    surprise_after: float
    """The same of the new one, over questions it was not fitted to."""

    def as_json(self) -> dict[str, Any]:
        """For a jsonb column; `from_json` is its inverse."""
        return {
            "at": self.at.isoformat(),
            "generation": self.generation,
            "outcome": self.outcome.value,
            "judged": self.judged,
            "synthetic": self.synthetic,
            "surprise_before": round(self.surprise_before, 4),
            "surprise_after": round(self.surprise_after, 4),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Check":
        """What `as_json` wrote."""
        known = {**stored, "at": datetime.fromisoformat(stored["at"]), "outcome": Outcome(stored["outcome"])}
        return cls(**known)


@dataclass(frozen=True, slots=True)
class CalibrationState:
    """How the limits in force came about, for the console."""

    calibrated_at: datetime | None
    """None: the shipped calibration is in force."""
    questions: int
    """Labelled questions that the calibration in force was fitted to."""
    check: Check | None
    changed: int
    """Entries that were added, changed or retired since the last check."""
    live: int


async def load_state(session: AsyncSession, shipped: Calibration) -> CalibrationState:
    """Everything staff want to know about the calibration."""
    row = (
        await session.execute(select(FaqIndexRow.calibration, FaqIndexRow.calibrated_at, FaqIndexRow.calibration_check))
    ).one_or_none()
    check = Check.from_json(row.calibration_check) if row and row.calibration_check else None
    live = await session.scalar(select(func.count()).select_from(EntryRow).where(EntryRow.retired_at.is_(None))) or 0
    changes = select(func.count(EntryVersionRow.entry.distinct()))
    if check is not None:
        changes = changes.where(EntryVersionRow.at > check.at)
    changed = await session.scalar(changes) or 0
    own = Calibration.from_json(row.calibration) if row and row.calibration else None
    return CalibrationState(
        row.calibrated_at if row and own else None, (own or shipped).questions, check, changed, live
    )


def is_due(state: CalibrationState, fewest: int = FEWEST_ENTRIES) -> bool:
    """Has enough changed since the last check? Pure."""
    return state.live >= fewest and state.changed >= ENOUGH_CHANGED * state.live


async def recalibrate(
    database: Database, index: Index, searcher: Searcher, *, today: date, pause_s: float = PAUSE_S
) -> Check | None:
    """Look whether the calibration still holds for this index, and replace it if another is better founded.

    None if another process is at it. Some seconds of work, a question at a time between the citizens'.
    """
    async with database.transaction() as turn:
        if not await take_turn(turn):
            return None
        async with database.transaction() as session:
            taught = await load_taught(session)
        questions = plan_practice(index.entries, taught, searcher.abbreviations, seed=index.generation)
        practice = await asyncio.to_thread(without_what_is_asked, index, questions)
        judged = await ask_all(searcher, practice, questions, today=today, pause_s=pause_s)
        current, target = searcher.calibration, searcher.thresholds.target
        outcome, new, before, after = await asyncio.to_thread(choose, questions, judged, current, target)
        real = sum(one.real for one in questions)
        check = Check(now(), index.generation, outcome, real, len(questions) - real, before, after)
        async with database.transaction() as session:
            if new is not None:
                await save_calibration(session, new)
            await save_check(session, check)
    log.info("faq.calibration_checked", **check.as_json())
    return check


async def take_turn(session: AsyncSession) -> bool:
    """True in one process at a time, until its transaction ends."""
    return bool(await session.scalar(text("select pg_try_advisory_xact_lock(:key)"), {"key": LOCK}))


async def save_check(session: AsyncSession, check: Check) -> None:
    """Remember that this was looked at."""
    await session.execute(update(FaqIndexRow).values(calibration_check=check.as_json()))


async def load_taught(session: AsyncSession, limit: int = MOST_ASKED) -> dict[EntryId, list[str]]:
    """Ways to ask that staff added to live entries one by one, the latest first: citizens' own words."""
    rows = await session.execute(
        select(EntryVersionRow.entry, EntryVersionRow.draft["phrasings"][-1].astext)
        .join(EntryRow, EntryRow.id == EntryVersionRow.entry)
        .where(EntryVersionRow.change == Change.PHRASING, EntryRow.retired_at.is_(None))
        .order_by(EntryVersionRow.at.desc())
        .limit(limit)
    )
    taught: dict[EntryId, list[str]] = {}
    for entry, words in rows:
        taught.setdefault(entry, []).append(words)
    return taught


def plan_practice(
    entries: Sequence[EntryRecord], taught: Mapping[EntryId, Sequence[str]], table: Abbreviations, seed: int
) -> list[Practice]:
    """Questions to ask, the same for the same banks. Pure."""
    chance = random.Random(seed)
    questions = [
        Practice(words, words, entry.id, answerable=True, real=True)
        for entry in entries
        for words in taught.get(entry.id, ())
        if words in entry.draft.phrasings
    ]
    for answerable in (True, False):
        for entry in chance.sample(list(entries), min(MOST_ASKED, len(entries))):
            draft, real = entry.draft, set(taught.get(entry.id, ()))
            ways = [one for one in draft.phrasings if one not in real] or [draft.question]
            way = chance.choice(ways if answerable else [draft.question, *draft.phrasings])
            form = chance.choice(FORMS[1:] if way == draft.question else FORMS)
            asked = rewrite(way, form, table, f"{seed}/{way}")
            questions.append(Practice(way, asked, entry.id, answerable, real=False))
    return questions


def without_what_is_asked(index: Index, questions: Sequence[Practice]) -> Index:
    """The index as if nobody had written down the ways to ask that are going to be asked. Questions stay."""
    ways: dict[EntryId, set[str]] = {}
    for one in questions:
        if one.answerable:
            ways.setdefault(one.entry, set()).add(one.way)
    vectors: dict[str, FloatArray] = {}
    changed: list[tuple[EntryRecord, Sequence[Piece]]] = []
    for number, own in ways.items():
        rows = index.rows_of(number)
        pieces = [index.pieces[row] for row in rows]
        vectors.update({piece.dense: index.dense.vectors[row] for row, piece in zip(rows, pieces, strict=True)})
        kept = [piece for piece in pieces if piece.kind is not PieceKind.PHRASING or piece.text not in own]
        changed.append((index.entry(number), kept))
    return index.changed(changed, (), vectors, generation=index.generation)


async def ask_all(
    searcher: Searcher, index: Index, questions: Sequence[Practice], *, today: date, pause_s: float = PAUSE_S
) -> list[Judged]:
    """How the search decides each, one at a time and off the event loop."""
    judged = []
    for one in questions:
        judged.append(await asyncio.to_thread(judge, searcher, index, one, today))
        await asyncio.sleep(pause_s)
    return judged


def judge(searcher: Searcher, index: Index, one: Practice, today: date) -> Judged:
    """How the search decides this question."""
    exclude = frozenset() if one.answerable else frozenset(index.nearest_entries(one.entry, LEFT_OUT))
    found = searcher.search(index, one.asked, today=today, exclude=exclude)
    first = [candidate.entry for candidate in found.candidates[:3]]
    score = float(searcher.ranker.trust(found.trust)) if len(found.trust) else NOTHING_FOUND
    right = one.answerable and first[:1] == [one.entry]
    offered = one.answerable and one.entry in first
    return Judged(score, right, offered, one.answerable, 1.0 if one.real else SYNTHETIC_WEIGHT)


def choose(
    questions: Sequence[Practice], judged: Sequence[Judged], current: Calibration, target: float
) -> tuple[Outcome, Calibration | None, float, float]:
    """What becomes of the calibration in force: the outcome, the new one if it replaces it, and the mean surprise of
    both (of the new one over folds that it was not fitted to). Pure."""
    before = surprise(judged, [current] * len(judged))
    right = sum(one.right for one in judged)
    if min(right, len(judged) - right) < FEWEST_OF_A_KIND:
        return Outcome.TOO_FEW, None, before, before
    entries = sorted({one.entry for one in questions})
    fold_of = {entry: at % FOLDS for at, entry in enumerate(entries)}  # all questions of an entry in one fold
    folds = [fold_of[one.entry] for one in questions]
    rest = [[one for one, here in zip(judged, folds, strict=True) if here != fold] for fold in range(FOLDS)]
    if any(len({one.right for one in group}) < 2 for group in rest):
        return Outcome.TOO_FEW, None, before, before
    fitted = [fit(group) for group in rest]
    after = surprise(judged, [fitted[fold] for fold in folds])
    if after >= before:
        return Outcome.KEPT, None, before, after
    new = fit(judged)
    if least_trust(new, target) < least_trust(current, target) and sum(one.real for one in questions) < FEWEST_JUDGED:
        return Outcome.NOT_BOLDER, None, before, after
    return Outcome.REPLACED, new, before, after


def least_trust(calibration: Calibration, target: float) -> float:
    """From which trust on, in log-odds, questions are answered: by this two calibrations can be compared."""
    chance = calibration.thresholds(target).answer
    if chance >= 1:
        return math.inf
    return (math.log(chance / (1 - chance)) - calibration.intercept) / calibration.slope


def surprise(judged: Sequence[Judged], by: Sequence[Calibration]) -> float:
    """Mean log loss of each question's calibration, with the questions' mix as calibrations are fitted to. Pure."""
    if not judged:
        return 0.0
    weights = mix_weights(judged)
    losses = [
        -math.log(max(1e-6, chance if one.right else 1 - chance))
        for one, chance in ((one, own.chance(one.score)) for one, own in zip(judged, by, strict=True))
    ]
    return float((weights * np.array(losses)).sum() / max(1e-9, float(weights.sum())))
