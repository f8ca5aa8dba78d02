"""Which subject field and which unit a ticket belongs to. Pure: a proposal that the desk may change (triage)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.contracts.ids import SubjectId, UnitCode
from handoff.unit import Subject, Unit, UnitKind, UnitNotFound, plan_successor

TRUSTED_CONFIDENCE = 0.2
"""Below this a candidate says nothing about the subject: better no subject than a wrong one on an operator's screen."""


@dataclass(frozen=True, slots=True)
class RoutingHint:
    """One candidate of the search, as far as routing is concerned."""

    subject: SubjectId | None
    unit: UnitCode | None
    confidence: float
    """Calibrated probability that the entry answers the question, 0..1."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a ticket should go."""

    subject: SubjectId | None
    unit: UnitCode | None
    """In force on the day; None: the duty desk screens it first."""
    coordinating_units: tuple[UnitCode, ...] = ()
    """In force on the day, without the lead unit, each once."""


def plan_route(
    hints: Sequence[RoutingHint],
    subjects: Mapping[SubjectId, Subject],
    units: Mapping[UnitCode, Unit],
    on: date,
    *,
    subject: SubjectId | None = None,
    place: UnitCode | None = None,
) -> Route:
    """The route of a question with these candidates; `subject` is what is already known (a form's field).

    The subject is the one with the most confidence behind it. Its lead unit gets the ticket; in a local field the
    commune named by `place` does. Without a subject, the unit whose entries come nearest.
    """
    chosen = subject if subject is not None else _weigh(hints)
    field = subjects.get(chosen) if chosen is not None else None
    lead = _lead(field, hints, units, on, place)
    together = [] if field is None else [_today(units, one, on) for one in field.coordinating_units]
    return Route(
        subject=field.id if field else None,
        unit=lead,
        coordinating_units=tuple(dict.fromkeys(one for one in together if one is not None and one != lead)),
    )


def _weigh(hints: Sequence[RoutingHint]) -> SubjectId | None:
    weights: dict[SubjectId, float] = {}
    for hint in hints:
        if hint.subject is not None and hint.confidence >= TRUSTED_CONFIDENCE:
            weights[hint.subject] = weights.get(hint.subject, 0.0) + hint.confidence
    return max(weights, key=lambda one: weights[one], default=None)


def _lead(
    field: Subject | None,
    hints: Sequence[RoutingHint],
    units: Mapping[UnitCode, Unit],
    on: date,
    place: UnitCode | None,
) -> UnitCode | None:
    if field is not None and field.local:
        there = _today(units, place, on) if place is not None else None
        if there is not None and units[there].kind in {UnitKind.COMMUNE, UnitKind.FORMER_DISTRICT}:
            return there
        return None
    if field is not None:
        return _today(units, field.lead_unit, on)
    trusted = [hint for hint in hints if hint.unit is not None and hint.confidence >= TRUSTED_CONFIDENCE]
    best = max(trusted, key=lambda hint: hint.confidence, default=None)
    return _today(units, best.unit, on) if best else None


def _today(units: Mapping[UnitCode, Unit], code: UnitCode | None, on: date) -> UnitCode | None:
    if code is None:
        return None
    try:
        return plan_successor(units, code, on).code
    except UnitNotFound:
        return None
