"""Somebody at a page: who it is, and how a click becomes one action of another room.

Every page begins with `enter`; every click that changes something goes through `Visit.attempt`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import app, ui

from bot.base.clock import now
from bot.contracts.errors import DomainError, NotFound
from console.services import ConsoleServices
from console.session import Sessions, SignedIn
from handoff.account import Account
from handoff.accounts import get_account
from handoff.logins import is_logged_in
from handoff.rights import RIGHTS, Action
from handoff.role import Role

log = structlog.get_logger(__name__)
LOGIN, PASSWORD = "/console/login", "/console/password"


class SignedOut(DomainError):
    """The account was closed, its password reset, or this login ended, while a page of it was open."""

    code, status, vi = "console.signed_out", 401, "Phiên làm việc đã hết. Vui lòng đăng nhập lại."


@dataclass(frozen=True, slots=True)
class Visit:
    """A logged-in person at a page."""

    services: ConsoleServices
    account: Account
    signed_in: SignedIn

    def may(self, action: Action) -> bool:
        """Does the role permit it at all? Only to hide what would be refused; the rooms check again."""
        return action in RIGHTS[self.account.role]

    async def attempt(self, work: Callable[[Account], Awaitable[Any]], done: str | None = None) -> bool:
        """Do one thing as the account is now; say `done`, or why it was refused. True if it was done."""
        try:
            await work(await self._account_now())
        except SignedOut:
            ui.navigate.to(LOGIN)
            return False
        except DomainError as error:
            log.info("console.refused", error=error.code, account=self.account.id)
            ui.notify(error.message_vi, type="negative", position="top", timeout=8000, close_button="Đóng")
            return False
        if done:
            ui.notify(done, type="positive", position="top", timeout=2500)
        return True

    async def _account_now(self) -> Account:
        account = await load_account(self.services, self.signed_in)
        if account is None or account.must_change_password:
            raise SignedOut
        return account


async def load_account(services: ConsoleServices, signed_in: SignedIn) -> Account | None:
    """The account if it may still be used, by this login."""
    async with services.database.transaction() as session:
        if not await is_logged_in(session, signed_in.login, signed_in.account, now=now()):
            return None
        try:
            found = await get_account(session, signed_in.account)
        except NotFound:
            return None
    return found if found.active else None


async def enter(request: Request, services: ConsoleServices, action: Action | None = None) -> Visit | RedirectResponse:
    """Who is at this page, or where to send them: to the login, to the change of a one-time password, or home.

    `action`: what the role must permit for this page to make sense.
    """
    signed_in = sessions_of(request).find_login(request)
    account = await load_account(services, signed_in) if signed_in else None
    if account is None or signed_in is None:
        return RedirectResponse(f"{LOGIN}?next={quote(request.url.path)}", status_code=303)
    if account.must_change_password:
        return RedirectResponse(PASSWORD, status_code=303)
    if action is not None and action not in RIGHTS[account.role]:
        return RedirectResponse(home_of(account), status_code=303)
    return Visit(services, account, signed_in)


def home_of(account: Account) -> str:
    """The first page of a role: editors have no tickets."""
    return "/console/unanswered" if account.role is Role.EDITOR else "/console"


def sessions_of(request: Request) -> Sessions:
    """The signer that `mount_console` put in place."""
    found = app.state.console_sessions
    assert isinstance(found, Sessions)  # noqa: S101 (set once in mount_console)
    return found
