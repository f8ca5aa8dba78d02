"""What Meta holds against the page, for the people at the desk."""

from datetime import datetime, timedelta
from typing import Final

from bot.base.clock import say_moment
from connectors.condition import Condition

SHOWN_FOR: Final = timedelta(days=7)
"""A warning is never taken back, and a block not always: after so long whoever is responsible has read of it."""


def warnings_for_enforcement(known: Condition, at: datetime) -> tuple[str, ...]:
    """At most one sentence. Pure."""
    if known.enforcement is None or known.enforced_at is None or at >= known.enforced_at + SHOWN_FOR:
        return ()
    what = "chặn" if known.enforcement == "block" else "cảnh báo"
    when = say_moment(known.enforced_at)
    return (f"Facebook {what} trang lúc {when} vì chính sách: xem hộp thư hỗ trợ của trang.",)
