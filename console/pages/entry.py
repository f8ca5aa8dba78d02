"""/console/entries/{entry}: one entry, its form and every version it ever had."""

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import say_moment
from bot.contracts.errors import NotFound
from bot.contracts.ids import EntryId, SubjectId
from console.editing import Editing
from console.parts.asking import asking, text_field
from console.parts.entry_form import EntryForm
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from console.wording import CHANGES_VI
from faq.entry import EntryDraft, EntryRecord
from faq.store import EntryVersion, get_entry, is_retired, load_versions
from handoff.account import Account
from handoff.rights import Action
from handoff.unit import Subject
from handoff.units import load_subjects


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/entries/{entry}")
    async def entry_page(request: Request, entry: int) -> RedirectResponse | None:
        visit = await enter(request, services, Action.TEACH)
        if isinstance(visit, RedirectResponse):
            return visit
        page = EntryPage(visit, EntryId(entry))
        with frame(visit, f"Mục {entry}", here="/console/entries"):
            ui.link("← Mục hỏi đáp", "/console/entries")
            try:
                await page.load()
            except NotFound as error:
                ui.label(error.message_vi)
            else:
                page.build()
        return None


class EntryPage:
    """One entry in one editor's browser."""

    record: EntryRecord
    retired: bool
    versions: list[EntryVersion]
    subjects: dict[SubjectId, Subject]
    mine: bool

    def __init__(self, visit: Visit, entry: EntryId) -> None:
        self.visit, self.entry = visit, entry
        self.editing = Editing(visit.services.database, visit.services.engine)

    async def load(self) -> None:
        """Read the entry and its history. Raises NotFound."""
        async with self.visit.services.database.transaction() as session:
            self.record = await get_entry(session, self.entry, unit_names=self.visit.services.engine.unit_names)
            self.retired = await is_retired(session, self.entry)
            self.versions = await load_versions(session, self.entry)
            self.subjects = await load_subjects(session)
        self.mine = await self.editing.may_edit_entry(self.visit.account, self.entry)

    def build(self) -> None:
        """Form, buttons, history."""
        with ui.element("section").classes("c-sheet"):
            with ui.element("div").classes("c-row"):
                ui.label(self.record.unit_name).classes("c-h2")
                ui.label(f"phiên bản {self.record.version}").classes("c-chip").mark("version")
                if self.retired:
                    ui.label("Đã thu hồi").classes("c-chip red")
            self.form = EntryForm(self.record.draft, self.subjects)
            if self.mine:
                self.why = text_field("Lý do sửa (người sau đọc)", mark="entry-why")
                with ui.element("div").classes("c-row"):
                    ui.button("Lưu và công bố", icon="publish", on_click=self._save).mark("save")
                    if self.retired:
                        ui.button("Dùng lại", icon="restore", on_click=self._restore).props("outline").mark("restore")
                    else:
                        ui.button("Thu hồi", icon="block", on_click=self._ask_retire).props("outline").mark("retire")
            else:
                ui.label("Mục của đơn vị khác: bạn chỉ xem được.").classes("c-dim")
        with ui.element("section").classes("c-sheet"):
            ui.label("Các phiên bản").classes("c-h2")
            for one in self.versions:
                _version(one)

    async def _save(self) -> None:
        async def work(by: Account) -> None:
            await self.editing.change(by, self.entry, self.form.draft(), self.why.value or "")

        await self._reload(await self.visit.attempt(work, "Đã lưu và công bố."))

    async def _restore(self) -> None:
        await self._reload(await self.visit.attempt(lambda by: self.editing.restore(by, self.entry), "Đã dùng lại."))

    async def _ask_retire(self) -> None:
        async def do() -> bool:
            ok = await self.visit.attempt(
                lambda by: self.editing.retire(by, self.entry, why.value or ""), "Đã thu hồi."
            )
            await self._reload(ok)
            return ok

        with asking("Thu hồi mục này?", "Thu hồi", do, mark="retire-ask"):
            ui.label("Bot sẽ không gửi câu trả lời này nữa. Lịch sử được giữ lại, có thể dùng lại bất cứ lúc nào.")
            why = text_field("Lý do", mark="retire-why")

    async def _reload(self, changed: bool) -> None:
        if changed:
            ui.navigate.reload()


def _version(one: EntryVersion) -> None:
    title = f"{one.version}. {CHANGES_VI[one.change]} · {say_moment(one.at)} · {one.why}"
    with ui.expansion(title).props("dense").classes("full-width"):
        _draft(one.draft)


def _draft(draft: EntryDraft) -> None:
    ui.label(draft.question).classes("c-h2")
    ui.label(draft.answer).classes("c-pre")
    for one in draft.phrasings:
        ui.label(f"• {one}").classes("c-dim")
    if draft.legal_basis:
        ui.label(f"Căn cứ: {draft.legal_basis}").classes("c-dim")
