"""Promised times and deadlines, without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.clock import VIETNAM
from handoff.deadline import is_night, plan_promise, plan_unit_deadline
from handoff.ticket import Priority, TicketKind


def here(written: str) -> datetime:
    """A moment on a clock in Thanh Hóa, in UTC: "24/11 14:00" of 2026."""
    return datetime.strptime(f"2026 {written}", "%Y %d/%m %H:%M").replace(tzinfo=VIETNAM).astimezone(UTC)


@pytest.mark.parametrize(
    ("kind", "priority", "now", "promised"),
    [
        (TicketKind.QUESTION, Priority.NORMAL, "24/11 14:00", "24/11 15:00"),
        (TicketKind.REPORT, Priority.NORMAL, "24/11 14:00", "24/11 18:00"),
        (TicketKind.QUESTION, Priority.HIGH, "24/11 14:00", "24/11 14:15"),
        (TicketKind.QUESTION, Priority.NORMAL, "24/11 23:00", "25/11 08:00"),
        (TicketKind.QUESTION, Priority.NORMAL, "25/11 02:00", "25/11 08:00"),
        (TicketKind.REPORT, Priority.NORMAL, "25/11 06:00", "25/11 10:00"),
        (TicketKind.QUESTION, Priority.NORMAL, "25/11 06:30", "25/11 07:30"),
        (TicketKind.QUESTION, Priority.HIGH, "25/11 02:00", "25/11 02:15"),
        (TicketKind.HELP, Priority.EMERGENCY, "25/11 02:00", "25/11 02:05"),
    ],
)
def test_promised_times(kind: TicketKind, priority: Priority, now: str, promised: str) -> None:
    assert plan_promise(kind, priority, here(now)) == here(promised)


@pytest.mark.parametrize(
    ("priority", "now", "due"),
    [
        (Priority.EMERGENCY, "28/11 23:30", "29/11 00:30"),
        (Priority.HIGH, "24/11 14:00", "25/11 17:00"),
        (Priority.NORMAL, "24/11 14:00", "27/11 17:00"),
        (Priority.NORMAL, "26/11 09:00", "01/12 17:00"),  # Thursday: Friday, Monday, Tuesday
        (Priority.HIGH, "28/11 09:00", "30/11 17:00"),  # Saturday: Monday
        (Priority.HIGH, "24/11 00:30", "25/11 17:00"),  # still Monday evening in UTC
    ],
)
def test_deadlines_of_units_count_working_days(priority: Priority, now: str, due: str) -> None:
    assert plan_unit_deadline(priority, here(now)) == here(due)


def test_holidays_are_not_working_days() -> None:
    holidays = frozenset({date(2026, 11, 25)})
    assert plan_unit_deadline(Priority.HIGH, here("24/11 14:00"), holidays=holidays) == here("26/11 17:00")


@given(
    st.integers(0, 20 * 365 * 24 * 60).map(
        lambda minutes: datetime(2021, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    st.sampled_from(TicketKind),
)
def test_more_urgent_is_never_later_and_all_lies_ahead(now: datetime, kind: TicketKind) -> None:
    emergency, high, normal = (
        plan_promise(kind, one, now) for one in (Priority.EMERGENCY, Priority.HIGH, Priority.NORMAL)
    )
    assert now < emergency <= high <= normal <= now + timedelta(hours=11)
    if is_night(now):
        assert normal.astimezone(VIETNAM).hour >= 8
    deadlines = [plan_unit_deadline(one, now) for one in (Priority.EMERGENCY, Priority.HIGH, Priority.NORMAL)]
    assert now < deadlines[0] <= deadlines[1] < deadlines[2]
    assert all(one.astimezone(VIETNAM).weekday() < 5 for one in deadlines[1:])
