"""The first-authorisation page: an OA administrator lets our application write in the OA's name (OAuth v4 with PKCE).

    /zalo/consent ─► Zalo's consent page ─► /zalo/callback?code=…&state=… ─► the pair is stored

State and verifier wait in an encrypted cookie of the administrator's own browser, so nothing is kept on our side and
nobody else can finish what they began (or slip in a code of another account).
"""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable

import orjson
import structlog
from cryptography.fernet import Fernet, InvalidToken
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bot.contracts.errors import GiveUp, RetryLater
from connectors.fields import text
from connectors.zalo.connector import ZaloConnector

log = structlog.get_logger(__name__)
COOKIE = "zalo_consent"
LIFE_S = 600
"""Zalo's code lives ten minutes."""

May = Callable[[Request], Awaitable[bool]]

PAGE = """<!doctype html><html lang="vi"><meta charset="utf-8"><title>Cấp quyền Zalo</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<main style="font:1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem">
<h1 style="font-size:1.3rem">{title}</h1><p>{body}</p><p><a href="{href}">{link}</a></p></main></html>"""


def consent_router(connector: ZaloConnector, secret_key: bytes, may: May) -> APIRouter:
    """Both pages. `may` says whether this request comes from a signed-in administrator of ours."""
    router = APIRouter(include_in_schema=False)
    seal = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"zalo consent" + secret_key).digest()))

    @router.get("/zalo/consent")
    async def begin(request: Request) -> Response:
        """Send the administrator to Zalo."""
        if not await may(request):
            return _page(403, "Chỉ quản trị viên được cấp quyền Zalo", "Mời đăng nhập bằng tài khoản quản trị.")
        if not connector.settings.callback_url:
            return _page(409, "Chưa đặt ZALO_CALLBACK_URL", "Đặt địa chỉ quay về đúng như đã đăng ký với Zalo.")
        consent = connector.new_consent()
        answer = RedirectResponse(consent.url, status_code=303)
        kept = seal.encrypt(orjson.dumps({"state": consent.state, "verifier": consent.verifier})).decode()
        secure = connector.settings.callback_url.startswith("https://")
        # "lax": the cookie must come back when Zalo's page sends the browser here
        answer.set_cookie(
            COOKIE, kept, max_age=LIFE_S, httponly=True, secure=secure, samesite="lax", path="/zalo/callback"
        )
        return answer

    @router.get("/zalo/callback")
    async def finish(request: Request, code: str = "", state: str = "", oa_id: str = "") -> Response:
        """Zalo sends the administrator back with a code."""
        if not await may(request):
            return _page(403, "Chỉ quản trị viên được cấp quyền Zalo", "Mời đăng nhập bằng tài khoản quản trị.")
        begun = _unsealed(seal, request.cookies.get(COOKIE, ""))
        if begun is None or not code or not hmac.compare_digest(text(begun, "state").encode(), state.encode()):
            return _page(400, "Phiên cấp quyền không hợp lệ hoặc đã quá 10 phút", "Mời bắt đầu lại.")
        if connector.settings.oa_id and oa_id != connector.settings.oa_id:
            return _page(409, "Đã chọn nhầm Official Account", "Mời chọn đúng tài khoản đã đặt trong ZALO_OA_ID.")
        try:
            await connector.finish_consent(code, text(begun, "verifier"))
        except GiveUp as error:
            return _page(502, "Zalo không cấp quyền", error.reason_vi)
        except RetryLater:
            return _page(502, "Không liên lạc được với Zalo", "Mời thử lại sau ít phút.")
        log.info("zalo.consent_given")
        answer = _page(200, "Đã cấp quyền Zalo", "Kênh Zalo bắt đầu hoạt động ngay.", "/console", "Về trang quản trị")
        answer.delete_cookie(COOKIE, path="/zalo/callback")
        return answer

    return router


def _unsealed(seal: Fernet, kept: str) -> object | None:
    try:
        begun: object = orjson.loads(seal.decrypt(kept.encode(), ttl=LIFE_S))
    except (InvalidToken, orjson.JSONDecodeError):
        return None
    return begun


def _page(status: int, title: str, body: str, href: str = "/zalo/consent", link: str = "Bắt đầu cấp quyền") -> Response:
    """Texts are ours or come from the table of errors: nothing of a request is shown."""
    return HTMLResponse(PAGE.format(title=title, body=body, href=href, link=link), status_code=status)
