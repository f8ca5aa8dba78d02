"""A job is never given up, and waits a while that grows."""

from datetime import timedelta

import pytest
from procrastinate.jobs import Job

from bot.base.clock import now
from bot.base.jobs import Patient, WaitAndRetry, WaitUntil


def wait_after(attempts: int, error: BaseException) -> timedelta:
    job = Job(id=1, queue="q", lock=None, queueing_lock=None, task_name="t", attempts=attempts)
    before = now()
    decision = Patient().get_retry_decision(exception=error, job=job)
    assert decision is not None
    assert decision.retry_at is not None
    return decision.retry_at - before


@pytest.mark.parametrize("attempts", [0, 1, 3, 7, 50, 10_000])
def test_a_failing_job_is_tried_again_within_75_seconds(attempts: int) -> None:
    waits = [wait_after(attempts, RuntimeError("x")) for _ in range(20)]
    assert all(timedelta(0) < one <= timedelta(seconds=76) for one in waits)


def test_waits_grow() -> None:
    assert max(wait_after(0, RuntimeError("x")) for _ in range(20)) < min(
        wait_after(4, RuntimeError("x")) for _ in range(20)
    )


@pytest.mark.parametrize("after_s", [0.1, 3.0, 900.0])
def test_a_job_that_asks_for_a_wait_gets_it_give_or_take_a_quarter(after_s: float) -> None:
    for _ in range(20):
        wait = wait_after(99, WaitAndRetry(after_s)).total_seconds()
        assert 0.74 * after_s <= wait <= 1.26 * after_s + 1.0


@pytest.mark.parametrize("hours", [0.001, 0.5, 8.0])
def test_a_job_that_names_a_time_never_runs_before_it(hours: float) -> None:
    for _ in range(20):
        late = wait_after(99, WaitUntil(now() + timedelta(hours=hours))) - timedelta(hours=hours)
        assert timedelta(seconds=-0.5) <= late <= timedelta(seconds=62)
