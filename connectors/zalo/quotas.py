"""What Zalo's answers say about how much may still be written: `data.quota`, and the headers of the rate limit."""

from collections.abc import Mapping
from datetime import datetime

from bot.contracts.connector import Quota
from connectors.fields import Json, moment, part, text, whole

OF_THE_ACCOUNT = frozenset({"sub_quota", "purchase_quota", "reward_quota"})
"""Shared by all citizens: the package, what was bought, what was given. "reply" and "welcome_msg" are one citizen's."""
REMEMBERED = 5000


def quota_in(data: Json, at: datetime) -> Quota:
    """The quota of a sent message; kind "" when there is none, which is how Zalo says that it was charged."""
    found = part(data, "quota")
    if not found:
        return Quota("", at)
    until = moment(found, "expired_date")
    return Quota(text(found, "quota_type") or "?", at, whole(found, "remain"), whole(found, "total"), until)


def used_percent(headers: Mapping[str, str]) -> int | None:
    """How much of the calls a minute is used; None when Zalo doesn't say."""
    limit, left = (headers.get(name, "") for name in ("x-ratelimit-limit", "x-ratelimit-remain"))
    if not (limit.isdecimal() and left.isdecimal() and int(limit)):
        return None
    return max(0, 100 - 100 * int(left) // int(limit))


class Memory:
    """What was last written for whom: a row is written again only when it says something new."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[object, ...]] = {}

    def is_news(self, citizen_ref: str, quota: Quota) -> bool:
        """True when this differs from what this process wrote last."""
        said = (quota.kind, quota.left, quota.total, quota.until)
        if self._seen.get(citizen_ref) == said:
            return False
        self._seen.pop(citizen_ref, None)
        self._seen[citizen_ref] = said
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True
