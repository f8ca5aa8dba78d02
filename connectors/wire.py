"""One HTTP request to a platform, and what its failure means for a message of ours."""

from datetime import datetime
from typing import Any

import httpx

from bot.contracts.errors import Ambiguous, RetryLater

ASK_AFTER_S = 15.0
"""How long to leave an unanswered message alone before asking whether it went out."""


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
    if status == 429:
        raise RetryLater("HTTP 429", after_s=_retry_after(response, default=60.0))
    if status in (502, 504):  # a gateway in front gave up waiting: the message may have gone through behind it
        raise Ambiguous(f"HTTP {status}", after_s=ASK_AFTER_S)
    if status >= 500:
        raise RetryLater(f"HTTP {status}", after_s=_retry_after(response, default=5.0))


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


def _retry_after(response: httpx.Response, default: float) -> float:
    try:
        return min(3600.0, max(1.0, float(response.headers.get("retry-after", default))))
    except ValueError:
        return default
