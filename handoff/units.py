"""Units and subject fields in the database. Which unit is in force on a day: handoff/unit.py."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.db import table_of
from bot.contracts.errors import NotFound, Refused
from bot.contracts.ids import SubjectId, UnitCode
from handoff.account import Account
from handoff.journal import audit
from handoff.match import plan_match
from handoff.rights import Action, check_may
from handoff.tables import SubjectRow, UnitContactRow, UnitRow
from handoff.unit import (
    DUTY_DESK,
    Subject,
    Unit,
    UnitContact,
    UnitKind,
    UnitNotFound,
    check_heir,
    family_of,
    plan_successor,
)

__all__ = ["Subject", "Unit", "UnitContact", "UnitKind", "UnitNotFound"]

MOST_ALIASES = 20
EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")


_UNITS = select(table_of(UnitRow)).order_by(UnitRow.code)


async def load_units(session: AsyncSession) -> dict[UnitCode, Unit]:
    """Every unit, also those that ended, by code."""
    return {row.code: _unit_of(row) for row in await session.execute(_UNITS)}


async def find_unit_name(session: AsyncSession, code: UnitCode) -> str | None:
    """The name of one unit, in force or not."""
    return await session.scalar(select(UnitRow.name).where(UnitRow.code == code))


async def resolve_unit(session: AsyncSession, code: UnitCode, on: date) -> Unit:
    """The unit that answers on that day for what `code` answered for. Raises UnitNotFound."""
    return plan_successor(await load_units(session), code, on)


async def get_family(session: AsyncSession, code: UnitCode | None, on: date) -> frozenset[UnitCode]:
    """Codes whose tickets are those of `code`'s unit on that day; none for somebody without a unit."""
    return family_of(await load_units(session), code, on) if code is not None else frozenset()


async def find_unit_by_text(session: AsyncSession, text: str, on: date) -> Unit | None:
    """The unit that a person means ("sdt so y te", "ubnd xã Hà Trung"), in force on that day; None if unclear."""
    return unit_meant(await load_units(session), text, on)


def unit_meant(units: Mapping[UnitCode, Unit], text: str, on: date) -> Unit | None:
    """The same among units that were loaded already. Pure."""
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


async def describe_unit(
    session: AsyncSession,
    code: UnitCode,
    by: Account,
    *,
    hotline: str,
    email: str,
    hours: str,
    aliases: Sequence[str],
    now: datetime,
) -> Unit:
    """How citizens reach a unit, and what they call it; blank: not known. Raises NotAllowed, UnitNotFound, Refused."""
    row = await _lock_unit(session, code, by)
    row.hotline, row.email = _line(hotline, 40, "Số điện thoại"), _email(email)
    row.hours = _line(hours, 200, "Giờ làm việc")
    row.aliases = list(dict.fromkeys(one.strip().lower()[:100] for one in aliases if one.strip()))[:MOST_ALIASES]
    await audit(session, "unit_described", by, now, unit=code)
    return _unit_of(row)


async def set_heir(session: AsyncSession, code: UnitCode, heir: UnitCode, by: Account, *, now: datetime) -> Unit:
    """Who answers for a unit that ended. Raises NotAllowed, UnitNotFound, Refused (in force, or a ring)."""
    row = await _lock_unit(session, code, by)
    check_heir(await load_units(session), code, heir)
    row.successor = heir
    await audit(session, "unit_heir_set", by, now, unit=code, heir=heir)
    return _unit_of(row)


async def save_contact(
    session: AsyncSession, code: UnitCode, by: Account, *, full_name: str, hotline: str, email: str, now: datetime
) -> None:
    """Who receives at a unit; one person of this name there. Raises NotAllowed, UnitNotFound, Refused."""
    await _lock_unit(session, code, by)
    name = _line(full_name, 200, "Họ tên")
    if name is None:
        raise Refused(problem="Cần ghi họ tên người tiếp nhận.")
    values = {"hotline": _line(hotline, 40, "Số điện thoại"), "email": _email(email)}
    await session.execute(
        insert(UnitContactRow)
        .values(unit=code, full_name=name, **values)
        .on_conflict_do_update(index_elements=["unit", "full_name"], set_=values)
    )
    await audit(session, "contact_saved", by, now, unit=code)


async def remove_contact(session: AsyncSession, code: UnitCode, full_name: str, by: Account, *, now: datetime) -> None:
    """This person no longer receives there. Raises NotAllowed, UnitNotFound."""
    await _lock_unit(session, code, by)
    await session.execute(
        delete(UnitContactRow).where(UnitContactRow.unit == code, UnitContactRow.full_name == full_name)
    )
    await audit(session, "contact_removed", by, now, unit=code)


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


async def _lock_unit(session: AsyncSession, code: UnitCode, by: Account) -> UnitRow:
    check_may(by, Action.MANAGE_UNITS)
    row = await session.get(UnitRow, code, with_for_update=True)
    if row is None:
        raise UnitNotFound(unit=code)
    return row


def _line(text: str, most: int, name: str) -> str | None:
    line = " ".join(text.split())
    if len(line) > most:
        raise Refused(problem=f"{name} dài không quá {most} ký tự.")
    return line or None


def _email(text: str) -> str | None:
    line = _line(text, 200, "Thư điện tử")
    if line and not EMAIL.fullmatch(line):
        raise Refused(problem=f"“{line}” chưa phải là địa chỉ thư điện tử.")
    return line


def _unit_of(row: UnitRow | Row[Any]) -> Unit:
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
        hours=row.hours,
    )


def _subject_of(row: SubjectRow) -> Subject:
    return Subject(row.id, row.name, row.lead_unit, tuple(row.coordinating_units), row.local)
