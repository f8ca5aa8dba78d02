"""The page's access token: nothing renews it by itself, so its end must be seen coming."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.base.clock import say_moment
from connectors.fields import number, part
from connectors.messenger.errors import meaning_of
from connectors.messenger.graph import Graph, GraphRefused
from connectors.messenger.settings import MessengerSettings

CHECKED_EVERY = timedelta(hours=24)
SOON = timedelta(days=14)
NEEDED = "pages_messaging"


@dataclass(frozen=True, slots=True)
class Found:
    """What Meta says about the token."""

    expires_at: datetime | None
    """None: it does not end by time."""
    trouble_vi: str | None
    """Why nothing can be sent with it."""


async def look(graph: Graph, settings: MessengerSettings) -> Found:
    """Ask `/debug_token`. Raises RetryLater."""
    try:
        answer = await graph.call("GET", "debug_token", params={"input_token": settings.page_token.get_secret_value()})
    except GraphRefused as refused:
        return Found(None, f"{meaning_of(refused.code, refused.subcode).vi}." if refused.code == 190 else None)
    found = part(answer, "data")
    ends = number(found, "expires_at") or 0.0
    expires_at = datetime.fromtimestamp(ends, UTC) if 0 < ends < 2**33 else None
    error = part(found, "error")
    if found.get("is_valid") is False:
        subcode = number(error, "subcode")
        return Found(expires_at, f"{meaning_of(190, int(subcode) if subcode else None).vi}.")
    scopes = found.get("scopes")
    if isinstance(scopes, list) and NEEDED not in scopes:
        return Found(expires_at, f"{meaning_of(230, None).vi}.")
    return Found(expires_at, None)


def warnings_for(expires_at: datetime | None, at: datetime) -> tuple[str, ...]:
    """At most one sentence. Pure."""
    if expires_at is None or at < expires_at - SOON:
        return ()
    ends = "đã hết hạn" if at >= expires_at else "hết hạn"
    return (f"Mã truy cập trang Facebook {ends} lúc {say_moment(expires_at)}: cần kết nối lại trang.",)
