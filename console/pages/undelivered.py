"""/console/undelivered: what did not reach a citizen, and whom to phone."""

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import now
from bot.contracts.ids import MessageId
from bot.contracts.messages import DeliveryState
from bot.conversation.open_channels import find_open_elsewhere
from bot.conversation.overview import Undelivered, load_undelivered
from console.live import News, follow
from console.parts.phone import call_dialog
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from console.wording import say_channel, say_clock, say_delivery, say_elsewhere, shorten
from handoff.rights import Action


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/undelivered")
    async def undelivered_page(request: Request) -> RedirectResponse | None:
        visit = await enter(request, services, Action.CALL)
        if isinstance(visit, RedirectResponse):
            return visit
        with frame(visit, "Chưa gửi được", here="/console/undelivered"):
            page = UndeliveredPage(visit)
            follow(services.listener, ["delivery_trouble"], page.refresh)
            ui.timer(30.0, page.refresh, immediate=False)  # a message that arrived after all leaves without news
            await page.refresh()
        return None


class UndeliveredPage:
    """The list in one browser."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        ui.label("Những tin chưa đến được người dân. Gửi lại trong hội thoại, hoặc gọi điện báo rồi ghi kết quả.")
        self.list = ui.element("div").classes("c-stack")
        self.shown: tuple[list[Undelivered], dict[MessageId, str]] | None = None

    async def refresh(self, _: list[News] | None = None) -> None:
        """Read, and draw if something changed: a focused button must stay where it is."""
        services = self.visit.services
        async with services.database.transaction() as session:
            found = await load_undelivered(session)
            elsewhere = {
                one.message: say_elsewhere(
                    await find_open_elsewhere(session, services.connectors, one.conversation, one.author, now())
                )
                for one in found
                if one.status is DeliveryState.HELD
            }
        if (found, elsewhere) == self.shown:
            return
        self.shown = found, elsewhere
        self.list.clear()
        with self.list:
            if not found:
                ui.label("Mọi tin đều đã gửi được.").classes("c-sheet c-empty")
            for one in found:
                self._line(one, elsewhere.get(one.message, ""))

    def _line(self, one: Undelivered, elsewhere: str) -> None:
        with ui.element("section").classes("c-sheet").mark(f"undelivered-{one.message}"):
            with ui.element("div").classes("c-row"):
                ui.label(one.citizen_name or "Người dân").classes("c-h2")
                ui.label(say_channel(one.channel)).classes("c-chip")
                if one.call:
                    ui.label(f"chờ gọi điện ({one.call.asked_by})").classes("c-chip amber")
                else:
                    ui.label(say_delivery(one.status, late=one.late)).classes("c-chip red")
                ui.space()
                ui.label(say_clock(one.created_at, now())).classes("c-dim")
            ui.label(shorten(one.text, 200)).classes("c-pre")
            if one.failure:
                ui.label(one.failure).classes("c-dim")
            if elsewhere:
                ui.label(elsewhere).mark(f"elsewhere-{one.message}")
            with ui.element("div").classes("c-row"):
                ui.button("Gọi điện báo", icon="call", on_click=lambda: self._call(one)).props("outline dense").mark(
                    f"call-{one.message}"
                )
                if one.phone:
                    ui.label(one.phone).classes("f-number")
                ui.space()
                if one.ticket:
                    ui.link(f"Mở {one.ticket}", f"/console/tickets/{one.ticket}")

    async def _call(self, one: Undelivered) -> None:
        phones = (one.phone,) if one.phone else ()
        await call_dialog(self.visit, one.message, one.text, phones, on_done=self.refresh)
