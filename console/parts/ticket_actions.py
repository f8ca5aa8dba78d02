"""What may be done with a ticket now: one button for each right, and what each of them asks first."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from nicegui import ui

from bot.base.clock import in_vietnam, now
from bot.contracts.errors import Refused
from bot.contracts.ids import AccountId, SubjectId, UnitCode
from console.parts.asking import asking, choice_field, moment_fields, next_working_morning, text_field
from console.visit import Visit
from handoff import desk
from handoff.account import Account
from handoff.accounts import load_accounts_for
from handoff.rights import RIGHTS, Action
from handoff.ticket import OUTCOME_VI, PRIORITY_VI, Outcome
from handoff.units import load_subjects, load_units
from handoff.views import TicketDetail

NOT_A_MOMENT: Final = "Ngày giờ chưa đúng."


class TicketActions:
    """The buttons of one ticket for one reader. `on_done` is called after each action."""

    detail: TicketDetail

    def __init__(self, visit: Visit, *, on_done: Callable[[], Awaitable[None]]) -> None:
        self.visit, self.on_done = visit, on_done
        self.database, self.staff = visit.services.database, visit.services.staff
        self._box = ui.element("div")
        self._shown: list[Action] = []

    def show(self, detail: TicketDetail) -> None:
        """What may be done now. Draws only if other buttons are due: one that is being pressed must stay in place."""
        self.detail = detail
        buttons: tuple[tuple[Action, str, str, Callable[[], Awaitable[None]]], ...] = (
            (Action.HAND_BACK, "Trả lại cho bot", "smart_toy", self.hand_back),
            (Action.FORWARD, "Chuyển đơn vị", "forward_to_inbox", self.forward),
            (Action.SEND_BACK, "Trả lại bộ phận trực", "undo", self.send_back),
            (Action.PROMISE, "Hẹn trả lời", "schedule", self.promise),
            (Action.TRIAGE, "Phân loại", "category", self.triage),
            (Action.REASSIGN, "Giao người khác", "switch_account", self.reassign),
            (Action.CLOSE, "Đóng phiếu", "task_alt", self.close),
            (Action.REOPEN, "Mở lại", "restart_alt", self.reopen),
        )
        shown = [one for one in buttons if one[0] in detail.may and self._makes_sense(one[0])]
        due = [action for action, *_ in shown]
        if due == self._shown:
            return
        self._shown = due
        self._box.clear()
        if shown:
            with self._box, ui.element("section").classes("c-sheet"), ui.element("div").classes("c-row"):
                for action, title, icon, do in shown:
                    ui.button(title, icon=icon, on_click=do).props("outline dense").mark(f"do-{action.value}")

    def _makes_sense(self, action: Action) -> bool:
        """Only a unit has something to send back."""
        return action is not Action.SEND_BACK or self.detail.ticket.forwarded_to is not None

    async def _do(self, work: Callable[[Account], Awaitable[Any]], done: str) -> bool:
        ok = await self.visit.attempt(work, done)
        await self.on_done()
        return ok

    async def _at_desk(self, action: Callable[..., Awaitable[Any]], done: str, **fields: Any) -> bool:
        """One action of handoff/desk.py with this ticket, in a transaction of its own."""

        async def work(by: Account) -> None:
            async with self.database.transaction() as session:
                await action(session, self.detail.ticket.id, by=by, now=now(), **fields)

        return await self._do(work, done)

    async def hand_back(self) -> None:
        """The bot speaks again."""
        conversation = self.detail.ticket.conversation
        await self._do(lambda by: self.staff.hand_back(conversation, by), "Đã trả lại cho bot.")

    async def forward(self) -> None:
        """Which unit, and why."""
        today = in_vietnam(now()).date()
        async with self.database.transaction() as session:
            units = await load_units(session)
        options = {one.code: f"{one.short_name} ({one.code})" for one in units.values() if one.is_in_force(today)}
        suggested = self.detail.view.unit if self.detail.view.unit in options else None

        async def do() -> bool:
            if not unit.value:
                return _say("Chọn đơn vị.")
            return await self._at_desk(
                desk.forward, "Đã chuyển đơn vị.", unit=UnitCode(unit.value), why=why.value or ""
            )

        with asking("Chuyển phiếu cho đơn vị", "Chuyển", do, mark="forward"):
            unit = choice_field("Đơn vị", options, value=suggested, mark="forward-unit")
            why = text_field("Lý do, điều cần đơn vị trả lời", mark="forward-why", lines=True)

    async def send_back(self) -> None:
        """Why it is not this unit's."""

        async def do() -> bool:
            return await self._at_desk(desk.send_back, "Đã trả lại bộ phận thường trực.", why=why.value or "")

        with asking("Trả lại bộ phận thường trực", "Trả lại", do, mark="send-back"):
            why = text_field("Lý do trả lại", mark="send-back-why", lines=True)

    async def promise(self) -> None:
        """A time that the citizen is told."""

        async def work(by: Account) -> None:
            at = read()
            if at is None:
                raise Refused(problem=NOT_A_MOMENT)
            await self.staff.promise(self.detail.ticket.id, by, at)

        async def do() -> bool:
            return await self._do(work, "Đã hẹn, người dân được báo.")

        with asking("Hẹn thời điểm trả lời", "Hẹn và báo người dân", do, mark="promise"):
            read = moment_fields("Chậm nhất (giờ Việt Nam)", next_working_morning(now() + timedelta(minutes=1)))

    async def triage(self) -> None:
        """Subject field, unit, urgency."""
        today = in_vietnam(now()).date()
        async with self.database.transaction() as session:
            subjects, units = await load_subjects(session), await load_units(session)
        view = self.detail.view
        unit_options = {one.code: f"{one.short_name} ({one.code})" for one in units.values() if one.is_in_force(today)}

        async def do() -> bool:
            return await self._at_desk(
                desk.triage,
                "Đã phân loại.",
                subject=SubjectId(subject.value) if subject.value else None,
                unit=UnitCode(unit.value) if unit.value else None,
                priority=priority.value,
            )

        with asking("Phân loại phiếu", "Lưu", do, mark="triage"):
            subject_options = {one.id: f"{one.id}. {one.name}" for one in subjects.values()}
            subject = choice_field("Lĩnh vực", subject_options, value=view.subject, mark="triage-subject")
            unit = choice_field(
                "Đơn vị chủ trì",
                unit_options,
                value=view.unit if view.unit in unit_options else None,
                mark="triage-unit",
            )
            priority = choice_field("Mức độ", dict(PRIORITY_VI), value=view.priority, mark="triage-priority")

    async def reassign(self) -> None:
        """A supervisor gives the conversation to somebody else."""
        async with self.database.transaction() as session:
            accounts = await load_accounts_for(session, self.visit.account)
        holder = self.detail.holder
        options = {
            one.id: one.display_name
            for one in accounts
            if one.active and Action.REPLY in RIGHTS[one.role] and (holder is None or one.id != holder.account)
        }

        async def work(by: Account) -> None:
            if not to.value:
                raise Refused(problem="Chọn người nhận.")
            async with self.database.transaction() as session:
                await desk.take_from(session, self.detail.ticket.conversation, by, AccountId(to.value), now=now())

        async def do() -> bool:
            return await self._do(work, "Đã giao.")

        with asking("Giao hội thoại cho người khác", "Giao", do, mark="reassign"):
            to = choice_field("Người nhận", options, mark="reassign-to")

    async def close(self) -> None:
        """How it ended."""

        async def work(by: Account) -> None:
            await self.staff.close(self.detail.ticket.id, by, outcome.value)

        async def do() -> bool:
            return await self._do(work, "Đã đóng phiếu.")

        with asking("Đóng phiếu", "Đóng phiếu", do, mark="close"):
            outcome = choice_field("Kết quả", dict(OUTCOME_VI), value=Outcome.ANSWERED, mark="close-outcome")

    async def reopen(self) -> None:
        """Why the answer was not enough."""

        async def do() -> bool:
            return await self._at_desk(desk.reopen, "Đã mở lại.", why=why.value or "")

        with asking("Mở lại phiếu", "Mở lại", do, mark="reopen"):
            why = text_field("Lý do", mark="reopen-why", lines=True)


def _say(problem: str) -> bool:
    ui.notify(problem, type="warning", position="top")
    return False
