"""First contents: units, subject fields, places and canned replies from seed.yml. May run at every start.

Rows that are there stay as people changed them; only what is missing is added.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import structlog
import yaml
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contracts.ids import SubjectId, UnitCode
from handoff.tables import CannedReplyRow, SubjectRow, UnitRow
from handoff.unit import Subject, Unit, UnitKind

log = structlog.get_logger(__name__)
SEED_FILE = Path(__file__).with_name("seed.yml")
LONG_AGO = date(2000, 1, 1)
"""Start of units that were there before the hotline."""


@dataclass(frozen=True, slots=True)
class Seed:
    """What a site starts with."""

    units: tuple[Unit, ...]
    subjects: tuple[Subject, ...]
    canned_replies: tuple[tuple[str, str], ...]
    """Title and text."""


async def seed(session: AsyncSession, file: Path = SEED_FILE) -> None:
    """Add the units, subject fields and canned replies of `file` that are not there yet."""
    contents = await asyncio.to_thread(lambda: parse_seed(file.read_text(encoding="utf-8")))
    # Two processes may start at once: the second waits, and finds everything there.
    await session.execute(text("select pg_advisory_xact_lock(hashtextextended('handoff.seed', 0))"))
    added = 0
    for rows, table, key in (
        ([_unit_values(one) for one in contents.units], UnitRow, "code"),
        ([_subject_values(one) for one in contents.subjects], SubjectRow, "id"),
        ([{"title": title, "text": words} for title, words in contents.canned_replies], CannedReplyRow, "title"),
    ):
        if rows:
            query = insert(table).values(rows).on_conflict_do_nothing(index_elements=[key]).returning(text("1"))
            added += len((await session.execute(query)).all())
    log.info("handoff.seeded", added=added)


def parse_seed(written: str) -> Seed:
    """The contents of a seed file. Raises KeyError, ValueError or yaml.YAMLError for one that is not of its shape."""
    tree: Mapping[str, Any] = yaml.safe_load(written)
    units = [
        *(_parse_unit(one) for one in tree["units"]),
        *_parse_districts(tree.get("former_districts", {"list": []})),
    ]
    if "communes_file" in tree:
        units += _communes(SEED_FILE.with_name(tree["communes_file"]), tree["communes_from"])
    codes = {unit.code for unit in units}
    if len(codes) != len(units):
        raise ValueError("two units of the same code in the seed file")
    if missing := {unit.successor for unit in units if unit.successor} - codes:
        raise ValueError(f"successors that are no units: {sorted(missing)}")
    return Seed(
        units=tuple(units),
        subjects=tuple(_parse_subject(one) for one in tree["subjects"]),
        canned_replies=tuple((one["title"], one["text"]) for one in tree.get("canned_replies", ())),
    )


def _parse_unit(tree: Mapping[str, Any]) -> Unit:
    return Unit(
        code=UnitCode(tree["code"]),
        name=tree["name"],
        short_name=tree["short_name"],
        kind=UnitKind(tree["kind"]),
        hotline=tree.get("hotline"),
        email=tree.get("email"),
        valid_from=tree.get("valid_from", LONG_AGO),
        valid_until=tree.get("valid_until"),
        successor=tree.get("successor"),
        aliases=tuple(tree.get("aliases", ())),
    )


def _parse_districts(tree: Mapping[str, Any]) -> Iterable[Unit]:
    for one in tree["list"]:
        yield Unit(
            code=UnitCode(one["code"]),
            name=f"Ủy ban nhân dân {one['name']}",
            short_name=f"UBND {one['name']}",
            kind=UnitKind.FORMER_DISTRICT,
            hotline=None,
            email=None,
            valid_from=LONG_AGO,
            valid_until=one.get("valid_until", tree["valid_until"]),
            successor=UnitCode(one.get("successor", tree["successor"])),
            aliases=tuple(one.get("aliases", ())),
        )


def _communes(file: Path, valid_from: date) -> Iterable[Unit]:
    for one in yaml.safe_load(file.read_text(encoding="utf-8")):
        name = one["name"][0].lower() + one["name"][1:]  # "Phường Hạc Thành" → "phường Hạc Thành"
        yield Unit(
            code=UnitCode(one["code"]),
            name=f"Ủy ban nhân dân {name}",
            short_name=f"UBND {name}",
            kind=UnitKind.COMMUNE,
            hotline=None,
            email=None,
            valid_from=valid_from,
            valid_until=None,
            successor=None,
        )


def _parse_subject(tree: Mapping[str, Any]) -> Subject:
    return Subject(
        id=SubjectId(tree["id"]),
        name=tree["name"],
        lead_unit=tree.get("lead_unit"),
        coordinating_units=tuple(tree.get("coordinating_units", ())),
        local=tree.get("local", False),
    )


def _unit_values(unit: Unit) -> dict[str, Any]:
    return {
        "code": unit.code,
        "name": unit.name,
        "short_name": unit.short_name,
        "kind": unit.kind,
        "hotline": unit.hotline,
        "email": unit.email,
        "valid_from": unit.valid_from,
        "valid_until": unit.valid_until,
        "successor": unit.successor,
        "aliases": list(unit.aliases),
    }


def _subject_values(subject: Subject) -> dict[str, Any]:
    return {
        "id": subject.id,
        "name": subject.name,
        "lead_unit": subject.lead_unit,
        "coordinating_units": list(subject.coordinating_units),
        "local": subject.local,
    }
