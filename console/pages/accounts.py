"""/console/accounts: who may log in. Passwords are shown once and stored nowhere."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import in_vietnam, now
from bot.contracts.ids import UnitCode
from console.parts.asking import asking, choice_field, standing_dialog, text_field
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from handoff.account import Account
from handoff.accounts import OneTimePassword, add_account, load_accounts_for, reset_password, set_active
from handoff.rights import Action
from handoff.role import ROLE_VI, Role
from handoff.units import load_units


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/accounts")
    async def accounts_page(request: Request) -> RedirectResponse | None:
        visit = await enter(request, services, Action.MANAGE_ACCOUNTS)
        if isinstance(visit, RedirectResponse):
            return visit
        with frame(visit, "Tài khoản", here="/console/accounts"):
            page = AccountsPage(visit)
            await page.refresh()
        return None


class AccountsPage:
    """The list in one administrator's browser."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.database = visit, visit.services.database
        ui.button("Thêm tài khoản", icon="person_add", on_click=self._add).classes("self-start").mark("account-add")
        self.list = ui.element("div").classes("c-sheet c-scroll")

    async def refresh(self) -> None:
        """Read and show."""
        async with self.database.transaction() as session:
            accounts = await load_accounts_for(session, self.visit.account)
        names = self.visit.services.engine.unit_names
        self.list.clear()
        with self.list, ui.element("table").classes("c-table"):
            with ui.element("thead"), ui.element("tr"):
                for title in ("Tên đăng nhập", "Họ tên", "Vai trò", "Đơn vị", "Tình trạng", ""):
                    with ui.element("th"):
                        ui.label(title)
            with ui.element("tbody"):
                for one in accounts:
                    self._row(one, names.get(one.unit, one.unit) if one.unit else "")

    def _row(self, account: Account, unit: str) -> None:
        state = (
            "đã khoá" if not account.active else "chưa đổi mật khẩu" if account.must_change_password else "đang dùng"
        )
        with ui.element("tr"):
            for text in (account.name, account.display_name, ROLE_VI[account.role], unit, state):
                with ui.element("td"):
                    ui.label(text)
            with ui.element("td"), ui.element("div").classes("c-row"):
                ui.button("Cấp lại mật khẩu", on_click=lambda: self._reset(account)).props(
                    f'flat dense aria-label="Cấp lại mật khẩu {account.name}"'
                )
                ui.link("Phiên", f"/console/me?of={account.id}").props(f'aria-label="Phiên đăng nhập {account.name}"')
                if account.id != self.visit.account.id:
                    word = "Khoá" if account.active else "Mở lại"
                    ui.button(word, on_click=lambda: self._set_active(account, not account.active)).props(
                        f'flat dense aria-label="{word} {account.name}"'
                    )

    async def _add(self) -> None:
        today = in_vietnam(now()).date()
        async with self.database.transaction() as session:
            units = await load_units(session)
        options = {one.code: f"{one.short_name} ({one.code})" for one in units.values() if one.is_in_force(today)}

        async def make(by: Account) -> OneTimePassword:
            async with self.database.transaction() as session:
                chosen = UnitCode(unit.value) if unit.value else None
                return await add_account(session, name.value or "", role.value, chosen, shown.value or None, by=by)

        async def do() -> bool:
            return await self._with_password(make, name.value or "")

        with asking("Thêm tài khoản", "Thêm", do, mark="account"):
            name = text_field("Tên đăng nhập", mark="account-name")
            shown = text_field("Họ tên (người khác nhìn thấy)", mark="account-shown")
            role = choice_field("Vai trò", dict(ROLE_VI), value=Role.OPERATOR, mark="account-role")
            unit = choice_field("Đơn vị (bắt buộc với cán bộ đầu mối, biên tập)", options, mark="account-unit")

    async def _reset(self, account: Account) -> None:
        async def make(by: Account) -> OneTimePassword:
            async with self.database.transaction() as session:
                return await reset_password(session, account.id, by, now=now())

        async def do() -> bool:
            return await self._with_password(make, account.name)

        with asking(f"Cấp lại mật khẩu cho {account.name}?", "Cấp lại", do, mark="reset"):
            ui.label("Mật khẩu cũ hết dùng được ngay. Người này phải đổi mật khẩu khi đăng nhập lần tới.")

    async def _set_active(self, account: Account, active: bool) -> None:
        async def work(by: Account) -> None:
            async with self.database.transaction() as session:
                await set_active(session, account.id, active, by, now=now())

        await self.visit.attempt(work, "Đã mở lại." if active else "Đã khoá.")
        await self.refresh()

    async def _with_password(self, make: Callable[[Account], Awaitable[OneTimePassword]], name: str) -> bool:
        made: list[OneTimePassword] = []

        async def work(by: Account) -> None:
            made.append(await make(by))

        ok = await self.visit.attempt(work)
        if ok:
            await self.refresh()
            _show_password(name, made[0])
        return ok


def _show_password(name: str, password: OneTimePassword) -> None:
    with standing_dialog("one-time") as dialog:
        dialog.props("persistent")
        ui.label(f"Mật khẩu dùng một lần của {name}").classes("c-title")
        ui.label(password).style("font:700 22px monospace;user-select:all").props('aria-label="Mật khẩu dùng một lần"')
        ui.label("Chỉ hiện một lần. Chuyển tận tay cho người dùng; lần đăng nhập đầu sẽ bắt đổi.").classes("c-dim")
        ui.button("Tôi đã ghi lại", on_click=dialog.close).classes("self-end")
