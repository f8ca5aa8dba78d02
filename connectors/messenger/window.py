"""When Meta lets a page write to a citizen: a pure function of who writes and when the citizen last acted."""

from datetime import datetime, timedelta

from bot.contracts.connector import MessagingWindow, WindowState
from bot.contracts.messages import Author

RESPONSE = "RESPONSE"
HUMAN_AGENT = "HUMAN_AGENT"
"""A tag for texts typed by a person; a bot must never use it."""
STANDARD = timedelta(hours=24)
PEOPLE = timedelta(days=7)
PEOPLE_VI = "Đã quá 24 giờ: chỉ cán bộ được nhắn, bot thì không."
MARGIN = timedelta(minutes=1)
"""Our clock and the way to Meta: what leaves in the last minute may arrive too late."""


def window(
    last_inbound: datetime | None, author: Author, now: datetime, *, human_agent: bool = False
) -> MessagingWindow:
    """Free form for 24 h; then, for people only and if Meta granted the Human Agent feature, until seven days."""
    if last_inbound is None:
        return MessagingWindow(WindowState.CLOSED)
    if now < last_inbound + STANDARD - MARGIN:
        return MessagingWindow(WindowState.OPEN, last_inbound + STANDARD, RESPONSE)
    if human_agent and author is Author.OPERATOR and now < last_inbound + PEOPLE - MARGIN:
        return MessagingWindow(WindowState.OPEN, last_inbound + PEOPLE, HUMAN_AGENT, PEOPLE_VI)
    return MessagingWindow(WindowState.CLOSED)
