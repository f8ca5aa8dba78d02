"""/console/imports: a department's spreadsheet becomes its live question bank, with the report in between."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import events, ui
from nicegui.elements.upload_files import FileUpload

from bot.contracts.ids import UnitCode
from console.parts import import_report
from console.parts.import_api import add_report_route
from console.parts.import_history import history_table
from console.parts.import_mapping import mapping_form
from console.parts.import_progress import ImportProgress
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from handoff.account import Account
from handoff.rights import Action
from handoff.unit import Unit
from handoff.units import load_units
from kb_import.annotate import template
from kb_import.columns import Mapping, Word
from kb_import.desk import ANY_UNIT, MAY_IMPORT, ImportDesk, today
from kb_import.history import PastImport
from kb_import.plan import ImportPlan, Status
from kb_import.problem import FileRefused
from kb_import.service import ImportService
from kb_import.sheet import BOUNDS
from kb_import.turns import Shelf

HERE: Final = "/console/imports"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LEAD: Final = (
    "Gửi tệp bộ câu hỏi mà đơn vị đang dùng (.xls, .xlsx, .ods, .csv). Hệ thống đọc thử và báo cáo từng dòng; "
    "chỉ khi bấm “Áp dụng” thì câu trả lời mới thay đổi."
)
OPEN_FILES: Final = """(event) => {
  const input = event.currentTarget.querySelector("input[type=file]");
  if (input && event.target !== input) input.click();
}"""
"""All of the upload field opens files: Quasar's own opener is a small sign at its edge."""
LET_GO: Final = (
    "Báo cáo này để lâu chưa áp dụng nên đã được bỏ, nhường chỗ cho tệp của người khác. Chưa có gì thay đổi. "
    "Hãy gửi lại tệp."
)


def register(services: ConsoleServices) -> None:
    """Add the page."""
    desk = ImportDesk(services.database, ImportService(services.database, services.embedder))
    shelf = Shelf()
    add_report_route(services, desk, f"{HERE}/report")

    @ui.page(HERE)
    async def imports_page(request: Request) -> RedirectResponse | None:
        visit = await enter(request, services, Action.TEACH)
        if isinstance(visit, RedirectResponse):
            return visit
        if visit.account.role not in MAY_IMPORT:
            return RedirectResponse("/console", status_code=303)
        async with services.database.transaction() as session:
            units = await load_units(session)
        with frame(visit, "Nạp bộ câu hỏi", here=HERE):
            await ImportsPage(visit, desk, shelf, units).build()
        return None


class ImportsPage:
    """One browser's import: the file, its plan, what was agreed to."""

    def __init__(self, visit: Visit, desk: ImportDesk, shelf: Shelf, units: dict[UnitCode, Unit]) -> None:
        self.visit, self.desk, self.shelf, self.units = visit, desk, shelf, units
        self.unit = visit.account.unit
        self.bank = ""
        self.name = ""
        self.file: FileUpload | None = None
        """The file; a large one lies on disk until it is read."""
        self.reading: asyncio.Task[Any] | None = None
        self.plan: ImportPlan | None = None
        self.refused = ""
        """Why the last file can't be read at all."""
        self.words: dict[str | None, Mapping] = {}
        """What the person said of this file's sheets."""

    async def build(self) -> None:
        """Lay it out."""
        with ui.element("section").classes("c-sheet").mark("import-file"):
            ui.label(LEAD).classes("c-dim")
            with ui.element("div").classes("c-row"):
                self._unit_field()
                ui.input("Tên bộ (để trống: lấy theo tên tệp)", on_change=self._name_bank).props(
                    "outlined dense"
                ).classes("c-grow").mark("import-bank")
                ui.button("Tải mẫu .xlsx", icon="download", on_click=self._download_template).props(
                    "outline no-caps"
                ).mark("import-template")
            with ui.element("div").classes("c-upload").on("click", js_handler=OPEN_FILES):
                self.upload = ui.upload(
                    label="Bấm để chọn tệp, hoặc kéo thả tệp vào đây",
                    auto_upload=True,
                    max_file_size=BOUNDS.file_bytes,
                    on_upload=self._take,
                    on_rejected=self._reject,
                )
            self.upload.props('accept=".xls,.xlsx,.xlsm,.ods,.csv,.htm,.html,.xml" flat bordered')
            self.upload.style("width:100%").mark("import-upload")
            self.progress = ImportProgress()
        self.report = ui.element("div").props("aria-live=polite").mark("import-report")
        with ui.element("section").classes("c-sheet").style("margin-top:14px"):
            ui.label("Các lần nạp").classes("c-h2").props("role=heading aria-level=2")
            self.history = ui.element("div").classes("c-scroll").mark("import-history")
        ui.context.client.on_delete(self._leave)
        await self._show_history()

    def _leave(self) -> None:
        """The browser is gone: nobody waits for this file any more."""
        self.shelf.remove(self)
        if self.reading is not None:
            self.reading.cancel()

    def _unit_field(self) -> None:
        if self.visit.account.role in ANY_UNIT:
            options = {
                code: f"{code} · {one.name}" for code, one in sorted(self.units.items()) if one.is_in_force(today())
            }
            ui.select(options, value=self.unit, label="Đơn vị", with_input=True, on_change=self._pick_unit).props(
                "outlined dense"
            ).classes("c-grow").mark("import-unit")
        else:
            name = self.units[self.unit].name if self.unit in self.units else "chưa gắn với đơn vị nào"
            ui.label(f"Đơn vị: {name}").classes("c-chip blue").mark("import-own-unit")

    def _pick_unit(self, event: events.ValueChangeEventArguments[Any]) -> None:
        self.unit = UnitCode(event.value) if event.value else None

    def _name_bank(self, event: events.ValueChangeEventArguments[Any]) -> None:
        self.bank = (event.value or "").strip()

    def _download_template(self) -> None:
        ui.download.content(template(), "mau-bo-cau-hoi-1022.xlsx", XLSX)

    def _reject(self) -> None:
        ui.notify(f"Tệp lớn hơn {BOUNDS.file_bytes // 2**20} MB. Hãy chia nhỏ tệp.", type="negative", position="top")

    async def _take(self, event: events.UploadEventArguments) -> None:
        self.upload.reset()
        if self._is_busy():
            return
        if event.file.size() > BOUNDS.file_bytes:  # the browser was to refuse it
            self._reject()
            return
        self.name, self.file = event.file.name, event.file
        self.words = {}
        await self._make_plan()

    async def _settle(self, mapping: Sequence[Mapping]) -> None:
        """What was said of some sheets, beside what was said of others before."""
        self.words |= {one.sheet: one for one in mapping}
        await self._make_plan()

    async def _read_again(self, sheet: str) -> None:
        await self._settle([Mapping((), None, sheet, Word.READ)])

    async def _make_plan(self) -> None:
        unit, file = self.unit, self.file
        if file is None:
            return
        if unit is None:
            ui.notify("Hãy chọn đơn vị trước.", type="warning", position="top")
            return
        if self._is_busy():
            return

        async def work(by: Account) -> None:
            try:
                self.plan = await self.desk.plan_for(
                    by,
                    file.read,
                    self.name,
                    unit=unit,
                    bank=self.bank or None,
                    mapping=tuple(self.words.values()),
                    progress=self.progress.report,
                )
            except FileRefused as refused:
                self.refused = refused.message_vi

        self.plan, self.refused = None, ""
        self.shelf.remove(self)
        self.report.clear()
        with self.progress:
            self.reading = asyncio.current_task()
            try:
                await self.visit.attempt(work)
            finally:
                self.reading = None
            if self.plan is not None:
                self.shelf.put(self, len(self.plan.reading.rows), self._let_go)
            if self.plan is not None and self.plan.status is Status.NOTHING:
                await self.visit.attempt(self._remember)
            changes: Sequence[import_report.Compared] = ()
            if self.plan is not None:
                changes = await asyncio.to_thread(import_report.compare, self.plan)
        self._show_plan(changes)

    async def _remember(self, by: Account) -> None:
        if self.plan is not None:
            await self.desk.remember_for(by, self.plan)

    def _show_plan(self, changes: Sequence[import_report.Compared]) -> None:
        self.report.clear()
        plan = self.plan
        if plan is None:
            if self.refused:
                with self.report:
                    import_report.refusal(f"Không nhận tệp {self.name}", self.refused)
            return
        with self.report:
            with ui.element("section").classes("c-sheet").style("margin-top:14px"):
                import_report.summary(plan)
                import_report.skipped(plan, on_read=self._read_again)
                if plan.status is Status.NEEDS_MAPPING:
                    mapping_form(plan.reading.proposals, on_confirm=self._settle)
                with ui.element("div").classes("c-row"):
                    if plan.status is Status.READY:
                        self._apply_buttons(plan)
                    if plan.problems or plan.status is Status.READY:
                        ui.button("Tải tệp kèm kết quả", icon="download", on_click=self._download_annotated).props(
                            "outline no-caps"
                        ).mark("import-annotated")
                    ui.button("Bỏ, không nạp", on_click=self._forget).props("flat no-caps").mark("import-forget")
            import_report.details(plan, changes)

    def _apply_buttons(self, plan: ImportPlan) -> None:
        agree = None
        if plan.retirements:
            agree = ui.checkbox(f"Thu hồi cả {len(plan.retirements)} mục mà tệp không còn").mark("import-retire")
            if plan.retires_most:
                ui.label("Chú ý: hơn nửa bộ câu hỏi sẽ bị thu hồi. Có đúng là tệp đầy đủ không?").classes("c-chip red")

        async def apply() -> None:
            await self._apply(plan, retire=bool(agree and agree.value))

        button = ui.button("Áp dụng", icon="check", on_click=apply).props("no-caps").mark("import-apply")
        if plan.reading.conversions:
            read = ui.checkbox("Đã đọc lại chữ đổi từ bảng mã cũ (bảng bên dưới), chữ đúng").mark("import-converted")
            read.move(target_index=0)
            button.bind_enabled_from(read, "value")

    async def _apply(self, plan: ImportPlan, *, retire: bool) -> None:
        if self._is_busy():
            return

        async def work(by: Account) -> None:
            await self.desk.apply_for(by, plan, retire=retire, progress=self.progress.report)

        with self.progress:
            done = await self.visit.attempt(work, "Đã áp dụng. Câu trả lời mới có hiệu lực ngay.")
        if done:
            self._forget()
            await self._show_history()

    def _is_busy(self) -> bool:
        """Is a file being read or applied? A second click must wait for the first."""
        if self.progress.running:
            ui.notify("Đang xử lý, xin chờ xong rồi làm tiếp.", type="warning", position="top")
        return self.progress.running

    def _forget(self) -> None:
        self.plan, self.file = None, None
        self.shelf.remove(self)
        self.report.clear()

    def _let_go(self) -> None:
        """Others sent files meanwhile, and this report waited longest."""
        self._forget()
        with self.report:
            import_report.refusal(f"Báo cáo của tệp {self.name} không còn", LET_GO)

    async def _download_annotated(self) -> None:
        plan, file = self.plan, self.file
        if plan is None or file is None or self._is_busy():
            return

        async def work(by: Account) -> None:
            copy = await self.desk.annotate_for(by, file.read, plan, progress=self.progress.report)
            stem = self.name.rsplit(".", 1)[0]
            ui.download.content(copy, f"{stem} - ket qua.xlsx", XLSX)

        with self.progress:
            await self.visit.attempt(work)

    async def _show_history(self) -> None:
        past = await self.desk.load_history_for(self.visit.account)
        people = await self.desk.load_names({one.by for one in past if one.by is not None})
        self.history.clear()
        with self.history:
            history_table(past, {code: one.short_name for code, one in self.units.items()}, people, on_undo=self._undo)

    async def _undo(self, past: PastImport) -> None:
        async def work(by: Account) -> None:
            await self.desk.undo_for(by, past)

        if await self.visit.attempt(work, f"Đã hoàn tác lần nạp số {past.id}."):
            self._forget()
            await self._show_history()
