"""Short forms that staff add to, or drop from, the table that is shipped (nlu_data/abbreviations.yml).

The file is the start; what staff change lies over it in PostgreSQL, with who, when and why, and is never deleted: a row
that has ended is history. A change is published like a change of an entry, so every process reads questions by the new
table with its next index.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now
from bot.contracts.errors import NotFound, Refused
from bot.contracts.ids import AccountId
from faq.normalise import FUNCTION_WORDS, Abbreviations, words_of
from faq.store import publish
from faq.tables import ShortFormRow
from nlu_data.vi_nlu.text import is_plain_syllable, is_syllable

log = structlog.get_logger(__name__)

SHORT_WORDS: Final = 4
SHORT_CHARACTERS: Final = 30
MEANING_WORDS: Final = 8
MEANING_CHARACTERS: Final = 80
MOST_MEANINGS: Final = 6
"""Meanings of one short form: with more, none can be told from the others."""
MOST_ADDED: Final = 2000
"""Short forms that staff may add: every message is read by all of them."""

Pair = tuple[str, str]
"""A short form and one of its meanings, both as `normalise.words_of` writes them."""


class Source(StrEnum):
    """Where a short form comes from."""

    FILE = "file"
    STAFF = "staff"


class Effect(StrEnum):
    """What a staff row does to the shipped table."""

    ADDED = "added"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class StaffTable:
    """What staff have changed, as it is in force."""

    added: tuple[Pair, ...] = ()
    """In the order in which they were added."""
    dropped: frozenset[Pair] = frozenset()


@dataclass(frozen=True, slots=True)
class ShortForm:
    """One line of the table as staff see it."""

    short: str
    meaning: str
    source: Source
    in_use: bool
    """False: shipped, but dropped by staff; adding it again takes it back."""
    by: AccountId | None = None
    at: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class ShortFormChange:
    """One step in the table's history."""

    short: str
    meaning: str
    effect: Effect
    by: AccountId | None
    at: datetime
    why: str
    ended_at: datetime | None
    """When it was taken back; None: still in force."""
    ended_by: AccountId | None
    ended_why: str


def merged(file: Abbreviations, staff: StaffTable) -> Abbreviations:
    """The table in force. What staff add comes after the file's meanings of the same short form. Pure."""
    if not staff.added and not staff.dropped:
        return file
    changed = {short for short, _ in (*staff.added, *staff.dropped)}
    meanings = {short: list(fulls) for short, fulls in file.meanings.items()}
    for short, meaning in staff.dropped:
        meanings[short] = [full for full in meanings.get(short, ()) if full != meaning]
    for short, meaning in staff.added:
        if meaning not in meanings.setdefault(short, []):
            meanings[short].append(meaning)
    certain = {short: full for short, full in file.certain.items() if short not in changed}
    for short in changed:
        if len(meanings[short]) == 1 and not is_plain_syllable(short) and not is_syllable(short):
            certain[short] = tuple(meanings[short][0].split())
    table = {short: tuple(fulls) for short, fulls in meanings.items() if fulls}
    return Abbreviations(table, max((len(short.split()) for short in table), default=1), certain)


async def load_staff_table(session: AsyncSession) -> StaffTable:
    """What staff have changed."""
    rows = await _in_force(session)
    return StaffTable(
        tuple((row.short, row.meaning) for row in rows if row.effect == Effect.ADDED),
        frozenset((row.short, row.meaning) for row in rows if row.effect == Effect.DROPPED),
    )


async def load_short_forms(session: AsyncSession, file: Abbreviations) -> list[ShortForm]:
    """Every short form with every meaning, shipped and added, by meaning and short form. `file`: the shipped table."""
    rows = {(row.short, row.meaning): row for row in await _in_force(session)}
    found = []
    for short, meaning in dict.fromkeys((*_pairs(file.meanings), *rows)):
        row = rows.get((short, meaning))
        if row is None:
            found.append(ShortForm(short, meaning, Source.FILE, in_use=True))
        else:
            dropped = row.effect == Effect.DROPPED
            source = Source.FILE if dropped else Source.STAFF
            found.append(ShortForm(short, meaning, source, not dropped, row.by, row.at, row.why))
    return sorted(found, key=lambda one: (one.meaning, one.short))


async def load_short_form_history(session: AsyncSession, limit: int = 200) -> list[ShortFormChange]:
    """What staff did to the table, the latest first."""
    rows = await session.scalars(select(ShortFormRow).order_by(ShortFormRow.id.desc()).limit(limit))
    return [
        ShortFormChange(
            row.short,
            row.meaning,
            Effect(row.effect),
            row.by,
            row.at,
            row.why,
            row.ended_at,
            row.ended_by,
            row.ended_why,
        )
        for row in rows
    ]


async def add_short_form(
    session: AsyncSession, file: Abbreviations, short: str, meaning: str, *, by: AccountId | None, why: str = ""
) -> int:
    """From now on `short` may stand for `meaning`, in every process; the new generation. Raises Refused."""
    pair = check_short_form(short, meaning)
    staff = await load_staff_table(session)
    if pair in staff.dropped:
        return await _end(session, pair, by, why)
    if pair in staff.added or pair[1] in file.of(pair[0]):
        raise Refused(problem=f"“{pair[0]}” đã có nghĩa “{pair[1]}” trong bảng viết tắt.")
    if len(merged(file, staff).of(pair[0])) >= MOST_MEANINGS:
        raise Refused(problem=f"“{pair[0]}” đã có {MOST_MEANINGS} nghĩa. Hãy bỏ bớt một nghĩa trước khi thêm.")
    if len(staff.added) >= MOST_ADDED:
        raise Refused(problem=f"Bảng viết tắt đã có {MOST_ADDED} dòng cán bộ thêm. Hãy bỏ bớt dòng không dùng.")
    return await _begin(session, pair, Effect.ADDED, by, why)


async def remove_short_form(
    session: AsyncSession, file: Abbreviations, short: str, meaning: str, *, by: AccountId | None, why: str = ""
) -> int:
    """`short` no longer stands for `meaning`, whoever had put it there; the new generation. Raises NotFound."""
    pair = _plain(short), _plain(meaning)
    staff = await load_staff_table(session)
    if pair in staff.added:
        return await _end(session, pair, by, why)
    if pair[1] in file.of(pair[0]) and pair not in staff.dropped:
        return await _begin(session, pair, Effect.DROPPED, by, why)
    raise NotFound(what=f"“{pair[0]}” với nghĩa “{pair[1]}” trong bảng viết tắt")


def check_short_form(short: str, meaning: str) -> Pair:
    """Both as they will be met among words. Pure. Raises Refused, saying in Vietnamese what to write instead."""
    problem = ""
    plain, full = _plain(short), _plain(meaning)
    if not plain or len(plain) > SHORT_CHARACTERS or len(plain.split()) > SHORT_WORDS:
        problem = f"Cách viết tắt phải có chữ hoặc số, dài không quá {SHORT_WORDS} từ và {SHORT_CHARACTERS} ký tự."
    elif plain in FUNCTION_WORDS:
        problem = f"“{plain}” là từ thường dùng; coi là viết tắt sẽ làm hiểu sai các câu hỏi khác."
    elif not full or len(full) > MEANING_CHARACTERS or len(full.split()) > MEANING_WORDS:
        problem = f"Nghĩa đầy đủ phải có chữ, dài không quá {MEANING_WORDS} từ và {MEANING_CHARACTERS} ký tự."
    elif not any(letter.isalpha() for letter in full):
        problem = "Nghĩa đầy đủ phải có chữ."
    elif plain == full:
        problem = "Cách viết tắt và nghĩa đầy đủ giống nhau."
    elif unmarked := [word for word in full.split() if is_plain_syllable(word) and not is_syllable(word)]:
        problem = f"Hãy viết nghĩa đầy đủ có dấu: “{unmarked[0]}” chưa phải là tiếng Việt có dấu."
    if problem:
        raise Refused(problem=problem)
    return plain, full


def _plain(text: str) -> str:
    return " ".join(words_of(text))


def _pairs(meanings: Mapping[str, Iterable[str]]) -> list[Pair]:
    return [(short, full) for short, fulls in meanings.items() for full in fulls]


async def _in_force(session: AsyncSession) -> list[ShortFormRow]:
    wanted = select(ShortFormRow).where(ShortFormRow.ended_at.is_(None)).order_by(ShortFormRow.id)
    return list(await session.scalars(wanted))


async def _begin(session: AsyncSession, pair: Pair, effect: Effect, by: AccountId | None, why: str) -> int:
    written = await session.scalar(
        insert(ShortFormRow)
        .values(short=pair[0], meaning=pair[1], effect=effect, by=by, at=now(), why=why.strip(), ended_why="")
        .on_conflict_do_nothing()
        .returning(ShortFormRow.id)
    )
    if written is None:
        raise Refused(problem=f"“{pair[0]}” – “{pair[1]}” vừa được người khác sửa. Hãy tải lại trang.")
    log.info("faq.short_form_changed", row=written, effect=effect)
    return await publish(session)


async def _end(session: AsyncSession, pair: Pair, by: AccountId | None, why: str) -> int:
    ended = await session.scalar(
        update(ShortFormRow)
        .where(ShortFormRow.short == pair[0], ShortFormRow.meaning == pair[1], ShortFormRow.ended_at.is_(None))
        .values(ended_at=func.greatest(now(), ShortFormRow.at), ended_by=by, ended_why=why.strip())
        .returning(ShortFormRow.id)
    )
    if ended is None:
        raise Refused(problem=f"“{pair[0]}” – “{pair[1]}” vừa được người khác sửa. Hãy tải lại trang.")
    log.info("faq.short_form_ended", row=ended)
    return await publish(session)
