"""/console/entries: every entry, found by words; ask the bot from here."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import in_vietnam, now
from bot.contracts.ids import BankId
from console.editing import Editing
from console.parts.asking import asking
from console.parts.entry_form import EntryForm
from console.parts.verdict import verdict
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from console.wording import has_words, shorten
from faq.entry import EntryDraft, EntryRecord
from faq.retired import load_retired
from faq.store import list_banks, load_live_entries
from handoff.account import Account
from handoff.rights import Action
from handoff.units import load_subjects

SHOWN = 60


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/entries")
    async def entries_page(request: Request) -> RedirectResponse | None:
        visit = await enter(request, services, Action.TEACH)
        if isinstance(visit, RedirectResponse):
            return visit
        with frame(visit, "Mục hỏi đáp", here="/console/entries"):
            await EntriesPage(visit).build()
        return None


class EntriesPage:
    """What one editor looks at: a bank, words, live or retired."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.names = visit, visit.services.engine.unit_names
        self.editing = Editing(visit.services.database, visit.services.engine)
        self.bank: BankId | None = None
        self.words, self.retired = "", False

    async def build(self) -> None:
        """Filters, trial, list."""
        async with self.visit.services.database.transaction() as session:
            banks = await list_banks(session)
        options = {0: "Mọi bộ câu hỏi"} | {
            one.id: f"{self.names.get(one.unit, one.unit)} · {one.name} ({one.live_entries})" for one in banks
        }
        with ui.element("div").classes("c-row"):
            ui.input(placeholder="Tìm trong câu hỏi, câu trả lời, căn cứ", on_change=self._pick_words).props(
                'dense outlined clearable debounce=250 aria-label="Tìm mục hỏi đáp"'
            ).classes("c-grow")
            ui.select(options, value=0, on_change=self._pick_bank).props(
                'dense outlined options-dense aria-label="Bộ câu hỏi"'
            ).style("min-width:240px")
            ui.switch("Đã thu hồi", on_change=self._pick_retired)
            ui.button("Viết mục mới", icon="add", on_click=self._write).mark("new-entry")
        with ui.element("div").classes("c-row"):
            self.trial_words = (
                ui.input(placeholder="Hỏi thử bot một câu")
                .props('dense outlined aria-label="Hỏi thử"')
                .classes("c-grow")
                .on("keydown.enter", self._try)
            )
            ui.button("Hỏi thử", icon="play_arrow", on_click=self._try).props("outline").mark("try")
        self.trial = ui.element("div")
        self.list = ui.element("div").classes("c-sheet")
        await self.refresh()

    async def refresh(self) -> None:
        """Read and show."""
        async with self.visit.services.database.transaction() as session:
            if self.retired:
                gone = await load_retired(session)
                rows = [(one.id, one.question, self.names.get(one.unit, one.unit), "") for one in gone]
                rows = [one for one in rows if has_words(self.words, one[1])]
            else:
                live = await load_live_entries(session, self.bank, unit_names=self.names)
                rows = [
                    (one.id, one.draft.question, one.unit_name, _validity(one))
                    for one in live
                    if has_words(
                        self.words, one.draft.question, one.draft.answer, one.draft.legal_basis, *one.draft.phrasings
                    )
                ]
        self._show(rows)

    def _show(self, rows: Sequence[tuple[int, str, str, str]]) -> None:
        self.list.clear()
        with self.list:
            ui.label(f"{len(rows)} mục" + (f", hiện {SHOWN} mục đầu" if len(rows) > SHOWN else "")).classes("c-dim")
            for entry, question, unit, note in rows[:SHOWN]:
                with ui.element("div").classes("c-row").style("border-top:1px solid var(--line);padding:6px 0"):
                    ui.link(shorten(question, 160), f"/console/entries/{entry}").classes("c-grow")
                    if note:
                        ui.label(note).classes("c-chip red")
                    ui.label(unit).classes("c-dim")

    async def _try(self) -> None:
        if words := (self.trial_words.value or "").strip():
            decision = await self.editing.ask(words)
            self.trial.clear()
            with self.trial:
                verdict(decision)

    async def _write(self) -> None:
        banks = await self.editing.load_banks_for(self.visit.account)
        if not banks:
            ui.notify("Đơn vị của bạn chưa có bộ câu hỏi nào. Hãy nạp bộ câu hỏi trước.", type="warning")
            return
        async with self.visit.services.database.transaction() as session:
            subjects = await load_subjects(session)

        async def work(by: Account) -> None:
            await self.editing.add(by, form.bank, form.draft())

        async def do() -> bool:
            ok = await self.visit.attempt(work, "Đã thêm mục mới và công bố.")
            await self.refresh()
            return ok

        with asking("Viết mục mới", "Lưu và công bố", do, mark="write"):
            form = EntryForm(EntryDraft("", ""), subjects, banks=banks, unit_names=self.names)

    async def _pick_words(self, event: Any) -> None:
        self.words = (event.value or "").strip()
        await self.refresh()

    async def _pick_bank(self, event: Any) -> None:
        self.bank = BankId(event.value) if event.value else None
        await self.refresh()

    async def _pick_retired(self, event: Any) -> None:
        self.retired = bool(event.value)
        await self.refresh()


def _validity(entry: EntryRecord) -> str:
    """Why an entry is not sent today; empty if it is."""
    today, draft = in_vietnam(now()).date(), entry.draft
    if draft.valid_until and draft.valid_until < today:
        return f"hết hiệu lực {draft.valid_until:%d/%m/%Y}"
    return f"hiệu lực từ {draft.valid_from:%d/%m/%Y}" if draft.valid_from and draft.valid_from > today else ""
