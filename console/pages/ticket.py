"""/console/tickets/{code}: one conversation. Read it, take it over, answer, pass it on."""

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import now
from bot.contracts.connector import WindowState
from bot.contracts.errors import DomainError, NotFound
from bot.contracts.ids import ConversationId, EntryId, MessageId, TicketCode
from bot.contracts.messages import Author
from bot.conversation.open_channels import find_open_elsewhere
from bot.conversation.overview import MessageView
from bot.conversation.staff import ConversationView
from connectors.allowance import allowance
from console.live import News, follow
from console.parts import ticket_facts
from console.parts.evidence import show_why
from console.parts.history import History
from console.parts.people_panel import PeoplePanel
from console.parts.phone import call_dialog
from console.parts.reply_box import ReplyBox
from console.parts.ticket_actions import TicketActions
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from console.wording import say_channel, say_elsewhere
from faq.store import get_entry, is_retired
from handoff import desk
from handoff.account import Account
from handoff.reading import load_ticket_for, load_tickets_of
from handoff.rights import Action
from handoff.role import Role
from handoff.shift import load_canned_replies
from handoff.ticket import State, parse_code
from handoff.views import TicketDetail, TicketView

LIMIT_EVERY_S = 30.0
SHUT_HERE = "Đã quá khung được nhắn tin trên kênh này."
TOGGLE_SIDE = "() => document.querySelector('.t-side').classList.toggle('open')"


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/tickets/{code}")
    async def ticket_page(request: Request, code: str) -> RedirectResponse | None:
        visit = await enter(request, services, Action.READ)
        if isinstance(visit, RedirectResponse):
            return visit
        page = TicketPage(visit, parse_code(code) or TicketCode(code))
        try:
            await page.load()
        except DomainError as error:
            with frame(visit, "Không mở được phiếu", here="/console"), ui.element("div").classes("c-sheet c-empty"):
                ui.label(error.message_vi).mark("not-found")
                ui.link("Về hàng chờ", "/console")
            return None
        with frame(visit, page.code, here="/console", wide=True):
            await page.build()
        return None


class TicketPage:
    """One ticket in one browser."""

    detail: TicketDetail
    head: ConversationView
    others: list[TicketView]

    def __init__(self, visit: Visit, code: TicketCode) -> None:
        self.visit, self.code = visit, code
        self.staff, self.database = visit.services.staff, visit.services.database

    async def load(self) -> None:
        """Read the ticket and the head of its conversation. Raises TicketNotFound, NotAllowed."""
        async with self.database.transaction() as session:
            self.detail = await load_ticket_for(session, self.code, self.visit.account, now=now())
        self.head = await self.staff.conversation(self.detail.ticket.conversation)
        async with self.database.transaction() as session:
            self.others = [
                one
                for conversation in (self.head.id, *self.head.same_person)
                for one in await load_tickets_of(session, conversation, self.visit.account, now=now())
            ]

    async def build(self) -> None:
        """Lay it out and keep it up to date."""
        messages = await self._history()
        async with self.database.transaction() as session:
            canned = await load_canned_replies(session)
        with ui.element("div").classes("t-page"):
            with ui.element("section").classes("t-talk"):
                with ui.element("div").classes("t-top"):
                    ui.link("← Hàng chờ", "/console")
                    ui.label(self.head.citizen_name or "Người dân").classes("t-name")
                    ui.label(say_channel(self.head.channel)).classes("c-chip")
                    ui.space()
                    side_button = ui.button("Chi tiết", icon="info").props("flat dense").classes("t-more")
                    side_button.on("click", js_handler=TOGGLE_SIDE)
                self.history = History(
                    messages,
                    on_why=self._why,
                    on_again=self._again,
                    on_call=self._call,
                    here=self.head.id,
                    may_act=self.visit.may(Action.CALL),
                )
                self.box = ReplyBox(
                    on_send=self._send,
                    on_suggestion=self._suggest,
                    on_take_over=self._take_over,
                    candidates=self.detail.candidates,
                    canned=canned,
                )
            with ui.element("aside").classes("t-side"):
                self._build_side()
        if self.people:
            await self.people.refresh()
        follow(self.visit.services.listener, ["conversation", "decision"], self._on_talk)
        follow(self.visit.services.listener, ["tickets"], self._on_tickets)
        ui.timer(LIMIT_EVERY_S, self._look_again, immediate=False)
        self._show()
        await self._show_limit()

    def _build_side(self) -> None:
        # On a phone the side lies over the conversation.
        back = ui.button("Về hội thoại", icon="arrow_back").props("flat dense").classes("t-more self-start")
        back.on("click", js_handler=TOGGLE_SIDE)
        self.actions = TicketActions(self.visit, on_done=self.refresh)
        self.facts = ui.element("div")
        with ui.element("section").classes("c-sheet"):
            ui.label("Ghi chú nội bộ").classes("c-h2")
            self.notes = ui.element("div").classes("c-stack")
            self.note_field = ticket_facts.note_field(self._note)
        self.people: PeoplePanel | None = None
        if self.visit.may(Action.LINK):
            self.people = PeoplePanel(self.visit, self.head.id, on_change=self._relinked)
        self.rest = ui.element("div").classes("c-stack")

    def _show(self) -> None:
        """The side and the state of the reply box; the history is left alone."""
        detail, account = self.detail, self.visit.account
        moment = now()
        for one in (self.facts, self.notes, self.rest):
            one.clear()
        self.actions.show(detail)
        with self.facts:
            ticket_facts.facts(
                detail,
                channel=say_channel(self.head.channel),
                citizen=self.head.citizen_name,
                phones=self.phones,
                now=moment,
            )
        with self.notes:
            ticket_facts.notes(detail.notes, now=moment)
        self.note_field.set_visibility(Action.NOTE in detail.may)
        with self.rest:
            ticket_facts.other_tickets(self.others, detail.view)
            ticket_facts.events(detail.events, now=moment)
        answers_ticket = account.role is Role.UNIT_OFFICER and Action.ANSWER in detail.may
        open_ = Action.REPLY in detail.may or answers_ticket
        self.box.show(
            open_=open_,
            why=reply_state(detail, account),
            tone="mine" if open_ else ("bot" if detail.holder is None else ""),
            may_take_over=Action.TAKE_OVER in detail.may,
            send="Trả lời phiếu" if answers_ticket else "Gửi",
        )

    async def refresh(self) -> None:
        """Read the ticket again. One that was sent elsewhere meanwhile is no longer ours to read."""
        try:
            await self.load()
        except DomainError as error:
            ui.notify(error.message_vi, type="warning", position="top")
            ui.navigate.to("/console")
            return
        self._show()

    @property
    def phones(self) -> tuple[str, ...]:
        """Numbers of this citizen, the ticket's first."""
        if not self.visit.may(Action.LINK):  # an officer: what is in the ticket
            return (self.detail.phone,) if self.detail.phone else ()
        return tuple(dict.fromkeys(filter(None, (self.detail.phone, *self.head.phones))))

    @property
    def together(self) -> tuple[ConversationId, ...]:
        """The person's other conversations, for those at the desk: an officer sees what was forwarded, no more."""
        return self.head.same_person if self.visit.may(Action.LINK) else ()

    async def _history(self, after: int = 0) -> list[MessageView]:
        return await self.staff.history(self.head.id, after=after, together=self.together)

    async def _show_limit(self) -> None:
        connector = self.visit.services.connectors.get(self.head.channel)
        if connector is None:
            self.box.show_limit(f"Kênh {say_channel(self.head.channel)} đang tắt.", urgent=True, phones=self.phones)
            return
        found = await allowance(connector, self.head.citizen_ref, self.head.last_inbound_at, Author.OPERATOR, now())
        said = found.vi
        if found.window.state is WindowState.CLOSED and self.visit.may(Action.LINK):
            async with self.database.transaction() as session:
                open_ = await find_open_elsewhere(
                    session, self.visit.services.connectors, self.head.id, Author.OPERATOR, now()
                )
            said = f"{SHUT_HERE if open_.linked else said} {say_elsewhere(open_)}".strip()
        self.box.show_limit(said, urgent=found.is_urgent, phones=self.phones)

    async def _look_again(self) -> None:
        """Time passes: a window closes, a message waits for too long."""
        await self._redraw()
        await self._show_limit()

    async def _on_talk(self, news: list[News]) -> None:
        ours = [one for one in news if one.get("conversation") in {None, self.head.id, *self.together}]
        if any(one.get("linked") for one in ours):
            await self._relinked()
        elif ours:
            if self.history.put(await self._history(self.history.read_after)):
                self.head = await self.staff.conversation(self.head.id)
            await self._show_limit()

    async def _relinked(self) -> None:
        """Another conversation became this person's, or no longer is."""
        before = self.together
        await self.refresh()
        if before != self.together:
            self.history.replace(await self._history())
        if self.people:
            await self.people.refresh()
        await self._show_limit()

    async def _on_tickets(self, news: list[News]) -> None:
        ours = {self.detail.ticket.id, *(one.id for one in self.others)}
        if any(one.get("ticket") in {None, *ours} for one in news):
            await self.refresh()

    async def _send(self, text: str) -> bool:
        async def work(by: Account) -> None:
            if by.role is Role.UNIT_OFFICER:
                await self.staff.answer_ticket(self.detail.ticket.id, by, text)
            else:
                await self.staff.reply(self.head.id, by, text)

        return await self.visit.attempt(work)

    async def _take_over(self) -> None:
        done = await self.visit.attempt(
            lambda by: self.staff.take_over(self.head.id, by), "Bạn đã tiếp quản, bot im lặng."
        )
        await self.refresh()
        if done:
            self.box.focus()

    async def _note(self, text: str) -> bool:
        async def work(by: Account) -> None:
            async with self.database.transaction() as session:
                await desk.add_note(session, self.detail.ticket.id, by, text=text, now=now())

        return await self.visit.attempt(work)

    async def _suggest(self, entry: int) -> str | None:
        """The approved answer of an entry, unless it is out of use."""
        async with self.database.transaction() as session:
            try:
                found = await get_entry(session, EntryId(entry))
                if not await is_retired(session, found.id):
                    return found.draft.answer
            except NotFound:
                pass
        ui.notify("Mục hỏi đáp này đã được thu hồi.", type="warning", position="top")
        return None

    async def _why(self, message: MessageId) -> None:
        show_why(await self.staff.why(message))

    async def _again(self, message: MessageId) -> None:
        await self.visit.attempt(lambda by: self.staff.send_again(message, by), "Đang gửi lại.")

    async def _call(self, message: MessageId) -> None:
        await call_dialog(self.visit, message, self.history.text_of(message), self.phones, on_done=self._redraw)

    async def _redraw(self) -> None:
        self.history.put(await self._history(self.history.read_after))


def reply_state(detail: TicketDetail, account: Account) -> str:
    """Why the reply box is open or shut, in a sentence. Pure."""
    holder = detail.holder
    if account.role is Role.UNIT_OFFICER:
        if detail.view.state is State.ANSWERED and Action.ANSWER in detail.may:
            return "Đã trả lời. Nếu cần đính chính, viết tiếp ở đây."
        if Action.ANSWER in detail.may:
            return "Câu trả lời sẽ được gửi cho người dân trên kênh họ đã hỏi."
        return "Phiếu này không còn chờ đơn vị trả lời."
    if holder is None:
        return "Bot đang phụ trách hội thoại. Tiếp quản để trả lời."
    if holder.account == account.id:
        return "Bạn đang giữ hội thoại. Bot im lặng."
    return f"Đang do {holder.display_name} tiếp quản. Bạn chưa thể trả lời."
