"""/console/tuning: how sure the bot must be before it answers by itself, and what that costs in answers."""

from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import in_vietnam
from console.editing import Editing
from console.live import News, follow
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from console.wording import say_share
from faq.calibrate import CoveragePoint
from faq.recalibrate import CalibrationState
from faq.store import TOPIC
from handoff.account import Account
from handoff.rights import Action

LOWEST, HIGHEST, STEP = 80.0, 99.5, 0.5
TABLE: Final = (0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99)


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/tuning")
    async def tuning_page(request: Request) -> RedirectResponse | None:
        visit = await enter(request, services, Action.TUNE)
        if isinstance(visit, RedirectResponse):
            return visit
        with frame(visit, "Độ chắc của bot", here="/console/tuning"):
            page = TuningPage(visit)
            await page.say_origin()
            follow(services.listener, [TOPIC], page.refresh)
        return None


class TuningPage:
    """A slider, and what its place would bring."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.engine = visit, visit.services.engine
        self.editing = Editing(visit.services.database, self.engine)
        with ui.element("section").classes("c-sheet"):
            ui.label("Trong các câu bot tự trả lời, bao nhiêu phần phải đúng?").classes("c-h2")
            ui.label(
                "Đặt càng cao, bot càng ít trả lời sai nhưng chuyển cho cán bộ nhiều hơn. "
                "Số liệu đo trên các câu hỏi đã được người chấm; thực tế có thể chênh ít nhiều."
            ).classes("c-dim")
            self.slider = (
                ui.slider(min=LOWEST, max=HIGHEST, step=STEP, value=self._in_force, on_change=self._show)
                .props('aria-label="Tỷ lệ trả lời đúng phải đạt, phần trăm"')
                .mark("target")
            )
            self.now_chosen = ui.label().classes("f-say").props("role=status").mark("target-result")
            with ui.element("div").classes("c-row"):
                self.save = ui.button("Áp dụng", icon="check", on_click=self._save).mark("target-save")
                self.hint = ui.label().classes("c-dim")
            self.origin = ui.label().classes("c-dim").mark("calibration")
        self.table = ui.element("section").classes("c-sheet")
        self._show()

    @property
    def _in_force(self) -> float:
        return round(self.engine.thresholds.target * 1000) / 10

    async def refresh(self, _: list[News]) -> None:
        """Somebody published something: the figures may be others."""
        self._show()
        await self.say_origin()

    async def say_origin(self) -> None:
        """Where the figures come from, and when that was last looked at."""
        self.origin.set_text(say_calibration(await self.engine.calibration_state()))

    def _show(self, _: Any = None) -> None:
        target = float(self.slider.value) / 100
        self.now_chosen.set_text(say_point(target, self.engine.coverage_at(target)))
        changed = abs(float(self.slider.value) - self._in_force) > 0.05
        self.save.set_enabled(changed)
        self.hint.set_text(f"Đang áp dụng: {say_share(self.engine.thresholds.target)}.")
        self.table.clear()
        with self.table, ui.element("table").classes("c-table"):
            with ui.element("thead"), ui.element("tr"):
                for title in ("Phải đúng", "Bot tự trả lời", "Hỏi lại hoặc chuyển cán bộ", "Đúng khi đo"):
                    with ui.element("th"):
                        ui.label(title)
            with ui.element("tbody"):
                for one in sorted({*TABLE, self.engine.thresholds.target}):
                    self._row(one, self.engine.coverage_at(one))

    def _row(self, target: float, point: CoveragePoint) -> None:
        here = target == self.engine.thresholds.target
        with ui.element("tr"):
            cells = (target, point.coverage, 1 - point.coverage, point.precision)
            for at, share in enumerate(cells):
                with ui.element("td"), ui.element("div").classes("c-row"):
                    ui.label(say_share(share))
                    if at == 0 and here:
                        ui.label("đang áp dụng").classes("c-chip blue")

    async def _save(self) -> None:
        target = float(self.slider.value) / 100

        async def work(by: Account) -> None:
            await self.editing.set_target(by, target)

        if await self.visit.attempt(work, "Đã áp dụng."):
            self._show()


def say_point(target: float, point: CoveragePoint) -> str:
    """What a target brings, in a sentence. Pure."""
    if not point.coverage:
        return f"Muốn đúng {say_share(target)} thì bot không tự trả lời câu nào: mọi câu hỏi sẽ chuyển cho cán bộ."
    return (
        f"Muốn đúng {say_share(target)}: bot tự trả lời được khoảng {say_share(point.coverage)} số câu đã có đáp án, "
        f"phần còn lại bot hỏi lại hoặc chuyển cán bộ."
    )


def say_calibration(state: CalibrationState) -> str:
    """Where the limits come from, in a sentence. Pure."""
    if state.calibrated_at:
        day = in_vietnam(state.calibrated_at).strftime("%H:%M ngày %d/%m/%Y")
        made = f"Hiệu chỉnh riêng cho bộ câu hỏi này lúc {day}, trên {state.questions} câu."
    else:
        made = f"Đang dùng hiệu chỉnh kèm theo phần mềm, trên {state.questions} câu."
    if state.check is None:
        return f"{made} Hệ thống sẽ tự kiểm tra khi bộ câu hỏi thay đổi nhiều."
    looked = in_vietnam(state.check.at).strftime("%H:%M ngày %d/%m/%Y")
    return f"{made} Kiểm tra gần nhất: {looked}; từ đó {state.changed}/{state.live} mục đã thay đổi."
