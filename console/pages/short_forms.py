"""/console/short-forms: what citizens' short forms stand for; staff add to the shipped table, or take from it."""

from datetime import datetime
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import now
from console.editing import Editing
from console.live import News, follow
from console.parts.asking import asking, text_field
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from console.wording import has_words, say_clock
from faq.abbreviations import Effect, ShortForm, ShortFormChange, Source, load_short_form_history, load_short_forms
from faq.store import TOPIC
from handoff.account import Account
from handoff.accounts import load_names
from handoff.rights import Action

SHOWN: Final = 100
HISTORY: Final = 30
EFFECT_VI: Final = {Effect.ADDED: "thêm", Effect.DROPPED: "bỏ"}


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/short-forms")
    async def short_forms_page(request: Request) -> RedirectResponse | None:
        visit = await enter(request, services, Action.TEACH)
        if isinstance(visit, RedirectResponse):
            return visit
        with frame(visit, "Viết tắt", here="/console/short-forms"):
            page = ShortFormsPage(visit)
            follow(services.listener, [TOPIC], page.refresh)
            await page.refresh()
        return None


class ShortFormsPage:
    """The table in one browser."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.engine = visit, visit.services.engine
        self.editing = Editing(visit.services.database, self.engine)
        self.words = ""
        with ui.element("section").classes("c-sheet"):
            ui.label("Thêm cách viết tắt").classes("c-h2")
            ui.label("Bot hiểu ngay sau khi lưu, ở mọi kênh. Nghĩa đầy đủ viết có dấu.").classes("c-dim")
            with ui.element("div").classes("c-row"):
                self.short = text_field("Viết tắt (ví dụ: gplx)", mark="short").classes("c-grow")
                self.meaning = text_field("Nghĩa đầy đủ (ví dụ: giấy phép lái xe)", mark="meaning").classes("c-grow")
                self.meaning.on("keydown.enter", self._add)
                ui.button("Thêm", icon="add", on_click=self._add).mark("short-add")
        ui.input(placeholder="Tìm trong bảng viết tắt", on_change=self._pick_words).props(
            'dense outlined clearable debounce=250 aria-label="Tìm viết tắt"'
        ).mark("short-words")
        self.table = ui.element("section").classes("c-sheet c-scroll")
        self.history = ui.expansion("Ai đã sửa gì", icon="history").classes("c-sheet").props("dense")

    async def refresh(self, _: list[News] | None = None) -> None:
        """Read and show."""
        async with self.visit.services.database.transaction() as session:
            found = await load_short_forms(session, self.engine.file_abbreviations)
            changes = await load_short_form_history(session, HISTORY)
            names = await load_names(session, {one for each in changes for one in (each.by, each.ended_by) if one})
        rows = [one for one in found if has_words(self.words, one.short, one.meaning)]
        moment = now()
        self.table.clear()
        with self.table:
            more = f", hiện {SHOWN} dòng đầu" if len(rows) > SHOWN else ""
            ui.label(f"{len(rows)} dòng{more}").classes("c-dim")
            if rows:
                with ui.element("table").classes("c-table fit"):
                    with ui.element("thead"), ui.element("tr"):
                        for title in ("Viết tắt", "Nghĩa", "Nguồn", ""):
                            with ui.element("th"):
                                ui.label(title)
                    with ui.element("tbody"):
                        for one in sorted(rows, key=lambda one: one.source is not Source.STAFF)[:SHOWN]:
                            self._row(one)
        self.history.clear()
        with self.history:
            if not changes:
                ui.label("Chưa ai sửa bảng này.").classes("c-dim")
            for change in changes:
                ui.label(say_change(change, names, moment))

    def _row(self, one: ShortForm) -> None:
        with ui.element("tr"):
            for text in (one.short, one.meaning):
                with ui.element("td"):
                    ui.label(text).classes("" if one.in_use else "f-gone")
            with ui.element("td"):
                source = "cán bộ thêm" if one.source is Source.STAFF else "có sẵn" if one.in_use else "có sẵn, đã bỏ"
                ui.label(source).classes("c-dim")
            with ui.element("td"):
                word = "Bỏ" if one.in_use else "Dùng lại"
                ui.button(word, on_click=lambda: self._remove(one) if one.in_use else self._restore(one)).props(
                    f'flat dense aria-label="{word} {one.short}: {one.meaning}"'
                )

    async def _add(self) -> None:
        short, meaning = self.short.value or "", self.meaning.value or ""
        if await self.visit.attempt(
            lambda by: self.editing.add_short_form(by, short, meaning), "Đã thêm, bot đã hiểu."
        ):
            self.short.set_value("")
            self.meaning.set_value("")
            self.short.run_method("focus")
            await self.refresh()

    async def _restore(self, one: ShortForm) -> None:
        await self.visit.attempt(lambda by: self.editing.add_short_form(by, one.short, one.meaning), "Đã dùng lại.")
        await self.refresh()

    async def _remove(self, one: ShortForm) -> None:
        async def work(by: Account) -> None:
            await self.editing.remove_short_form(by, one.short, one.meaning, why.value or "")

        async def do() -> bool:
            done = await self.visit.attempt(work, "Đã bỏ.")
            await self.refresh()
            return done

        with asking(f"Bỏ “{one.short}” = “{one.meaning}”?", "Bỏ", do, mark="short-remove"):
            ui.label("Từ lúc này bot không hiểu cách viết này theo nghĩa đó nữa.")
            why = text_field("Lý do", mark="short-why")

    async def _pick_words(self, event: Any) -> None:
        self.words = (event.value or "").strip()
        await self.refresh()


def say_change(change: ShortFormChange, names: dict[Any, str], moment: datetime) -> str:
    """One step of the table's history. Pure."""
    by = names.get(change.by, "hệ thống")
    said = f"{say_clock(change.at, moment)} · {by} {EFFECT_VI[change.effect]} “{change.short}” = “{change.meaning}”"
    said += f" ({change.why})" if change.why else ""
    if change.ended_at:
        said += f"; {names.get(change.ended_by, 'hệ thống')} bỏ thay đổi này {say_clock(change.ended_at, moment)}"
    return said
