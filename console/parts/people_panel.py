"""“Cùng một người?”: other conversations of the same citizen, proposed by phone number, searched, linked."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from nicegui import ui

from bot.base.clock import now
from bot.contracts.ids import ConversationId
from bot.conversation.people import OtherConversation
from console.visit import Visit
from console.wording import say_channel, say_clock
from handoff.account import Account


class PeoplePanel:
    """One citizen's other conversations. `on_change` is called after each link."""

    def __init__(self, visit: Visit, conversation: ConversationId, *, on_change: Callable[[], Awaitable[None]]) -> None:
        self.visit, self.conversation, self.on_change = visit, conversation, on_change
        self.staff = visit.services.staff
        self.words = ""
        with ui.element("section").classes("c-sheet").props('aria-label="Cùng một người?"').mark("people"):
            ui.label("Cùng một người?").classes("c-h2")
            self.linked, self.proposed = ui.element("div").classes("c-stack"), ui.element("div").classes("c-stack")
            with ui.element("div").classes("c-row no-wrap"):
                ui.input(placeholder="Số điện thoại, tên hoặc mã phiếu", on_change=self._pick_words).props(
                    'dense outlined clearable debounce=300 aria-label="Tìm hội thoại khác của người này"'
                ).classes("c-grow").mark("people-words")
            self.found = ui.element("div").classes("c-stack").props("role=status")

    async def refresh(self) -> None:
        """Read and show."""
        account = self.visit.account
        moment = now()
        ours = await self.staff.linked(self.conversation)
        like = await self.staff.people_like(self.conversation, account)
        self.linked.clear()
        with self.linked:
            for one in ours:
                self._line(one, moment, "Gỡ", self._unlink, "link_off")
        self.proposed.clear()
        with self.proposed:
            if like:
                ui.label("Hội thoại có cùng số điện thoại:").classes("c-dim")
            for one in like:
                self._line(one, moment, "Ghép", self._link, "link")
        await self._search()

    async def _search(self) -> None:
        found: Sequence[OtherConversation] = ()
        if self.words:
            found = await self.staff.find_people(self.conversation, self.visit.account, self.words)
        self.found.clear()
        with self.found:
            for one in found:
                self._line(one, now(), "Ghép", self._link, "link")
            if self.words and not found:
                ui.label("Không tìm thấy hội thoại nào khác.").classes("c-dim")

    def _line(
        self,
        one: OtherConversation,
        moment: datetime,
        button: str,
        do: Callable[[ConversationId], Awaitable[None]],
        icon: str,
    ) -> None:
        name = one.citizen_name or "Người dân"
        with ui.element("div").classes("f-person").mark(f"person-{one.id}"):
            with ui.element("div").classes("c-grow"):
                with ui.element("div").classes("c-row"):
                    ui.label(name).classes("f-person-name")
                    ui.label(say_channel(one.channel)).classes("c-chip")
                details = [one.phone, say_clock(one.last_message_at, moment) if one.last_message_at else None]
                ui.label(" · ".join(filter(None, details))).classes("c-dim")
                with ui.element("div").classes("c-row"):
                    for code in one.tickets[:3]:
                        ui.link(code, f"/console/tickets/{code}")
            ui.button(button, icon=icon, on_click=lambda: do(one.id)).props(
                f'outline dense aria-label="{button} hội thoại {say_channel(one.channel)} của {_quoted(name)}"'
            ).mark(f"{'link' if icon == 'link' else 'unlink'}-{one.id}")

    async def _link(self, other: ConversationId) -> None:
        async def work(by: Account) -> None:
            await self.staff.link_person(self.conversation, other, by)

        if await self.visit.attempt(work, "Đã ghép, lịch sử hiện chung."):
            self.words = ""
            await self.on_change()

    async def _unlink(self, other: ConversationId) -> None:
        async def work(by: Account) -> None:
            await self.staff.unlink_person(other, by)

        if await self.visit.attempt(work, "Đã gỡ."):
            await self.on_change()

    async def _pick_words(self, event: Any) -> None:
        self.words = (event.value or "").strip()
        await self._search()


def _quoted(name: str) -> str:
    """For an attribute that NiceGUI parses: a citizen chooses the name."""
    return "".join(one for one in name if one not in "\"'\\\n")
