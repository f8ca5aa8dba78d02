"""/console/status: how the hotline does right now, for supervisors and administrators."""

from datetime import timedelta

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import now
from bot.conversation.overview import count_decisions, load_undelivered
from console.live import News, follow
from console.pages.tuning import say_point
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter, home_of
from console.wording import DECIDED_VI, DELIVERY_VI, say_channel, say_clock, say_percent
from handoff.reading import load_waiting_for
from handoff.rights import Action
from handoff.role import Role
from handoff.ticket import AT_UNIT, Priority, State

DAY = timedelta(hours=24)
COUNTED = 2000


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/status")
    async def status_page(request: Request) -> RedirectResponse | None:
        visit = await enter(request, services, Action.READ)
        if isinstance(visit, RedirectResponse):
            return visit
        if visit.account.role not in {Role.SUPERVISOR, Role.ADMIN}:
            return RedirectResponse(home_of(visit.account), status_code=303)
        with frame(visit, "Tình hình", here="/console/status"):
            page = StatusPage(visit)
            follow(services.listener, ["tickets", "delivery_trouble", "faq_index"], page.refresh)
            ui.timer(30.0, page.refresh, immediate=False)
            await page.refresh()
        return None


class StatusPage:
    """Figures in one browser."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.body = ui.element("div").style("display:flex;flex-direction:column;gap:14px")

    async def refresh(self, _: list[News] | None = None) -> None:
        """Read and show."""
        services = self.visit.services
        async with services.database.transaction() as session:
            tickets = await load_waiting_for(session, self.visit.account, now=now(), limit=COUNTED)
            trouble = await load_undelivered(session)
            decided = await count_decisions(session, now() - DAY)
        asked = sum(decided.get(one, 0) for one in ("answer", "choose", "handover"))
        self.body.clear()
        with self.body:
            with ui.element("div").classes("c-numbers"):
                at_desk = [one for one in tickets if one.state in {State.WAITING, State.SENT_BACK}]
                _number("Chờ tiếp nhận", len(at_desk))
                _number("Khẩn cấp", sum(one.priority is Priority.EMERGENCY for one in tickets), bad=True)
                _number("Đang xử lý", sum(one.state is State.IN_PROGRESS for one in tickets))
                _number("Ở đơn vị", sum(one.state in AT_UNIT for one in tickets))
                _number("Quá hạn", sum(one.is_overdue for one in tickets), bad=True)
                _number("Tin chưa gửi được", len(trouble), bad=True)
            with ui.element("section").classes("c-sheet"):
                ui.label("24 giờ qua").classes("c-h2")
                if asked:
                    ui.label(f"Bot trả lời ngay {say_percent(decided.get('answer', 0) / asked)} trong {asked} câu hỏi.")
                else:
                    ui.label("Chưa có câu hỏi nào.").classes("c-dim")
                with ui.element("div").classes("c-row"):
                    for outcome, count in sorted(decided.items(), key=lambda one: -one[1]):
                        ui.label(f"{DECIDED_VI.get(outcome, outcome)}: {count}").classes("c-chip")
            with ui.element("section").classes("c-sheet"):
                ui.label("Kênh").classes("c-h2")
                for note in services.channel_notes():
                    ui.label(note)
            with ui.element("section").classes("c-sheet"):
                ui.label("Bộ câu hỏi").classes("c-h2")
                engine = services.engine
                ui.label(f"{engine.size} mục đang dùng · lần công bố thứ {engine.generation}").mark("index")
                target = engine.thresholds.target
                ui.label(say_point(target, engine.coverage_at(target)))
                if self.visit.may(Action.TUNE):
                    ui.link("Đổi độ chắc của bot", "/console/tuning")
            if trouble:
                with ui.element("section").classes("c-sheet"):
                    ui.label("Tin chưa gửi được").classes("c-h2")
                    for one in trouble:
                        with ui.element("div").classes("c-row"):
                            if one.ticket:
                                ui.link(one.ticket, f"/console/tickets/{one.ticket}")
                            ui.label(say_channel(one.channel)).classes("c-chip")
                            ui.label(one.failure or DELIVERY_VI[one.status]).classes("c-grow")
                            ui.label(say_clock(one.created_at, now())).classes("c-dim")


def _number(title: str, count: int, *, bad: bool = False) -> None:
    with ui.element("div").classes("c-sheet c-number" + (" red" if bad and count else "")):
        ui.html(f"<b>{count}</b>", sanitize=False)
        ui.label(title).classes("c-dim")
