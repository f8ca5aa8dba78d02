"""/console: who waits, most urgent first; changes by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import now
from bot.contracts.ids import SubjectId
from bot.conversation.overview import load_channels
from console.live import News, follow
from console.parts.waiting_list import WaitingList
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from console.wording import has_words, shorten
from handoff.reading import load_waiting_for
from handoff.rights import Action
from handoff.role import Role
from handoff.ticket import AT_UNIT, State, parse_code
from handoff.unit import Subject
from handoff.units import load_subjects
from handoff.views import TicketView


@dataclass(frozen=True, slots=True)
class Tab:
    """One way to look at the tickets."""

    name: str
    title: str
    states: frozenset[State]
    empty: str
    mine: bool = False


NOBODY: Final = "Không có ai đang chờ. Phiếu mới sẽ tự hiện ở đây, kèm âm báo."
DONE: Final = frozenset({State.ANSWERED, State.CLOSED})
SHOWN: Final = 200
SEARCHED: Final = 2000
"""So many tickets are looked through for words."""
DESK_TABS: Final = (
    Tab("waiting", "Chờ tiếp nhận", frozenset({State.WAITING, State.SENT_BACK}), NOBODY),
    Tab("mine", "Tôi đang xử lý", frozenset({State.IN_PROGRESS}), "Bạn chưa tiếp quản hội thoại nào.", mine=True),
    Tab("taken", "Đang xử lý", frozenset({State.IN_PROGRESS}), "Chưa có hội thoại nào được tiếp quản."),
    Tab("units", "Ở đơn vị", AT_UNIT, "Không có phiếu nào đang ở đơn vị."),
    Tab("done", "Đã trả lời", DONE, "Chưa có phiếu nào được trả lời."),
)
OFFICER_TABS: Final = (
    Tab("waiting", "Chờ đơn vị trả lời", AT_UNIT, "Đơn vị không có phiếu nào đang chờ trả lời."),
    Tab("done", "Đã trả lời", DONE, "Chưa có phiếu nào được trả lời."),
)


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console")
    async def waiting_page(request: Request) -> RedirectResponse | None:
        visit = await enter(request, services, Action.READ)
        if isinstance(visit, RedirectResponse):
            return visit
        async with services.database.transaction() as session:
            subjects = await load_subjects(session)
        with frame(visit, "Hàng chờ", here="/console"):
            await WaitingPage(visit).build(list(subjects.values()))
        return None


class WaitingPage:
    """What one browser looks at: a tab, a subject field, words."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.tabs = OFFICER_TABS if visit.account.role is Role.UNIT_OFFICER else DESK_TABS
        self.tab = self.tabs[0]
        self.subject: SubjectId | None = None
        self.words = ""
        self.buttons: dict[str, ui.element] = {}

    async def build(self, subjects: Sequence[Subject]) -> None:
        """Lay it out and keep it up to date."""
        with ui.element("div").classes("w-bar"):
            with ui.element("div").classes("w-tabs").props('role=group aria-label="Chọn danh sách"'):
                for tab in self.tabs:
                    self.buttons[tab.name] = self._tab_button(tab)
            options: dict[int, str] = {0: "Mọi lĩnh vực"} | {
                one.id: f"{one.id}. {shorten(one.name, 60)}" for one in subjects
            }
            ui.select(options, value=0, on_change=self._pick_subject).props(
                'dense outlined options-dense aria-label="Lọc theo lĩnh vực"'
            ).style("width: 210px").mark("filter-subject")
            ui.input(placeholder="Tìm nội dung, đơn vị; gõ mã phiếu rồi Enter để mở", on_change=self._pick_words).props(
                'dense outlined clearable debounce=250 aria-label="Tìm phiếu"'
            ).classes("c-grow").mark("filter-words").on("keydown.enter", self._open_code)
        self.list = WaitingList()
        ui.html("<kbd>j</kbd> <kbd>k</kbd> hoặc mũi tên để chọn, <kbd>Enter</kbd> để mở", sanitize=False).classes(
            "w-keys"
        )
        follow(self.visit.services.listener, ["tickets"], self.refresh)
        await self.refresh()

    async def refresh(self, _: list[News] | None = None) -> None:
        """Read the tickets and show them."""
        async with self.visit.services.database.transaction() as session:
            found = await load_waiting_for(
                session,
                self.visit.account,
                now=now(),
                states=self.tab.states,
                subject=self.subject,
                mine=self.tab.mine,
                limit=SEARCHED if self.words else SHOWN,
            )
            shown = [one for one in found if matches(one, self.words)][:SHOWN]
            channels = await load_channels(session, {one.conversation for one in shown})
        self.list.show(shown, channels, now=now(), empty=self.tab.empty)
        for name, button in self.buttons.items():
            button.props(f"aria-pressed={'true' if name == self.tab.name else 'false'}")

    def _tab_button(self, tab: Tab) -> ui.element:
        async def pick() -> None:
            self.tab = tab
            await self.refresh()

        with ui.element("button").classes("w-tab").props("type=button").mark(f"tab-{tab.name}") as button:
            ui.label(tab.title)
        button.on("click", pick)
        return button

    async def _pick_subject(self, event: Any) -> None:
        self.subject = SubjectId(event.value) if event.value else None
        await self.refresh()

    async def _pick_words(self, event: Any) -> None:
        self.words = (event.value or "").strip()
        await self.refresh()

    def _open_code(self) -> None:
        """A whole code was typed, as a citizen reads it out on the phone: open that ticket, wherever it is."""
        if code := parse_code(self.words):
            ui.navigate.to(f"/console/tickets/{code}")


def matches(ticket: TicketView, words: str) -> bool:
    """Are the words in what the list shows of this ticket? Pure."""
    return has_words(
        words, ticket.code, ticket.question, ticket.unit_name, ticket.forwarded_to_name, ticket.taken_by_name
    )
