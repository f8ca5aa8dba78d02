"""What an operator is told beside the reply box: may I still write to this citizen, until when, how often."""

from datetime import datetime, timedelta

from bot.base.clock import say_moment
from bot.contracts.connector import Allowance, Connector, CountsMessages, MessagingWindow, Quota, WindowState
from bot.contracts.messages import Author

SOON = timedelta(hours=2)
FEW = 1
CLOSED_VI = "Đã quá khung được nhắn tin: câu trả lời được giữ lại và gửi khi người dân nhắn lại. Nếu gấp, hãy gọi điện."


async def allowance(
    connector: Connector, citizen_ref: str, last_inbound: datetime | None, author: Author, at: datetime
) -> Allowance:
    """For any channel: its window (pure) and, where the platform counts, the quota it last told us (one row read)."""
    window = connector.window(last_inbound, author, at)
    quota = await connector.quota(citizen_ref) if isinstance(connector, CountsMessages) else None
    return allowance_of(window, quota, at)


def allowance_of(window: MessagingWindow, quota: Quota | None, at: datetime) -> Allowance:
    """The sentences for a window and a quota. Pure."""
    if window.state is WindowState.CLOSED:
        return Allowance(window, quota, CLOSED_VI, is_urgent=True)
    if quota is not None and quota.until is not None and quota.until <= at:
        quota = None  # what was counted is over
    said, urgent = [], False
    if window.until is not None:
        left = window.until - at
        urgent = left <= SOON
        said.append(f"Còn nhắn được đến {say_moment(window.until)} ({say_left(left)} nữa).")
    if window.note_vi:
        said.append(window.note_vi)
    if quota is not None and quota.left is not None:
        urgent = urgent or quota.left <= FEW
        of = f"/{quota.total}" if quota.total else ""
        said.append(f"Nền tảng còn cho gửi {quota.left}{of} tin.")
    elif quota is not None and not quota.kind:
        said.append("Tin gần nhất bị tính phí.")
    return Allowance(window, quota, " ".join(said), is_urgent=urgent)


def say_left(left: timedelta) -> str:
    """ "5 giờ 20 phút", "3 ngày 4 giờ", "12 phút"; at least a minute."""
    minutes = max(1, int(left.total_seconds() // 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} ngày {hours} giờ" if hours else f"{days} ngày"
    if hours:
        return f"{hours} giờ {minutes} phút" if minutes else f"{hours} giờ"
    return f"{minutes} phút"
