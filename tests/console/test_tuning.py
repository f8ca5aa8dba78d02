"""What the page of the target says: pure sentences."""

from datetime import UTC, datetime

from console.pages.tuning import say_calibration, say_point
from faq.calibrate import CoveragePoint
from faq.recalibrate import CalibrationState, Check, Outcome

NOON = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)


def test_a_target_that_answers_nothing_says_so() -> None:
    assert "không tự trả lời câu nào" in say_point(0.99, CoveragePoint(1.0, 0.0, 0.0))
    assert "72" in say_point(0.95, CoveragePoint(0.8, 0.72, 0.96))


def test_where_the_limits_come_from() -> None:
    shipped = CalibrationState(None, 3414, None, 0, 251)
    assert "kèm theo phần mềm" in say_calibration(shipped)
    check = Check(NOON, 7, next(iter(Outcome)), 70, 300, 0.4, 0.3)
    own = say_calibration(CalibrationState(NOON, 370, check, 12, 251))
    assert "12:00 ngày 24/11/2026" in own
    assert "370 câu" in own
    assert "12/251" in own
