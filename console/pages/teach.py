"""/console/unanswered/{code}: the question becomes a phrasing of an entry, or a new entry, and is tried at once."""

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.contracts.ids import EntryId, SubjectId
from console.editing import Editing
from console.parts.entry_form import EntryForm
from console.parts.verdict import verdict
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from console.wording import say_percent
from faq.decide import Candidate
from faq.entry import EntryDraft
from handoff.account import Account
from handoff.reading import load_unanswered
from handoff.rights import Action
from handoff.unit import Subject
from handoff.units import load_subjects
from handoff.views import UnansweredQuestion

NEAREST = 5


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/unanswered/{code}")
    async def teach_page(request: Request, code: str) -> RedirectResponse | None:
        visit = await enter(request, services, Action.TEACH)
        if isinstance(visit, RedirectResponse):
            return visit
        async with services.database.transaction() as session:
            found = await load_unanswered(session, visit.account, limit=1000)
            subjects = await load_subjects(session)
        question = next((one for one in found if one.code == code), None)
        with frame(visit, "Bổ sung câu trả lời", here="/console/unanswered"):
            ui.link("← Danh sách", "/console/unanswered")
            if question is None:
                with ui.element("div").classes("c-sheet c-empty"):
                    ui.label("Câu hỏi này đã được bổ sung, hoặc không còn trong danh sách.")
            else:
                await TeachPage(visit, question).build(subjects)
        return None


class TeachPage:
    """One question in one editor's browser."""

    def __init__(self, visit: Visit, question: UnansweredQuestion) -> None:
        self.visit, self.question = visit, question
        self.asked = question.questions[-1] if question.questions else ""
        self.editing = Editing(visit.services.database, visit.services.engine)

    async def build(self, subjects: dict[SubjectId, Subject]) -> None:
        """Question, nearest entries, form, trial."""
        with ui.element("section").classes("c-sheet"):
            ui.label("Người dân hỏi").classes("c-dim")
            if len(self.question.questions) > 1:
                ui.radio(list(self.question.questions), value=self.asked, on_change=self._pick).mark("asked")
            else:
                ui.label(self.asked).classes("c-title").style("white-space:normal").mark("asked")
            with ui.row():
                ui.button("Thử lại", icon="replay", on_click=self.try_again).props("outline").mark("try-again")
        self.trial = ui.element("div")
        self.work = ui.element("div").style("display:flex;flex-direction:column;gap:14px")
        with self.work:
            with ui.element("section").classes("c-sheet"):
                ui.label("Mục gần nhất").classes("c-h2")
                self.nearest = ui.element("div")
            with ui.element("section").classes("c-sheet"):
                ui.label("Hoặc viết mục mới").classes("c-h2")
                banks = await self.editing.load_banks_for(self.visit.account)
                if banks:
                    draft = EntryDraft(self.asked, self.question.answer or "", subject=self.question.subject)
                    names = self.visit.services.engine.unit_names
                    self.form = EntryForm(draft, subjects, banks=banks, unit_names=names)
                    ui.button("Lưu và công bố", icon="publish", on_click=self._write).classes("self-start").mark(
                        "write"
                    )
                else:
                    ui.label("Đơn vị của bạn chưa có bộ câu hỏi nào. Hãy nạp bộ câu hỏi trước.").classes("c-dim")
        await self._show_nearest()

    async def try_again(self) -> None:
        """Ask as the citizen did."""
        decision = await self.editing.ask(self.asked)
        self.trial.clear()
        with self.trial:
            verdict(decision)

    async def _show_nearest(self) -> None:
        decision = await self.editing.ask(self.asked)
        self.nearest.clear()
        with self.nearest:
            if not decision.evidence.candidates:
                ui.label("Chưa có mục nào gần với câu này.").classes("c-dim")
            for one in decision.evidence.candidates[:NEAREST]:
                await self._candidate(one)

    async def _candidate(self, one: Candidate) -> None:
        mine = await self.editing.may_edit_entry(self.visit.account, one.entry)
        with ui.element("div").classes("c-row").style("border-bottom:1px solid var(--line);padding:6px 0"):
            ui.label(say_percent(one.confidence)).classes("c-chip")
            ui.link(one.question, f"/console/entries/{one.entry}").classes("c-grow")
            button = (
                ui.button("Thêm vào mục này", on_click=lambda: self._widen(one.entry))
                .props("outline dense")
                .mark(f"widen-{one.entry}")
            )
            if not mine:
                button.disable()
                with button:
                    ui.tooltip("Mục của đơn vị khác")

    async def _widen(self, entry: EntryId) -> None:
        async def work(by: Account) -> None:
            await self.editing.teach_phrasing(by, self.question.ticket, entry, self.asked)

        await self._finish(await self.visit.attempt(work, "Đã thêm cách hỏi và công bố."))

    async def _write(self) -> None:
        async def work(by: Account) -> None:
            await self.editing.teach_entry(by, self.question.ticket, self.form.bank, self.form.draft(), self.asked)

        await self._finish(await self.visit.attempt(work, "Đã thêm mục mới và công bố."))

    async def _finish(self, taught: bool) -> None:
        if taught:
            self.work.set_visibility(False)
            await self.try_again()

    async def _pick(self, event: object) -> None:
        self.asked = str(getattr(event, "value", self.asked))
        await self._show_nearest()
