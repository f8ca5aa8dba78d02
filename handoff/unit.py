"""Units and subject fields, and who answers for a unit that no longer exists. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.contracts.errors import NotFound, Refused
from bot.contracts.ids import SubjectId, UnitCode

DUTY_DESK = UnitCode("VNPT")
"""The unit where operators sit day and night; what nobody else answers for is theirs to screen."""


class UnitKind(StrEnum):
    """What sort of body a unit is."""

    OFFICE = "office"
    DEPARTMENT = "department"
    CENTRE = "centre"
    ORGANISATION = "organisation"
    POLICE = "police"
    MEDIA = "media"
    DUTY_DESK = "duty_desk"
    FORMER_DISTRICT = "former_district"
    COMMUNE = "commune"


@dataclass(frozen=True, slots=True)
class Unit:
    """A body that can answer citizens."""

    code: UnitCode
    name: str
    short_name: str
    kind: UnitKind
    hotline: str | None
    email: str | None
    valid_from: date
    valid_until: date | None
    """Last day in force; None while it lasts."""
    successor: UnitCode | None
    aliases: tuple[str, ...] = ()
    hours: str | None = None
    """When somebody is there, in the unit's own words."""

    def is_in_force(self, on: date) -> bool:
        """Did the unit exist on that day?"""
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject field of the province's plan."""

    id: SubjectId
    name: str
    lead_unit: UnitCode | None
    coordinating_units: tuple[UnitCode, ...]
    local: bool
    """True when the People's Committee of the place leads, if the place is known."""


@dataclass(frozen=True, slots=True)
class UnitContact:
    """Who receives at a unit."""

    unit: UnitCode
    full_name: str
    hotline: str | None
    email: str | None


class UnitNotFound(NotFound):
    """No unit has this code, or it ended and nobody took over."""

    code, vi = "unit.not_found", "Không có đơn vị nào mang mã “{unit}” đang hoạt động."


def plan_successor(units: Mapping[UnitCode, Unit], code: UnitCode, on: date) -> Unit:
    """The unit that answers on that day for what `code` answered for.

    A unit that is not yet in force stands for itself: its tickets are its own. Raises UnitNotFound for an unknown code
    and for a unit that ended without a successor (a ring of successors counts as that).
    """
    seen: set[UnitCode] = set()
    at: UnitCode | None = code
    while at is not None and at not in seen:
        seen.add(at)
        unit = units.get(at)
        if unit is None:
            break
        if unit.valid_until is None or on <= unit.valid_until:
            return unit
        at = unit.successor
    raise UnitNotFound(unit=code)


def plan_family(units: Mapping[UnitCode, Unit], code: UnitCode, on: date) -> frozenset[UnitCode]:
    """Every code whose tickets are, on that day, those of the unit that `code` resolves to (itself included)."""
    heir = plan_successor(units, code, on).code
    family = set()
    for one in units:
        try:
            if plan_successor(units, one, on).code == heir:
                family.add(one)
        except UnitNotFound:
            continue
    return frozenset(family)


def unit_today(units: Mapping[UnitCode, Unit], code: UnitCode | None, on: date) -> Unit | None:
    """The unit in force on that day for `code`; the ended unit itself if nobody took over from it."""
    if code is None:
        return None
    try:
        return plan_successor(units, code, on)
    except UnitNotFound:
        return units.get(code)


def family_of(units: Mapping[UnitCode, Unit], code: UnitCode | None, on: date) -> frozenset[UnitCode]:
    """Like `plan_family`, for a person's unit: none without one, only itself when it ended and nobody took over."""
    if code is None:
        return frozenset()
    try:
        return plan_family(units, code, on)
    except UnitNotFound:
        return frozenset({code})


def check_heir(units: Mapping[UnitCode, Unit], code: UnitCode, heir: UnitCode) -> None:
    """Raises Refused unless the work of `code`, which ended, may go to `heir`: known, and not back to itself."""
    if heir not in units:
        raise UnitNotFound(unit=heir)
    if units[code].valid_until is None:
        raise Refused(problem="Đơn vị này đang hoạt động nên không có đơn vị kế thừa.")
    seen: set[UnitCode] = set()
    at: UnitCode | None = heir
    while at is not None and at not in seen:
        if at == code:
            raise Refused(problem="Hai đơn vị không thể kế thừa lẫn nhau.")
        seen.add(at)
        at = units[at].successor if at in units else None
