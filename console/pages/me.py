"""/console/me: one's own account, and where one is logged in. Administrators look at others' with ?of=NUMBER."""

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import now
from bot.contracts.errors import NotFound
from bot.contracts.ids import AccountId
from console.live import News, follow
from console.services import ConsoleServices
from console.theme import frame
from console.visit import PASSWORD, Visit, enter
from console.wording import say_clock
from handoff.account import Account
from handoff.accounts import get_account
from handoff.logins import LOGINS, Login, LoginId, end_login, load_logins_for
from handoff.rights import RIGHTS, Action
from handoff.role import ROLE_VI


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/me")
    async def me_page(request: Request, of: int | None = None) -> RedirectResponse | None:
        visit = await enter(request, services)
        if isinstance(visit, RedirectResponse):
            return visit
        whose = visit.account
        if of is not None and of != whose.id:
            if Action.MANAGE_ACCOUNTS not in RIGHTS[whose.role]:
                return RedirectResponse("/console/me", status_code=303)
            try:
                async with services.database.transaction() as session:
                    whose = await get_account(session, AccountId(of))
            except NotFound:
                return RedirectResponse("/console/accounts", status_code=303)
        here = "/console/accounts" if whose.id != visit.account.id else "/console/me"
        with frame(visit, "Phiên đăng nhập", here=here):
            page = MePage(visit, whose)
            follow(services.listener, [LOGINS], page.refresh)
            await page.refresh()
        return None


class MePage:
    """Where one person is logged in."""

    def __init__(self, visit: Visit, whose: Account) -> None:
        self.visit, self.whose = visit, whose
        with ui.element("section").classes("c-sheet"):
            ui.label(whose.display_name).classes("c-title")
            ui.label(f"{whose.name} · {ROLE_VI[whose.role]}").classes("c-dim")
            if whose.id == visit.account.id:
                ui.link("Đổi mật khẩu", PASSWORD)
        self.list = ui.element("section").classes("c-sheet")

    async def refresh(self, _: list[News] | None = None) -> None:
        """Read and show."""
        async with self.visit.services.database.transaction() as session:
            found = await load_logins_for(session, self.visit.account, self.whose.id, now=now())
        self.list.clear()
        with self.list:
            ui.label("Đang đăng nhập trên").classes("c-h2")
            if not found:
                ui.label("Không có thiết bị nào.").classes("c-dim")
            for one in found:
                self._line(one)

    def _line(self, one: Login) -> None:
        ours = one.id == self.visit.signed_in.login
        with ui.element("div").classes("f-person").mark(f"login-{one.id}"):
            with ui.element("div").classes("c-grow"):
                with ui.element("div").classes("c-row"):
                    ui.label(one.device).classes("f-person-name")
                    if ours:
                        ui.label("thiết bị này").classes("c-chip green")
                moment = now()
                ui.label(
                    f"{one.address} · đăng nhập {say_clock(one.begun_at, moment)} · dùng lần cuối "
                    f"{say_clock(one.seen_at, moment)}"
                ).classes("c-dim")
            ui.button("Đăng xuất thiết bị này", icon="logout", on_click=lambda: self._end(one.id)).props(
                f'outline dense aria-label="Đăng xuất thiết bị này: {one.device}"'
            ).mark(f"end-login-{one.id}")

    async def _end(self, login: LoginId) -> None:
        async def work(by: Account) -> None:
            async with self.visit.services.database.transaction() as session:
                await end_login(session, login, by, now=now())

        await self.visit.attempt(work, "Đã đăng xuất thiết bị.")
        await self.refresh()
