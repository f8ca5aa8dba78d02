"""Time is aware and in UTC; people read Vietnam's."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.base.clock import in_vietnam, now, say_moment


def test_now_is_aware_and_in_utc() -> None:
    assert now().utcoffset() == timedelta(0)


def test_people_read_vietnams_clock_across_midnight() -> None:
    assert say_moment(datetime(2026, 11, 2, 18, 5, tzinfo=UTC)) == "01:05 ngày 03/11/2026"


@given(st.timedeltas(timedelta(0), timedelta(days=36_500)))
def test_vietnam_is_seven_hours_ahead_and_the_same_moment(since_2000: timedelta) -> None:
    moment = datetime(2000, 1, 1, tzinfo=UTC) + since_2000
    assert in_vietnam(moment) == moment
    assert in_vietnam(moment).utcoffset() == timedelta(hours=7)
