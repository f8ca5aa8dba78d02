"""The site's own calibration and target, kept beside the index, and how a calibration is made from judged questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now
from bot.contracts.errors import NotFound, Refused
from bot.contracts.ids import EntryId
from faq.calibrate import Calibration, Judged, fit
from faq.index import Index
from faq.search import Searcher
from faq.store import publish
from faq.tables import FaqIndexRow

FEWEST: Final = 60
"""Fewer judged questions than this say less than the shipped calibration does."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question and the entries that answer it; none: nobody wrote an answer."""

    text: str
    entries: frozenset[EntryId]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What this site has set; None: as shipped, or as in the settings."""

    calibration: Calibration | None
    target: float | None


async def load_tuning(session: AsyncSession) -> Tuning:
    """The calibration and the target in the database."""
    row = (await session.execute(select(FaqIndexRow.calibration, FaqIndexRow.target))).one_or_none()
    if row is None:
        return Tuning(None, None)
    return Tuning(Calibration.from_json(row.calibration) if row.calibration else None, row.target)


async def set_target(session: AsyncSession, target: float) -> int:
    """Share of automatic answers that must be right, from now on; the new generation. Raises Refused."""
    if not 0.5 < target < 1.0:
        raise Refused(problem="Tỷ lệ trả lời đúng phải lớn hơn 50 % và nhỏ hơn 100 %.")
    generation = await publish(session)
    await session.execute(update(FaqIndexRow).values(target=target))
    return generation


async def save_calibration(session: AsyncSession, calibration: Calibration | None) -> int:
    """Decide by this calibration (None: the shipped one) from now on; the new generation."""
    generation = await publish(session)
    await session.execute(
        update(FaqIndexRow).values(
            calibration=calibration.as_json() if calibration else None,
            calibrated_for=generation,
            calibrated_at=now(),
        )
    )
    return generation


def judge_and_fit(searcher: Searcher, index: Index, questions: Sequence[Labelled], today: date) -> Calibration:
    """A calibration from questions that people have judged. Raises Refused if they are too few or all alike; NotFound
    if none of the entries they name is in the index."""
    known = {entry.id for entry in index.entries}
    if questions and not any(known & one.entries for one in questions):
        raise NotFound(what="mục hỏi đáp nào trong các câu đã chấm")
    judged: list[Judged] = []
    for one in questions:
        found = searcher.search(index, one.text, today=today)
        order = [candidate.entry for candidate in found.candidates]
        score = float(searcher.ranker.trust(found.trust)) if len(found.trust) else -9.0
        judged.append(
            Judged(
                score,
                bool(order) and order[0] in one.entries,
                bool(one.entries.intersection(order[:3])),
                bool(one.entries),
            )
        )
    right = sum(one.right for one in judged)
    if len(judged) < FEWEST or not 0 < right < len(judged):
        raise Refused(problem=f"Cần ít nhất {FEWEST} câu đã chấm, có câu đúng và câu sai; hiện có {len(judged)}.")
    return fit(judged)
