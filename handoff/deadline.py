"""Promised times and deadlines. Pure.

The duty desk works day and night, so the desk's clock never stops; at night fewer people sit there and the promise is
longer. Units answer in office hours, so theirs counts working days.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import assert_never

from bot.base.clock import VIETNAM
from handoff.ticket import Priority, TicketKind

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Promises:
    """How soon a person answers. Minutes, clock times in Vietnam."""

    emergency_min: int = 5
    high_min: int = 15
    question_min: int = 60
    form_min: int = 240
    """Reports, proposals and requests for help without urgency: somebody must read and check them first."""
    night_from: time = time(22, 0)
    night_until: time = time(6, 30)
    morning: time = time(8, 0)
    """What comes in at night without urgency is promised for this time."""
    unit_high_days: int = 1
    unit_normal_days: int = 3
    """Working days a unit has after a ticket was forwarded to it."""
    office_closes: time = time(17, 0)


DEFAULT_PROMISES = Promises()


def plan_promise(
    kind: TicketKind, priority: Priority, now: datetime, promises: Promises = DEFAULT_PROMISES
) -> datetime:
    """When the citizen is told that an answer will come; always after `now`."""
    match priority:
        case Priority.EMERGENCY:
            return now + timedelta(minutes=promises.emergency_min)
        case Priority.HIGH:
            return now + timedelta(minutes=promises.high_min)
        case Priority.NORMAL:
            minutes = promises.question_min if kind is TicketKind.QUESTION else promises.form_min
            promised = now + timedelta(minutes=minutes)
            return max(promised, _morning_after(now, promises)) if is_night(now, promises) else promised
        case _:
            assert_never(priority)


def plan_unit_deadline(
    priority: Priority,
    now: datetime,
    promises: Promises = DEFAULT_PROMISES,
    holidays: frozenset[date] = frozenset(),
) -> datetime:
    """When a unit must have answered what was forwarded to it now: an hour, or the end of a working day in Vietnam."""
    match priority:
        case Priority.EMERGENCY:
            return now + timedelta(hours=1)
        case Priority.HIGH:
            days = promises.unit_high_days
        case Priority.NORMAL:
            days = promises.unit_normal_days
        case _:
            assert_never(priority)
    day = now.astimezone(VIETNAM).date()
    while days > 0:
        day += timedelta(days=1)
        if day.weekday() < SATURDAY and day not in holidays:
            days -= 1
    return datetime.combine(day, promises.office_closes, VIETNAM).astimezone(now.tzinfo)


def is_night(now: datetime, promises: Promises = DEFAULT_PROMISES) -> bool:
    """Is it night in Vietnam, when the desk promises less?"""
    clock = now.astimezone(VIETNAM).time()
    return clock >= promises.night_from or clock < promises.night_until


def _morning_after(now: datetime, promises: Promises) -> datetime:
    """The next time the morning clock strikes after a moment in the night."""
    here = now.astimezone(VIETNAM)
    day = here.date() if here.time() < promises.night_until else here.date() + timedelta(days=1)
    return datetime.combine(day, promises.morning, VIETNAM).astimezone(now.tzinfo)
