"""Is this webhook from Zalo? sha256(app id + raw body + timestamp + OA secret key): concatenated, not an HMAC."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bot.contracts.errors import PayloadRefused, SignatureRefused
from connectors.fields import ident, json_object, moment
from connectors.zalo.settings import ZaloSettings

HEADER = "x-zevent-signature"
TIMESTAMP_HEADER = "x-zevent-timestamp"
MAX_BYTES = 256 * 1024
"""One event per request, texts of at most some thousand characters: real bodies stay below 10 kB."""


def is_probe(raw: bytes) -> bool:
    """True for the unsigned `{}` that Zalo's console posts when the address is saved: answer 200, do nothing."""
    return len(raw) <= 16 and raw.strip() in (b"", b"{}")


def signature(app_id: str, raw: bytes, timestamp: str, secret: str) -> str:
    """Hex SHA-256 as Zalo computes it over the bytes as received."""
    return hashlib.sha256(app_id.encode() + raw + timestamp.encode() + secret.encode()).hexdigest()


def verify(raw: bytes, headers: Mapping[str, str], now: datetime, settings: ZaloSettings) -> None:
    """Raises SignatureRefused (header missing, wrong application, wrong signature, too old) or PayloadRefused.

    Documents differ on two points, so both ways are accepted: the timestamp in the body or in a header, and the
    application's id or the OA's in front (PROTOCOLS.md section 1.4, open until the first day on the real account).
    """
    if len(raw) > MAX_BYTES:
        raise PayloadRefused("body too large")
    given = headers.get(HEADER, "").strip().lower().removeprefix("mac=").encode()
    if not given:
        raise SignatureRefused("no signature")
    body = json_object(raw)
    if ident(body, "app_id") != settings.app_id:
        raise SignatureRefused("another application")
    stamps = {ident(body, "timestamp"), headers.get(TIMESTAMP_HEADER, "").strip()} - {""}
    secret = settings.oa_secret.get_secret_value()
    for stamp in stamps:
        for name in {settings.app_id, settings.oa_id} - {""}:
            if hmac.compare_digest(signature(name, raw, stamp, secret).encode(), given):
                return _refuse_stale(stamp, now, timedelta(seconds=settings.replay_window_s))
    raise SignatureRefused("wrong signature" if stamps else "no timestamp")


def _refuse_stale(stamp: str, now: datetime, window: timedelta) -> None:
    at = moment({"at": stamp}, "at") or datetime.fromtimestamp(0, UTC)
    if abs(now - at) > window:
        raise SignatureRefused("stale")
