"""What can go wrong with a request of the web chat, and how it is told: JSON `{"code", "message"}`, in Vietnamese.

One route class does it for this router only, so that the rest of the house keeps its own ways.
"""

from collections.abc import Callable, Coroutine, Sequence
from math import ceil
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Message, Receive

from bot.contracts.errors import DomainError

log = structlog.get_logger(__name__)
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class SessionUnknown(DomainError):
    """No token, or one that is not ours any more: the page asks for a new one."""

    code, status = "webchat.session_unknown", 401
    vi = "Phiên trò chuyện đã hết hạn hoặc không hợp lệ. Bạn hãy mở lại trang để bắt đầu phiên mới."


class TooFast(DomainError):
    """More than a sender may send; `wait_s` seconds until the next one may come."""

    code, status = "webchat.too_fast", 429
    vi = "Bạn gửi hơi nhanh. Vui lòng chờ {wait_s} giây rồi gửi lại."

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s=max(1, ceil(wait_s)))


class TooManyOpen(DomainError):
    """More live streams than a session, or this process, may have."""

    code, status = "webchat.too_many_streams", 429
    vi = "Trò chuyện này đang mở ở quá nhiều nơi. Bạn hãy đóng bớt cửa sổ."


class TooLarge(DomainError):
    """A body longer than any message can be."""

    code, status = "webchat.too_large", 413
    vi = "Nội dung gửi lên quá lớn. Bạn hãy chia thành nhiều tin ngắn hơn."


def route_class(allowed_origins: Sequence[str], max_body_bytes: int) -> type[APIRoute]:
    """Routes that cap bodies, answer errors as this module says, and let pages of `allowed_origins` read answers."""

    class WebchatRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            handle = super().get_route_handler()

            async def handle_or_explain(request: Request) -> Response:
                try:
                    body = await read_body(request, max_body_bytes)
                    response = await handle(Request(request.scope, _replay(body)))
                except Exception as error:
                    response = explain(error)
                response.headers.setdefault("Cache-Control", "no-store")
                for name, value in cors_headers(request.headers.get("origin"), allowed_origins).items():
                    response.headers[name] = value
                return response

            return handle_or_explain

    return WebchatRoute


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body, read no further than `max_bytes`. Raises TooLarge."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise TooLarge
    return body


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def explain(error: Exception) -> Response:
    """The answer to a request that failed. Raises `error` again when it is a mistake of ours."""
    match error:
        case TooFast():
            return _problem(error.status, error.code, error.message_vi, retry_after_s=error.fields["wait_s"])
        case DomainError():
            return _problem(error.status, error.code, error.message_vi)
        case RequestValidationError():
            where = ", ".join(sorted({str(one["loc"][-1]) for one in error.errors()}))
            return _problem(422, "webchat.request_refused", f"Yêu cầu thiếu hoặc sai trường: {where}.")
        case HTTPException(status_code=400):
            return _problem(400, "webchat.request_refused", "Yêu cầu không đọc được.")
        case SQLAlchemyError() | OSError() | TimeoutError():
            log.warning("webchat.unavailable", error=type(error).__name__)
            message = "Hệ thống đang bận, tin của bạn chưa được nhận. Vui lòng gửi lại sau giây lát."
            return _problem(503, "webchat.unavailable", message, retry_after_s=2)
        case _:
            raise error


def cors_headers(origin: str | None, allowed: Sequence[str]) -> dict[str, str]:
    """Headers that let a page of `origin` read the answer; none when it may not. Never with cookies: we use none."""
    if not origin or not ("*" in allowed or origin in allowed):
        return {"Vary": "Origin"} if allowed else {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
        "Access-Control-Expose-Headers": "Retry-After",
        "Access-Control-Max-Age": "3600",
        "Vary": "Origin",
    }


def _problem(status: int, code: str, message: str, *, retry_after_s: int | None = None) -> Response:
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"code": code, "message": message}, status_code=status, headers=headers)
