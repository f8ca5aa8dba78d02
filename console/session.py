"""Who is logged in: a signed cookie that names the login, and how often an address may fail to log in.

The cookie says who somebody was at login; whether that login still holds, and what they may do now, is read from the
database on each page and each click.
"""

import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from bot.contracts.ids import AccountId
from handoff.logins import LASTS, LoginId

COOKIE: Final = "tongdai_console"
MAX_AGE_S: Final = int(LASTS.total_seconds())
FAILURES_PER_ADDRESS: Final = 20
ADDRESS_WINDOW_S: Final = 900.0
MAX_ADDRESSES: Final = 10_000


BROWSERS: Final = (("Edg/", "Edge"), ("OPR/", "Opera"), ("coc_coc", "Cốc Cốc"), ("Firefox/", "Firefox"))
BROWSERS_AFTER: Final = (("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a good cookie says."""

    account: AccountId
    login: LoginId


@dataclass(frozen=True, slots=True)
class Sessions:
    """Signs and reads the session cookie."""

    secret: str = field(repr=False)
    https: bool

    def begin(self, response: Response, account: AccountId, login: LoginId) -> None:
        """Log the browser in, with a cookie of its own for each login."""
        response.set_cookie(
            COOKIE,
            self._signer.dumps([account, login]),
            max_age=MAX_AGE_S,
            path="/",  # also for /zalo/consent, where an administrator lets us write in the account's name
            secure=self.https,
            httponly=True,
            samesite="lax",  # "strict" would ask for the password again whenever a link in an e-mail is followed
        )

    def end(self, response: Response) -> None:
        """Log the browser out."""
        response.delete_cookie(COOKIE, path="/", secure=self.https, httponly=True, samesite="lax")

    def find_login(self, request: Request) -> SignedIn | None:
        """The login in the cookie; None for a missing, forged or old one. It may have been ended since."""
        try:
            found = self._signer.loads(request.cookies.get(COOKIE, ""), max_age=MAX_AGE_S)
        except BadSignature:  # covers SignatureExpired
            return None
        match found:
            case [int(account), int(login)]:
                return SignedIn(AccountId(account), LoginId(login))
        return None

    @property
    def _signer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt="console-session")


class AddressLimit:
    """Failed logins per address: many names from one place are a guess at passwords, which no account lock sees."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def is_open(self, address: str) -> bool:
        """May this address try again now?"""
        found = self._failures.get(address)
        if found is None:
            return True
        while found and found[0] < self._clock() - ADDRESS_WINDOW_S:
            found.popleft()
        return len(found) < FAILURES_PER_ADDRESS

    def record_failure(self, address: str) -> None:
        """One more failed login from there. Remembers MAX_ADDRESSES addresses at most, those that failed last."""
        self._failures.setdefault(address, deque(maxlen=FAILURES_PER_ADDRESS)).append(self._clock())
        self._failures.move_to_end(address)
        while len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)


def is_same_origin(origin: str | None, *hosts: str | None) -> bool:
    """Does a request that a browser sent come from a page of ours? Pure.

    Browsers put `Origin` on every POST and every WebSocket, so one without it is no browser that could be tricked.
    `hosts`: the Host header and, behind a proxy, X-Forwarded-Host.
    """
    if origin is None:
        return True
    return urlsplit(origin).netloc in {host.split(",")[0].strip() for host in hosts if host}


def is_from_here(request: Request) -> bool:
    """`is_same_origin` for a form that was posted."""
    headers = request.headers
    return is_same_origin(headers.get("origin"), headers.get("host"), headers.get("x-forwarded-host"))


def say_device(user_agent: str) -> str:
    """A browser in a few words, "Chrome trên Windows", so that a person knows it again. Pure."""
    browser = next((name for sign, name in (*BROWSERS, *BROWSERS_AFTER) if sign in user_agent), None)
    system = next((name for sign, name in SYSTEMS if sign in user_agent), None)
    if browser and system:
        return f"{browser} trên {system}"
    return browser or system or re.sub(r"[^\w ./-]", "", user_agent)[:40].strip() or "Thiết bị lạ"


def address_of(request: Request) -> str:
    """Where the request comes from, as uvicorn knows it (behind a proxy: from its forwarded headers)."""
    return request.client.host if request.client else "unknown"
