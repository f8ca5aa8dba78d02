"""Units and subject fields, read from the database. Which unit is in force on a day: handoff/unit.py."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contracts.errors import NotFound
from bot.contracts.ids import SubjectId, UnitCode
from handoff.match import plan_match
from handoff.tables import SubjectRow, UnitContactRow, UnitRow
from handoff.unit import DUTY_DESK, Subject, Unit, UnitContact, UnitKind, UnitNotFound, plan_family, plan_successor

__all__ = ["Subject", "Unit", "UnitContact", "UnitKind", "UnitNotFound"]


async def load_units(session: AsyncSession) -> dict[UnitCode, Unit]:
    """Every unit, also those that ended, by code."""
    rows = await session.scalars(select(UnitRow).order_by(UnitRow.code))
    return {row.code: _unit_of(row) for row in rows}


async def find_unit_name(session: AsyncSession, code: UnitCode) -> str | None:
    """The name of one unit, in force or not; for every answer, so it reads one row and not all of them."""
    return await session.scalar(select(UnitRow.name).where(UnitRow.code == code))


async def resolve_unit(session: AsyncSession, code: UnitCode, on: date) -> Unit:
    """The unit that answers on that day for what `code` answered for. Raises UnitNotFound."""
    return plan_successor(await load_units(session), code, on)


async def get_family(session: AsyncSession, code: UnitCode | None, on: date) -> frozenset[UnitCode]:
    """Codes whose tickets are those of `code`'s unit on that day; none for somebody without a unit."""
    if code is None:
        return frozenset()
    try:
        return plan_family(await load_units(session), code, on)
    except UnitNotFound:
        return frozenset({code})


async def find_unit_by_text(session: AsyncSession, text: str, on: date) -> Unit | None:
    """The unit that a person means ("sdt so y te", "ubnd xã Hà Trung"), in force on that day; None if unclear."""
    units = await load_units(session)
    code = plan_match(tuple(units.values()), text)
    if code is None:
        return None
    try:
        return plan_successor(units, code, on)
    except UnitNotFound:
        return None


async def get_hotline(session: AsyncSession, unit: Unit, on: date) -> tuple[str | None, bool]:
    """The number to call for `unit`, and whether it is its own: if it has none, the duty desk connects the call."""
    if unit.hotline:
        return unit.hotline, True
    try:
        return (await resolve_unit(session, DUTY_DESK, on)).hotline, False
    except UnitNotFound:
        return None, False


async def get_contacts(session: AsyncSession, code: UnitCode) -> tuple[UnitContact, ...]:
    """Who receives at this unit, by name."""
    rows = await session.scalars(
        select(UnitContactRow).where(UnitContactRow.unit == code).order_by(UnitContactRow.full_name)
    )
    return tuple(UnitContact(row.unit, row.full_name, row.hotline, row.email) for row in rows)


async def load_subjects(session: AsyncSession) -> dict[SubjectId, Subject]:
    """All subject fields, by number."""
    rows = await session.scalars(select(SubjectRow).order_by(SubjectRow.id))
    return {row.id: _subject_of(row) for row in rows}


async def get_subject(session: AsyncSession, subject: SubjectId) -> Subject:
    """One subject field. Raises NotFound."""
    row = await session.get(SubjectRow, subject)
    if row is None:
        raise NotFound(what="lĩnh vực")
    return _subject_of(row)


def _unit_of(row: UnitRow) -> Unit:
    return Unit(
        code=row.code,
        name=row.name,
        short_name=row.short_name,
        kind=row.kind,
        hotline=row.hotline,
        email=row.email,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        successor=row.successor,
        aliases=tuple(row.aliases),
    )


def _subject_of(row: SubjectRow) -> Subject:
    return Subject(row.id, row.name, row.lead_unit, tuple(row.coordinating_units), row.local)
