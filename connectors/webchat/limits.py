"""How fast one sender may go: token buckets in the memory of this process."""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

MAX_KEYS = 50_000
"""Senders remembered at once; the one not seen longest is forgotten first, and starts with a full bucket again."""


class TokenBuckets:
    """One bucket per key: `burst` at once, `per_s` per second in the long run."""

    def __init__(self, burst: int, per_s: float) -> None:
        self.burst, self.per_s = burst, per_s
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float) -> float:
        """Take one token; returns 0.0, or the seconds to wait (nothing taken). `now` is a monotonic clock, seconds."""
        level, since = self._levels.pop(key, (float(self.burst), now))
        level = min(float(self.burst), level + max(0.0, now - since) * self.per_s)
        wait = 0.0 if level >= 1.0 else (1.0 - level) / self.per_s
        self._levels[key] = (level if wait else level - 1.0, now)
        if len(self._levels) > MAX_KEYS:
            self._levels.popitem(last=False)
        return wait


def network_of(host: str) -> str:
    """The address limits count by: an IPv4 address, or the /64 that one IPv6 household has."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        if not address.is_loopback:
            return str(IPv6Address(int(address) >> 64 << 64)) + "/64"
    return str(address)
