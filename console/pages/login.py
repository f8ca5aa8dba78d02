"""/console/login: name and password in, a session cookie out. Wrong name and wrong password read the same."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response
from nicegui import app

from bot.base.clock import now
from bot.contracts.ids import AccountId
from console.pages.plain import Field, plain_page
from console.services import ConsoleServices
from console.session import AddressLimit, address_of, is_from_here, say_device
from console.visit import LOGIN, PASSWORD, home_of, load_account, sessions_of
from handoff.accounts import LoginRefused, authenticate
from handoff.logins import begin_login, end_login

TOO_MANY = "Địa chỉ này đăng nhập sai quá nhiều lần. Vui lòng đợi 15 phút rồi thử lại."
NOT_FROM_HERE = "Yêu cầu không đến từ trang đăng nhập. Vui lòng mở lại trang và thử lại."


def register(services: ConsoleServices) -> None:
    """Add the login and the logout."""
    limit = AddressLimit()

    @app.get(LOGIN, include_in_schema=False)
    async def show(next: str = "") -> Response:
        return _page(next)

    @app.post(LOGIN, include_in_schema=False)
    async def log_in(
        request: Request, name: Annotated[str, Form()] = "", password: Annotated[str, Form()] = "", next: str = ""
    ) -> Response:
        address = address_of(request)
        if not is_from_here(request):
            return _page(next, name=name, problem=NOT_FROM_HERE, status=403)
        if not limit.is_open(address):
            return _page(next, name=name, problem=TOO_MANY, status=429)
        try:
            account = await authenticate(services.database, name, password, now())
        except LoginRefused as error:
            limit.record_failure(address)
            return _page(next, name=name, problem=error.message_vi, status=error.status)
        target = PASSWORD if account.must_change_password else inner_path(next) or home_of(account)
        response = RedirectResponse(target, status_code=303)
        await begin(services, request, response, account.id)
        return response

    @app.post("/console/logout", include_in_schema=False)
    async def log_out(request: Request) -> Response:
        response = RedirectResponse(LOGIN, status_code=303)
        if is_from_here(request):
            signed_in = sessions_of(request).find_login(request)
            account = await load_account(services, signed_in) if signed_in else None
            if account is not None and signed_in is not None:
                async with services.database.transaction() as session:
                    await end_login(session, signed_in.login, account, now=now())
            sessions_of(request).end(response)
        return response


async def begin(services: ConsoleServices, request: Request, response: Response, account: AccountId) -> None:
    """Log this browser in."""
    async with services.database.transaction() as session:
        device = say_device(request.headers.get("user-agent", ""))
        login = await begin_login(session, account, device=device, address=address_of(request), now=now())
    sessions_of(request).begin(response, account, login)


def inner_path(wanted: str) -> str | None:
    """`wanted` if it is a page of the console: a link must not lead from our login to somebody else's site."""
    return wanted if wanted == "/console" or (wanted.startswith("/console/") and "\\" not in wanted) else None


def _page(next_page: str, *, name: str = "", problem: str = "", status: int = 200) -> Response:
    action = f"{LOGIN}?next={quote(next_page)}" if inner_path(next_page) else LOGIN
    fields = [
        Field("name", "Tên đăng nhập", "text", "username", name),
        Field("password", "Mật khẩu", "password", "current-password"),
    ]
    lead = "Dành cho cán bộ trực, cán bộ đầu mối và biên tập."
    return plain_page("Đăng nhập", lead, action, fields, "Đăng nhập", problem=problem, status=status)
