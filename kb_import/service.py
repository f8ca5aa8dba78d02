"""The import room's door: plan, apply, undo, history. The command line and the console both come in here."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from collections.abc import Mapping as AnyMapping
from pathlib import Path

import structlog
from rapidfuzz import fuzz

from bot.base.clock import in_vietnam, now
from bot.base.db import Database
from bot.contracts.errors import DomainError, Refused
from bot.contracts.ids import AccountId, SubjectId, UnitCode
from faq import store
from faq.embed import Embedder, FloatArray
from faq.entry import EntryDraft, EntryRecord
from faq.normalise import Abbreviations, load_abbreviations
from faq.settings import FaqSettings
from faq.vectors import embed_missing, load_vectors, texts_to_embed
from handoff.unit import Subject
from handoff.units import load_subjects, load_units
from kb_import.apply import AppliedImport, apply_plan, apply_undo, remember
from kb_import.bank_name import bank_name_of
from kb_import.columns import Mapping
from kb_import.fields import find_subject
from kb_import.found import FoundRow
from kb_import.history import PastImport, get_import, load_file_phrasings, load_history, load_mappings
from kb_import.isolated import read_isolated
from kb_import.near import dense_text, find_near
from kb_import.places import find_places, place_names
from kb_import.plan import ImportPlan, Likeness, Source, plan_matches
from kb_import.problem import FileRefused, Problem, Severity
from kb_import.reading import Reading, ReadingOrder
from kb_import.sheet import BOUNDS, Bounds

log = structlog.get_logger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with a step's name ("read", "prepare", "embed", "compare", "apply"), how much is done, and of how much.

The desk adds "wait": the last number is how many files come before this one.
"""

_ALIKE_COSINE = 0.75
"""Cosine of the shipped sentence model at which two questions count as likeness 0.8; unrelated ones lie at 0.3 to
0.55."""


class UnknownUnit(Refused):
    """The code on the command line is nobody's."""

    code, vi = "import.unknown_unit", "Không có đơn vị nào mang mã “{unit}”. Các mã đang dùng: {known}."


class ForeignImport(DomainError):
    """An editor may act for the own unit only."""

    code, status, vi = "import.foreign_unit", 403, "Bạn chỉ được nạp và hoàn tác bộ câu hỏi của đơn vị mình."


class ImportService:
    """Plans and applies imports on one database. Planning changes nothing that a citizen could see."""

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        *,
        abbreviations: Abbreviations | None = None,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._database, self._embedder, self._bounds = database, embedder, bounds
        self._table = abbreviations or load_abbreviations(FaqSettings().abbreviations)
        """The same table that the answers room searches with: stored vectors are of texts read by it."""

    async def plan(
        self,
        content: Path | bytes,
        *,
        unit: UnitCode,
        name: str = "",
        bank: str | None = None,
        mapping: Sequence[Mapping] = (),
        near: bool = True,
        progress: Progress | None = None,
    ) -> ImportPlan:
        """What importing this file would do. `name` is the file's name when only its bytes are given.

        `near`: also compare with every live entry by meaning, which embeds the file's questions first (they are
        stored, so
        applying has nothing left to embed). Raises FileRefused, UnknownUnit.
        """
        if isinstance(content, Path):
            name, content = name or content.name, await _load(content, self._bounds)
        source = Source(name or "tệp không tên", hashlib.sha256(content).hexdigest(), len(content))
        async with self._database.transaction() as session:
            units = await load_units(session)
            if units and unit not in units:
                raise UnknownUnit(unit=unit, known=", ".join(sorted(one for one in units if not one.isdecimal())))
            remembered = await load_mappings(session, unit)
            subjects = await load_subjects(session)
        if progress:
            progress("read", 0, 1)
        order = ReadingOrder(in_vietnam(now()).date(), tuple(mapping), remembered)
        reading = await read_isolated(content, order, self._bounds)
        if progress:
            progress("read", len(reading.rows), len(reading.rows))
        bank_name = (bank or "").strip() or bank_name_of(source.file_name)
        known = place_names(units.values(), order.today)
        places, place_problems = find_places(reading.rows, reading.layouts, known)
        drafts = await asyncio.to_thread(drafts_of, reading.rows, places, subjects, unit)
        unit_names = {code: one.name for code, one in units.items()}
        async with self._database.transaction() as session:
            bank_id = await store.find_bank(session, unit, bank_name)
            everyone = await store.load_live_entries(session, unit_names=unit_names)
            from_files = await load_file_phrasings(session, bank_id) if bank_id is not None else {}
        own = [one for one in everyone if one.bank == bank_id]
        vectors: AnyMapping[str, FloatArray] = {}
        if near and not reading.is_broken and not reading.proposals and drafts:
            vectors = await self._vectors([draft for _, draft in drafts], everyone, progress)
        if progress:
            progress("compare", 0, 1)
        told = {one.sheet: one.columns.keys() for one in reading.layouts}
        alike = likeness_by(vectors, self._table)
        matched = await asyncio.to_thread(plan_matches, drafts, own, alike, told, from_files)
        problems = [*reading.problems, *place_problems]
        if vectors:
            kept = frozenset(int(one.id) for one in own)
            problems += await asyncio.to_thread(
                find_near, [row for row, _ in drafts], everyone, vectors, reading.layouts, kept, self._table
            )
        if progress:
            progress("compare", 1, 1)
        problems += _other_units(reading, unit, unit_names)
        plan = ImportPlan(
            source=source,
            unit=unit,
            bank=bank_name,
            reading=reading,
            adds=matched.adds,
            changes=matched.changes,
            retirements=matched.retirements,
            unchanged=matched.unchanged,
            problems=tuple(problems),
            live={one.id: one.version for one in own},
            settled=bool(mapping),
            phrasings=matched.phrasings,
            place_names=known.names,
            subject_names={number: one.name for number, one in subjects.items()},
        )
        log.info(
            "import.planned", unit=unit, sha256=source.sha256[:12], status=plan.status.value, rows=len(reading.rows),
            add=len(plan.adds), change=len(plan.changes), retire=len(plan.retirements), problems=len(problems),
        )  # fmt: skip
        return plan

    async def apply(
        self, plan: ImportPlan, *, by: AccountId | None, retire: bool = False, progress: Progress | None = None
    ) -> AppliedImport:
        """Carry the plan out. Everything is embedded first, then one transaction. Raises NotReady, PlanOutdated."""
        texts = await asyncio.to_thread(texts_to_embed, plan.drafts, self._table)
        await embed_missing(self._database, self._embedder, texts, _step(progress, "embed") if progress else None)
        step = _step(progress, "apply") if progress else None
        async with self._database.transaction() as session:
            applied = await apply_plan(session, plan, by=by, retire=retire, progress=step)
        log.info("import.applied", id=applied.id, unit=plan.unit, generation=applied.generation)
        return applied

    async def remember(self, plan: ImportPlan, *, by: AccountId | None) -> None:
        """Keep what a person settled about the file's sheets when there is nothing else to apply."""
        async with self._database.transaction() as session:
            await remember(session, plan, by=by)

    async def undo(self, import_id: int, *, by: AccountId | None, unit: UnitCode | None = None) -> int:
        """Take one import back in one transaction; the new generation. `unit`: the only unit whose imports may be
        undone.

        Raises NotFound, CannotUndo, ForeignImport.
        """
        async with self._database.transaction() as session:
            past = await get_import(session, import_id)
            if unit is not None and past.unit != unit:
                raise ForeignImport
            generation = await apply_undo(session, import_id, by=by)
        log.info("import.undone", id=import_id, generation=generation)
        return generation

    async def history(self, unit: UnitCode | None = None) -> list[PastImport]:
        """Imports of one unit, or of all, newest first."""
        async with self._database.transaction() as session:
            return await load_history(session, unit)

    async def _vectors(
        self, drafts: Sequence[EntryDraft], everyone: Sequence[EntryRecord], progress: Progress | None
    ) -> AnyMapping[str, FloatArray]:
        def prepare() -> tuple[list[str], list[str]]:
            questions = [*(draft.question for draft in drafts), *(one.draft.question for one in everyone)]
            asked = dict.fromkeys(dense_text(one, self._table) for one in questions)
            return texts_to_embed(drafts, self._table), [one for one in asked if one]

        if progress:
            progress("prepare", 0, 1)
        texts, asked = await asyncio.to_thread(prepare)  # seconds for a large bank: citizens must not wait for it
        if progress:
            progress("prepare", 1, 1)
        await embed_missing(self._database, self._embedder, texts, _step(progress, "embed") if progress else None)
        return await load_vectors(self._database, self._embedder, asked)


def drafts_of(
    rows: Sequence[FoundRow],
    places: Sequence[UnitCode | None],
    subjects: AnyMapping[SubjectId, Subject],
    unit: UnitCode,
) -> list[tuple[FoundRow, EntryDraft]]:
    """Each row with the entry that it becomes."""
    fields = {text: find_subject(text, subjects, unit) for text in {row.field for row in rows}}
    return [
        (
            row,
            EntryDraft(
                question=row.question,
                answer=row.answer,
                phrasings=row.phrasings,
                subject=fields[row.field],
                legal_basis=row.legal_basis,
                confirmed_on=row.confirmed_on,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
                place=place,
            ),
        )
        for row, place in zip(rows, places, strict=True)
    ]


def likeness_by(vectors: AnyMapping[str, FloatArray], table: Abbreviations) -> Likeness:
    """How alike two questions are: by letters, and by meaning where both have a vector."""

    def alike(one: str, other: str) -> float:
        spelt = float(fuzz.ratio(one, other)) / 100.0
        first, second = vectors.get(dense_text(one, table)), vectors.get(dense_text(other, table))
        if first is None or second is None:
            return spelt
        cosine = float(first @ second)
        # Meaning alone must be very close; together with letters that mostly agree less will do.
        return max(spelt, min(1.0, 0.8 * cosine / _ALIKE_COSINE) if spelt >= 0.5 and cosine >= _ALIKE_COSINE else 0.0)

    return alike


def _other_units(reading: Reading, unit: UnitCode, names: AnyMapping[UnitCode, str]) -> list[Problem]:
    """A note for rows that name another unit: the entries are filed under the unit that sends the file, always."""
    own = {unit.casefold(), names.get(unit, "").casefold()}
    others = sorted({row.unit for row in reading.rows if row.unit and row.unit.casefold() not in own})
    if not others or not names.get(unit):
        return []
    shown = ", ".join(f"“{one}”" for one in others[:3])
    message = f"Cột đơn vị ghi {shown}; mọi câu hỏi trong tệp vẫn được nạp cho {names[unit]}."
    return [Problem(Severity.NOTE, "unit_column", message, reading.rows[0].sheet)]


def _step(progress: Progress, name: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(name, done, total)


async def _load(path: Path, bounds: Bounds) -> bytes:
    def load() -> bytes:
        with path.open("rb") as stream:
            return stream.read(bounds.file_bytes + 1)

    try:
        return await asyncio.to_thread(load)
    except OSError as error:
        raise FileRefused(
            f"Không mở được tệp {path.name} ({error.strerror}).", "Hãy kiểm tra đường dẫn.", reason="unreadable"
        ) from None
