"""The only place that asks what time it is."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def in_vietnam(moment: datetime) -> datetime:
    """The same moment on a clock in Thanh Hóa."""
    return moment.astimezone(VIETNAM)


def say_moment(moment: datetime) -> str:
    """For people: "14:05 ngày 03/11/2026"."""
    return in_vietnam(moment).strftime("%H:%M ngày %d/%m/%Y")
