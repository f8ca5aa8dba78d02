"""What every request to the console passes first: nobody gets a NiceGUI page, and the memory it costs, without a login.

NiceGUI answers whatever no other route of the gateway did and keeps a page's elements for a minute even if nobody comes
back for them; so addresses that are no page, and visitors without a cookie of ours, are turned away here, cheaply.
"""

from typing import Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.session import Sessions
from console.visit import LOGIN, PASSWORD
from kb_import.sheet import BOUNDS

OPEN_PATHS: Final = frozenset({LOGIN, PASSWORD, "/console/logout", "/favicon.ico"})
OPEN_FOLDERS: Final = ("/console/static/", "/_nicegui")
UPLOADS: Final = "/_nicegui"
"""Where NiceGUI takes files, to the disk and of any size; what the browser's own check lets through fits."""
UPLOAD_BYTES: Final = BOUNDS.file_bytes + 2**16
"""The largest file, and what a form puts around it."""
CONTENT_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; media-src 'self' data: blob:; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'none'; object-src 'none'"
)
"""NiceGUI compiles its templates in the browser, hence 'unsafe-eval'. No third-party host is named."""
HEADERS: Final = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


class Gate:
    """ASGI middleware around NiceGUI's application."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app, self._sessions = app, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or WebSocket."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        keep = path.startswith(OPEN_FOLDERS)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
                if not keep:
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        refusal = self._find_refusal(path, Request(scope))
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _find_refusal(self, path: str, request: Request) -> Response | None:
        """What to say to who may not come in; None for all others."""
        if request.method == "POST" and path.startswith(UPLOADS) and not _fits(request):
            return JSONResponse({"detail": "Tệp quá lớn."}, status_code=413)
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDERS):
            return None
        if path != "/console" and not path.startswith("/console/"):
            return JSONResponse({"detail": "Không tìm thấy trang."}, status_code=404)
        if self._sessions.find_login(request) is None:
            return RedirectResponse(f"{LOGIN}?next={quote(path)}", status_code=303)
        return None


def _fits(request: Request) -> bool:
    """Does the request say how long it is, and is that little enough? The server holds it to its word."""
    length = request.headers.get("content-length", "")
    return length.isdecimal() and int(length) <= UPLOAD_BYTES
