"""A job is never given up, and waits a while that grows."""

from datetime import datetime, timedelta

import pytest
from procrastinate.jobs import Job

from bot.base.clock import now
from bot.base.jobs import Patient, WaitAndRetry, WaitUntil


def retry_at(attempts: int, error: BaseException) -> datetime:
    job = Job(id=1, queue="q", lock=None, queueing_lock=None, task_name="t", attempts=attempts)
    decision = Patient().get_retry_decision(exception=error, job=job)
    assert decision is not None
    assert decision.retry_at is not None
    return decision.retry_at


def wait_after(attempts: int, error: BaseException) -> tuple[timedelta, timedelta]:
    """How long at least and at most: the machine may pause while it decides."""
    before = now()
    at = retry_at(attempts, error)
    return at - now(), at - before


@pytest.mark.parametrize("attempts", [0, 1, 3, 7, 50, 10_000])
def test_a_failing_job_is_tried_again_within_75_seconds(attempts: int) -> None:
    waits = [wait_after(attempts, RuntimeError("x")) for _ in range(20)]
    assert all(timedelta(0) < longest for _, longest in waits)
    assert all(shortest <= timedelta(seconds=76) for shortest, _ in waits)


def test_waits_grow() -> None:
    soon = max(shortest for shortest, _ in (wait_after(0, RuntimeError("x")) for _ in range(20)))
    assert soon < min(longest for _, longest in (wait_after(4, RuntimeError("x")) for _ in range(20)))


@pytest.mark.parametrize("after_s", [0.1, 3.0, 900.0])
def test_a_job_that_asks_for_a_wait_gets_it_give_or_take_a_quarter(after_s: float) -> None:
    for _ in range(20):
        shortest, longest = wait_after(99, WaitAndRetry(after_s))
        assert 0.74 * after_s <= longest.total_seconds()
        assert shortest.total_seconds() <= 1.26 * after_s + 1.0


@pytest.mark.parametrize("hours", [0.001, 0.5, 8.0])
def test_a_job_that_names_a_time_never_runs_before_it(hours: float) -> None:
    for _ in range(20):
        asked = now()
        until = asked + timedelta(hours=hours)
        late = retry_at(99, WaitUntil(until)) - until
        assert timedelta(seconds=-0.5) <= late
        assert late - (now() - asked) <= timedelta(seconds=62)
