"""The pages citizens see: chat, ticket look-up, and the script that other sites embed. Static files, no build step."""

import gzip
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response

from connectors.webchat.settings import WebchatSettings

STATIC = Path(__file__).parent / "static"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, ready to be sent."""

    body: bytes
    packed: bytes
    media_type: str
    etag: str


def pages_router(settings: WebchatSettings) -> APIRouter:
    """`/`, `/tra-cuu`, `/widget.js` and the files they use under `/webchat/`. Files are read once, here."""
    router = APIRouter(include_in_schema=False)
    values = page_values(settings)
    chat, lookup = (_ready(name, values) for name in ("chat.html", "tra-cuu.html"))
    widget = _ready("widget.js", {})
    assets = {path.name: _ready(path.name, {}) for path in STATIC.iterdir() if path.suffix in {".css", ".js", ".svg"}}
    embedders = " ".join(("'self'", *settings.embed_origins)) if "*" not in settings.embed_origins else "*"

    @router.get("/")
    async def chat_page(request: Request, embed: str = "") -> Response:
        """The chat. Only `/?embed=1` may be put in a frame, by the sites that may embed it."""
        policy = CONTENT_POLICY.format(ancestors=embedders if embed else "'self'")
        return _send(request, chat, policy=policy, shared=bool(embed))

    @router.get("/tra-cuu")
    async def lookup_page(request: Request) -> Response:
        """Where does my ticket stand?"""
        return _send(request, lookup, policy=CONTENT_POLICY.format(ancestors="'self'"))

    @router.get("/widget.js")
    async def widget_script(request: Request) -> Response:
        """For `<script src=".../widget.js">` on any site."""
        return _send(request, widget, policy="default-src 'none'", shared=True)

    @router.get("/webchat/{name}")
    async def asset(request: Request, name: str) -> Response:
        """Styles, scripts and the icon."""
        found = assets.get(name)
        return _send(request, found, policy="default-src 'none'") if found else Response(status_code=404)

    return router


def page_values(settings: WebchatSettings) -> Mapping[str, str]:
    """What the pages' `{{names}}` stand for, safe to put into HTML."""
    numbers = [one.partition(" ")[::2] for one in settings.emergency]
    links = "".join(
        f'<a href="tel:{html.escape(number)}"><b>{html.escape(number)}</b> {html.escape(name)}</a>'
        for number, name in numbers
    )
    return {
        "site_name": html.escape(settings.site_name),
        "operated_by": html.escape(settings.operated_by),
        "hotline": html.escape(settings.hotline),
        "hotline_tel": html.escape("".join(one for one in settings.hotline if one.isdecimal() or one == "+")),
        "emergency": links,
        "max_chars": str(settings.max_chars),
    }


def _ready(name: str, values: Mapping[str, str]) -> StaticFile:
    path = STATIC / name
    text = path.read_text("utf-8")
    for key, value in values.items():
        text = text.replace("{{" + key + "}}", value)
    body = text.encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    return StaticFile(body, gzip.compress(body, mtime=0), TYPES[path.suffix], etag)


def _send(request: Request, file: StaticFile, *, policy: str, shared: bool = False) -> Response:
    """The file; 304 when the browser has it. Always asked about again, so a new version shows at the next load."""
    headers = {
        "ETag": file.etag,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Cross-Origin-Resource-Policy": "cross-origin" if shared else "same-origin",
    }
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    packed = "gzip" in request.headers.get("accept-encoding", "")
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(file.packed if packed else file.body, media_type=file.media_type, headers=headers)
