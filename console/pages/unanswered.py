"""/console/unanswered: what citizens asked and no entry answered, newest first."""

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import in_vietnam, now
from console.live import News, follow
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from console.wording import say_clock
from handoff.reading import load_unanswered
from handoff.rights import Action
from handoff.ticket import REASON_VI
from handoff.units import get_family
from handoff.views import UnansweredQuestion


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/unanswered")
    async def unanswered_page(request: Request) -> RedirectResponse | None:
        visit = await enter(request, services, Action.TEACH)
        if isinstance(visit, RedirectResponse):
            return visit
        with frame(visit, "Chưa trả lời được", here="/console/unanswered"):
            ui.label(
                "Mỗi câu dưới đây là một lần người dân phải chờ cán bộ. "
                "Bổ sung vào bộ câu hỏi thì lần sau bot trả lời ngay."
            ).classes("c-dim")
            page = UnansweredPage(visit)
            follow(services.listener, ["tickets"], page.refresh)
            await page.refresh()
        return None


class UnansweredPage:
    """The list in one browser: of the own unit and of nobody yet, or of all."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.all = visit, visit.account.unit is None
        if visit.account.unit is not None:
            ui.switch("Hiện cả câu hỏi của đơn vị khác", on_change=self._toggle).mark("all-units")
        self.list = ui.element("div").style("display:flex;flex-direction:column;gap:10px")
        self.shown: list[UnansweredQuestion] | None = None

    async def refresh(self, _: list[News] | None = None) -> None:
        """Read, and draw if something changed: a button that is being pressed must stay where it is."""
        async with self.visit.services.database.transaction() as session:
            found = await load_unanswered(session, self.visit.account)
            family = await get_family(session, self.visit.account.unit, in_vietnam(now()).date())
        shown = [one for one in found if self.all or one.unit is None or one.unit in family]
        if shown == self.shown:
            return
        self.shown = shown
        self.list.clear()
        with self.list:
            if not shown:
                with ui.element("div").classes("c-sheet c-empty"):
                    ui.label("Mọi câu hỏi đều đã có câu trả lời.")
            for one in shown:
                _card(one)

    async def _toggle(self) -> None:
        self.all = not self.all
        await self.refresh()


def _card(question: UnansweredQuestion) -> None:
    with ui.element("article").classes("c-sheet").mark(f"unanswered-{question.code}"):
        for text in question.questions:
            ui.label(text).classes("c-h2")
        with ui.element("div").classes("c-row"):
            ui.label(question.code).classes("c-chip")
            ui.label(REASON_VI[question.reason]).classes("c-chip amber")
            if question.subject_name:
                ui.label(question.subject_name).classes("c-chip")
            if question.answer:
                ui.label("Đã có câu trả lời của đơn vị").classes("c-chip green")
            ui.label(say_clock(question.created_at, now())).classes("c-dim")
            ui.space()
            ui.button(
                "Bổ sung", icon="add_comment", on_click=lambda: ui.navigate.to(f"/console/unanswered/{question.code}")
            ).props(f'aria-label="Bổ sung {question.code}"')
