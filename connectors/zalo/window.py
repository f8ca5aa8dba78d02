"""When Zalo lets an OA write to a citizen: a pure function of who writes and when the citizen last acted."""

from datetime import datetime, timedelta

from bot.base.clock import say_moment
from bot.contracts.connector import MessagingWindow, WindowState
from bot.contracts.messages import Author

CONSULTATION = timedelta(days=7)
"""After the last interaction; later Zalo answers -230."""
FREE = timedelta(hours=48)
"""Within it a consultation message costs nothing; until seven days it uses the package's quota or is charged."""
FREE_VI = "Miễn phí đến {}."
PAID_VI = "Đã quá 48 giờ: tin bị trừ vào gói hoặc tính phí."
MARGIN = timedelta(minutes=1)
"""Our clock and the way to Zalo: what leaves in the last minute may arrive too late."""


def window(last_inbound: datetime | None, author: Author, now: datetime) -> MessagingWindow:
    """Zalo makes no difference between authors; labels: "reply" (free) and "paid"."""
    if last_inbound is None or now >= last_inbound + CONSULTATION - MARGIN:
        return MessagingWindow(WindowState.CLOSED)
    if now < last_inbound + FREE - MARGIN:
        return MessagingWindow(
            WindowState.OPEN, last_inbound + CONSULTATION, "reply", FREE_VI.format(say_moment(last_inbound + FREE))
        )
    return MessagingWindow(WindowState.OPEN, last_inbound + CONSULTATION, "paid", PAID_VI)
