"""/console/password: one's own new password; after a one-time password there is no way around it."""

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response
from nicegui import app

from bot.base.clock import now
from bot.contracts.errors import DomainError
from console.pages.login import begin
from console.pages.plain import Field, plain_page
from console.services import ConsoleServices
from console.session import AddressLimit, address_of, is_from_here
from console.visit import LOGIN, PASSWORD, home_of, load_account, sessions_of
from handoff.accounts import MIN_PASSWORD_CHARS, LoginRefused, change_password

WRONG_OLD = "Mật khẩu hiện tại chưa đúng."
NOT_ALIKE = "Hai lần nhập mật khẩu mới chưa giống nhau."


def register(services: ConsoleServices) -> None:
    """Add the page."""
    limit = AddressLimit()

    @app.get(PASSWORD, include_in_schema=False)
    async def show(request: Request) -> Response:
        signed_in = sessions_of(request).find_login(request)
        account = await load_account(services, signed_in) if signed_in else None
        return _page(one_time=account.must_change_password) if account else RedirectResponse(LOGIN, status_code=303)

    @app.post(PASSWORD, include_in_schema=False)
    async def change(
        request: Request,
        old: Annotated[str, Form()] = "",
        new: Annotated[str, Form()] = "",
        again: Annotated[str, Form()] = "",
    ) -> Response:
        signed_in = sessions_of(request).find_login(request)
        account = await load_account(services, signed_in) if signed_in else None
        if account is None or not is_from_here(request) or not limit.is_open(address_of(request)):
            return RedirectResponse(LOGIN, status_code=303)
        if new != again:
            return _page(one_time=account.must_change_password, problem=NOT_ALIKE, status=422)
        try:
            async with services.database.transaction() as session:
                changed = await change_password(session, account.id, old, new, now=now())
        except LoginRefused:
            limit.record_failure(address_of(request))
            return _page(one_time=account.must_change_password, problem=WRONG_OLD, status=422)
        except DomainError as error:
            return _page(one_time=account.must_change_password, problem=error.message_vi, status=error.status)
        response = RedirectResponse(home_of(changed), status_code=303)
        await begin(services, request, response, changed.id)
        return response


def _page(*, one_time: bool, problem: str = "", status: int = 200) -> Response:
    lead = (
        "Mật khẩu dùng một lần chỉ để vào lần đầu. Hãy đặt mật khẩu của riêng bạn"
        if one_time
        else "Đặt mật khẩu mới cho tài khoản của bạn"
    )
    fields = [
        Field("old", "Mật khẩu dùng một lần" if one_time else "Mật khẩu hiện tại", "password", "current-password"),
        Field("new", "Mật khẩu mới", "password", "new-password"),
        Field("again", "Nhập lại mật khẩu mới", "password", "new-password"),
    ]
    lead = f"{lead}, ít nhất {MIN_PASSWORD_CHARS} ký tự."
    return plain_page("Đổi mật khẩu", lead, PASSWORD, fields, "Lưu mật khẩu", problem=problem, status=status)
