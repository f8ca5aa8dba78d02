"""Is this webhook from Meta? HMAC-SHA256 of the raw bytes with the App Secret; and the handshake when it is set up."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.contracts.errors import PayloadRefused, SignatureRefused
from connectors.fields import json_object, moment, parts
from connectors.messenger.settings import MessengerSettings

HEADER = "x-hub-signature-256"
MAX_BYTES = 8 * 1024 * 1024
"""A batch has at most 1,000 updates. Vietnamese of 2,000 letters, a third of them escaped to six bytes, is 6 kB."""


def handshake(query: Mapping[str, str], settings: MessengerSettings) -> str:
    """The challenge to answer with, as text/plain, when Meta checks our address. Raises SignatureRefused (403)."""
    given = query.get("hub.verify_token", "").encode()
    wanted = settings.verify_token.get_secret_value().encode()
    if query.get("hub.mode") != "subscribe" or not wanted or not hmac.compare_digest(given, wanted):
        raise SignatureRefused("wrong verify token")
    return query.get("hub.challenge", "")


def signature(raw: bytes, secret: str) -> str:
    """Hex HMAC-SHA256 over the bytes as received: Meta signs its own escaped spelling, so never re-serialise."""
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def verify(raw: bytes, headers: Mapping[str, str], now: datetime, settings: MessengerSettings) -> None:
    """Raises SignatureRefused (header missing, wrong signature, too old) or PayloadRefused. SHA-1 is not looked at."""
    if len(raw) > MAX_BYTES:
        raise PayloadRefused("body too large")
    given = headers.get(HEADER, "").strip()
    if not given.startswith("sha256="):
        raise SignatureRefused("no signature")
    wanted = signature(raw, settings.app_secret.get_secret_value())
    if not hmac.compare_digest(given.removeprefix("sha256=").lower().encode(), wanted.encode()):
        raise SignatureRefused("wrong signature")
    times = [at for entry in parts(json_object(raw), "entry") if (at := moment(entry, "time"))]
    window = timedelta(seconds=settings.replay_window_s)
    if times and all(abs(now - at) > window for at in times):
        raise SignatureRefused("stale")
