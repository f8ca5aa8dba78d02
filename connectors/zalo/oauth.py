"""Zalo's OAuth v4: consent with PKCE, exchange of the code, refresh. No storage here: see tokens.py."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx
import structlog

from bot.contracts.errors import Action, GiveUp
from connectors.fields import ident, text, whole
from connectors.wire import answer_object, ask, refuse_http_failure
from connectors.zalo.errors import meaning_of
from connectors.zalo.settings import ZaloSettings

log = structlog.get_logger(__name__)
ACCESS_LIFE = timedelta(hours=25)
REFRESH_LIFE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What Zalo hands out; a refresh token works once."""

    access: str
    refresh: str
    access_expires_at: datetime
    refresh_expires_at: datetime

    def __repr__(self) -> str:
        """Without the tokens: this may end in a log."""
        return f"TokenPair(access until {self.access_expires_at}, refresh until {self.refresh_expires_at})"


@dataclass(frozen=True, slots=True)
class Consent:
    """One walk of an OA administrator through Zalo's consent page."""

    url: str
    state: str
    """Keep it with the session; the answer must carry it."""
    verifier: str
    """Keep it secret until the exchange."""


def new_consent(settings: ZaloSettings) -> Consent:
    """A consent page's address with its own PKCE pair, or the fixed one when the console of Zalo holds it."""
    verifier = settings.code_verifier.get_secret_value() or secrets.token_urlsafe(32)
    state = secrets.token_urlsafe(24)
    query = {
        "app_id": settings.app_id,
        "redirect_uri": settings.callback_url,
        "code_challenge": challenge_of(verifier),
        "state": state,
    }
    return Consent(f"{settings.oauth_base.rstrip('/')}/v4/oa/permission?{urlencode(query)}", state, verifier)


def challenge_of(verifier: str) -> str:
    """base64url, without padding, of the raw SHA-256 (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def exchange(
    client: httpx.AsyncClient, settings: ZaloSettings, code: str, verifier: str, now: datetime
) -> TokenPair:
    """The pair for a code of the consent page (single use, ten minutes). Raises RetryLater or GiveUp."""
    form = {"code": code, "app_id": settings.app_id, "grant_type": "authorization_code", "code_verifier": verifier}
    return await _tokens(client, settings, form, now)


async def refresh(client: httpx.AsyncClient, settings: ZaloSettings, token: str, now: datetime) -> TokenPair:
    """A new pair for a refresh token, which is dead from now on. Raises RetryLater or GiveUp."""
    form = {"refresh_token": token, "app_id": settings.app_id, "grant_type": "refresh_token"}
    return await _tokens(client, settings, form, now)


async def _tokens(client: httpx.AsyncClient, settings: ZaloSettings, form: dict[str, str], now: datetime) -> TokenPair:
    response = await ask(
        client,
        "POST",
        f"{settings.oauth_base.rstrip('/')}/v4/oa/access_token",
        data=form,
        headers={"secret_key": settings.app_secret.get_secret_value()},
    )
    refuse_http_failure(response)
    body = answer_object(response)
    access, refreshed = text(body, "access_token"), text(body, "refresh_token")
    if not access or not refreshed:
        code = int(ident(body, "error") or 0) if ident(body, "error").lstrip("-").isdigit() else 0
        log.error("zalo.consent_refused", error=code, error_name=text(body, "error_name")[:80])
        reason = (
            f"Zalo không cấp mã truy cập: {meaning_of(code).vi} (mã {code}). Cần cấp quyền lại cho Official Account."
        )
        raise GiveUp(reason, Action.OPERATOR, code=str(code))
    return TokenPair(
        access=access,
        refresh=refreshed,
        access_expires_at=now + _seconds(body, "expires_in", ACCESS_LIFE),
        refresh_expires_at=now + _seconds(body, "refresh_token_expires_in", REFRESH_LIFE),
    )


def _seconds(body: dict[str, object], key: str, default: timedelta) -> timedelta:
    """Zalo writes the number as a string, "90000"."""
    found = whole(body, key)
    return timedelta(seconds=min(found, 10**8)) if found else default
