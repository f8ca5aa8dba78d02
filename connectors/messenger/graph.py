"""Calls of the Graph API: address, token, proof, errors."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
import structlog

from bot.base.clock import now
from bot.contracts.errors import PayloadRefused
from connectors.fields import Json, ident, json_object, number, part, parts, text
from connectors.messenger.settings import MessengerSettings
from connectors.wire import LONGEST_S, answer_object, ask, refuse_http_failure

log = structlog.get_logger(__name__)


class GraphRefused(Exception):
    """Meta answered with an error."""

    def __init__(self, code: int, subcode: int | None, until: datetime | None = None) -> None:
        """`until`: when Meta says that access is regained."""
        super().__init__(f"graph {code}/{subcode}")
        self.code, self.subcode, self.until = code, subcode, until


class Graph:
    """One page's access to the Graph API."""

    def __init__(self, settings: MessengerSettings, client: httpx.AsyncClient) -> None:
        self._settings, self._client = settings, client
        self.used_percent: int | None = None
        """Of Meta's rate limits, as the latest answer said."""

    async def call(self, method: str, path: str, **request: Any) -> Json:
        """One call; `path` starts behind the version. Raises GraphRefused, RetryLater or Ambiguous.

        The token travels in a header, so that no proxy writes it to a log; the proof must be in the query.
        """
        token = self._settings.page_token.get_secret_value()
        secret = self._settings.app_secret.get_secret_value()
        query = {
            **request.pop("params", {}),
            "appsecret_proof": hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest(),
        }
        base = self._settings.graph_api_base.rstrip("/")
        url = f"{base}/{self._settings.graph_api_version}/{path}"
        headers = {"authorization": f"Bearer {token}"}
        response = await ask(self._client, method, url, params=query, headers=headers, **request)
        self.used_percent = _used_percent(response)
        self._refuse(response)
        return answer_object(response)

    async def post(self, path: str, body: Json, files: dict[str, Any] | None = None) -> Json:
        """POST as JSON; with files as a form whose objects are JSON."""
        if files is None:
            return await self.call("POST", path, json=body)
        form = {key: value if isinstance(value, str) else orjson.dumps(value).decode() for key, value in body.items()}
        return await self.call("POST", path, data=form, files=files)

    def _refuse(self, response: httpx.Response) -> None:
        if response.status_code < 400:
            return
        error = _error_in(response)
        code, subcode = ident(error, "code"), ident(error, "error_subcode")
        if not code.isdigit():
            refuse_http_failure(response)
            code = "0"
        log.warning(
            "messenger.graph_refused",
            status=response.status_code,
            code=code,
            subcode=subcode,
            type=text(error, "type")[:60],
            trace=ident(error, "fbtrace_id")[:60],
        )
        after_s = _regain_s(response)
        until = now() + timedelta(seconds=min(after_s, LONGEST_S)) if after_s else None
        raise GraphRefused(int(code), int(subcode) if subcode.isdigit() else None, until)


def _error_in(response: httpx.Response) -> Json:
    try:
        return part(json_object(response.content), "error")
    except Exception:  # not JSON: the status alone speaks
        return {}


def _regain_s(response: httpx.Response) -> float | None:
    """Seconds until access is regained, from `X-Business-Use-Case-Usage` (minutes) or `Retry-After`."""
    minutes = max((number(one, "estimated_time_to_regain_access") or 0.0 for one in _usages(response)), default=0.0)
    return minutes * 60 or number(dict(response.headers), "retry-after") or None


def _used_percent(response: httpx.Response) -> int | None:
    """The fullest of Meta's counters; None when it names none."""
    counted = [number(one, name) for one in _usages(response) for name in ("call_count", "total_time", "total_cputime")]
    return max((int(one) for one in counted if one is not None), default=None)


def _usages(response: httpx.Response) -> list[Json]:
    """The objects in both usage headers; none when they are absent or not what Meta documents."""
    found: list[Json] = []
    for name in ("x-app-usage", "x-business-use-case-usage"):
        try:
            said = json_object(response.headers.get(name, "{}").encode())
        except PayloadRefused:
            continue
        found.append(said)
        for business in said:
            found += parts(said, business)
    return found
