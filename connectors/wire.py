"""One HTTP request to a platform, and what its failure means for a message of ours."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from bot.base.clock import now
from bot.contracts.errors import Ambiguous, NotYet, RetryLater
from connectors.fields import number

ASK_AFTER_S = 15.0
"""How long to leave an unanswered message alone before asking whether it went out."""

LONGEST_S = 86_400.0
"""No wait that a platform names is believed to be longer."""


def new_client(timeout_s: float, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """A client that follows no redirect, ignores proxies of the environment and waits for nothing for ever."""
    timeouts = httpx.Timeout(timeout_s, connect=min(5.0, timeout_s), pool=5.0)
    return httpx.AsyncClient(timeout=timeouts, follow_redirects=False, trust_env=False, transport=transport)


async def ask(client: httpx.AsyncClient, method: str, url: str, **request: Any) -> httpx.Response:
    """Send one request. Raises RetryLater if it surely never arrived, Ambiguous if nobody knows."""
    try:
        return await client.request(method, url, **request)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise RetryLater(f"no connection: {type(error).__name__}", after_s=5.0) from error
    except httpx.TransportError as error:
        raise Ambiguous(f"no answer: {type(error).__name__}", after_s=ASK_AFTER_S) from error


def refuse_http_failure(response: httpx.Response) -> None:
    """Raise what a status without the platform's own error body means; statuses below 500, except 429, pass."""
    status = response.status_code
    if status in (502, 504):  # a gateway in front gave up waiting: the message may have gone through behind it
        raise Ambiguous(f"HTTP {status}", after_s=ASK_AFTER_S)
    if status != 429 and status < 500:
        return
    if (named := _retry_after(response)) is not None:
        raise NotYet(f"HTTP {status}", now() + named)
    raise RetryLater(f"HTTP {status}", after_s=60.0 if status == 429 else 5.0)


def wait_for_history(created_at: datetime, at: datetime, settle_s: float) -> None:
    """Raise RetryLater while a message is so young that the platform's history may not show it yet."""
    age_s = (at - created_at).total_seconds()
    if age_s < settle_s:
        raise RetryLater("too early to ask the history", after_s=max(1.0, settle_s - age_s))


def answer_object(response: httpx.Response) -> dict[str, Any]:
    """The answer as a JSON object. Raises Ambiguous when it is none: it may still have been carried out."""
    try:
        body = response.json()
    except ValueError as error:
        raise Ambiguous(f"HTTP {response.status_code} without JSON", after_s=ASK_AFTER_S) from error
    if not isinstance(body, dict):
        raise Ambiguous(f"HTTP {response.status_code} without a JSON object", after_s=ASK_AFTER_S)
    return body


def _retry_after(response: httpx.Response) -> timedelta | None:
    """What the header `Retry-After` asks for, in seconds; None when there is none (or a date, which nobody sends)."""
    asked = number(dict(response.headers), "retry-after")
    return timedelta(seconds=min(LONGEST_S, max(1.0, asked))) if asked is not None else None
