"""/console/shift: what one shift tells the next."""

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import now
from console.live import News, follow
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from console.wording import say_clock
from handoff.account import Account
from handoff.rights import Action
from handoff.shift import add_shift_note, load_shift_notes_for


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/shift")
    async def shift_page(request: Request) -> RedirectResponse | None:
        visit = await enter(request, services, Action.TAKE_OVER)
        if isinstance(visit, RedirectResponse):
            return visit
        with frame(visit, "Giao ca", here="/console/shift"):
            page = ShiftPage(visit)
            follow(services.listener, ["shift_notes"], page.refresh)
            await page.refresh()
        return None


class ShiftPage:
    """The notes in one browser."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.database = visit, visit.services.database
        with ui.element("section").classes("c-sheet"):
            self.text = (
                ui.textarea(placeholder="Ca sau cần biết gì? Việc dở dang, người cần gọi lại, sự cố…")
                .props('outlined autogrow aria-label="Ghi chú giao ca"')
                .mark("shift-text")
            )
            ui.button("Ghi lại", icon="push_pin", on_click=self._add).classes("self-start").mark("shift-add")
        self.list = ui.element("div").style("display:flex;flex-direction:column;gap:10px")

    async def refresh(self, _: list[News] | None = None) -> None:
        """Read and show."""
        async with self.database.transaction() as session:
            found = await load_shift_notes_for(session, self.visit.account)
        self.list.clear()
        with self.list:
            if not found:
                ui.label("Chưa có ghi chú giao ca.").classes("c-empty")
            for one in found:
                with ui.element("div").classes("f-note"):
                    ui.label(one.text).classes("c-pre")
                    ui.label(f"{one.by} · {say_clock(one.at, now())}").classes("c-dim")

    async def _add(self) -> None:
        async def work(by: Account) -> None:
            async with self.database.transaction() as session:
                await add_shift_note(session, by, text=self.text.value or "", now=now())

        if await self.visit.attempt(work, "Đã ghi lại."):
            self.text.set_value("")
