"""The side of a conversation: what the ticket is, what was done with it, notes of colleagues."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from nicegui import ui

from bot.base.clock import say_moment
from console.wording import EVENTS_VI, say_clock
from handoff.ticket import KIND_VI, OUTCOME_VI, PRIORITY_VI, REASON_VI, STATE_VI, Priority
from handoff.views import Note, TicketDetail, TicketEvent, TicketView


def facts(detail: TicketDetail, *, channel: str, citizen: str | None, phones: Sequence[str], now: datetime) -> None:
    """The ticket in a dozen lines."""
    view, ticket = detail.view, detail.ticket
    with ui.element("section").classes("c-sheet").mark("facts"):
        with ui.element("div").classes("c-row"):
            ui.label(view.code).classes("c-title").mark("code")
            ui.label(STATE_VI[view.state]).classes("c-chip blue").mark("state")
            if view.priority is not Priority.NORMAL:
                ui.label(PRIORITY_VI[view.priority]).classes(
                    f"c-chip {'red' if view.priority is Priority.EMERGENCY else 'amber'}"
                )
            if view.is_overdue:
                ui.label("Quá hạn").classes("c-chip red")
        rows = {
            "Nội dung": view.question or "—",
            "Loại": KIND_VI[view.kind],
            "Lý do": REASON_VI[view.reason],
            "Lĩnh vực": view.subject_name or "chưa rõ",
            "Đơn vị": view.unit_name or "chưa rõ",
            "Đang ở": view.forwarded_to_name or "Bộ phận thường trực",
            "Nơi": view.place,
            "Người dân": citizen,
            "Kênh": channel,
            "Điện thoại": ", ".join(phones),
            "Tiếp nhận": say_moment(view.created_at),
            "Hẹn dân": say_moment(view.promised_at),
            "Hạn xử lý": say_moment(view.due_at),
            "Đang giữ": f"{detail.holder.display_name} (từ {say_clock(detail.holder.since, now)})"
            if detail.holder
            else None,
            "Kết quả": OUTCOME_VI[ticket.outcome] if ticket.outcome else None,
            "Trả lời": detail.answer,
        }
        with ui.element("dl").classes("f-facts"):
            for name, value in rows.items():
                if value:
                    with ui.element("dt"):
                        ui.label(name)
                    with ui.element("dd"):
                        ui.label(value).classes("c-pre")


def notes(found: Sequence[Note], *, now: datetime) -> None:
    """Internal notes, never shown to the citizen."""
    for one in found:
        with ui.element("div").classes("f-note"):
            ui.label(one.text).classes("c-pre")
            ui.label(f"{one.by} · {say_clock(one.at, now)}").classes("c-dim")


def note_field(on_add: Callable[[str], Awaitable[bool]]) -> ui.element:
    """Where a note is written. Built once: what is being typed stays while the notes around it change."""
    with ui.element("div").style("display:flex;flex-direction:column;gap:6px") as field:
        text = (
            ui.textarea(placeholder="Người dân không thấy ghi chú này")
            .props('outlined dense autogrow aria-label="Ghi chú nội bộ"')
            .mark("note-text")
        )

        async def add() -> None:
            if await on_add(text.value or ""):
                text.set_value("")

        ui.button("Lưu ghi chú", icon="push_pin", on_click=add).props("flat").classes("self-start").mark("note-add")
    return field


def other_tickets(tickets: Sequence[TicketView], here: TicketView) -> None:
    """Further tickets of the same citizen."""
    others = [one for one in tickets if one.id != here.id]
    if not others:
        return
    with ui.element("section").classes("c-sheet"):
        ui.label("Phiếu khác của người này").classes("c-h2")
        for one in others:
            with ui.element("div").classes("c-row"):
                ui.link(one.code, f"/console/tickets/{one.code}")
                ui.label(STATE_VI[one.state]).classes("c-chip")


def events(found: Sequence[TicketEvent], *, now: datetime) -> None:
    """What happened, newest first."""
    with ui.expansion("Diễn biến phiếu", icon="history").classes("c-sheet").props("dense").mark("events"):
        for one in reversed(found):
            with ui.element("div").classes("f-event"):
                ui.label(f"{say_clock(one.at, now)} · {EVENTS_VI.get(one.what, one.what)}")
                details = [one.by or "bot / người dân", one.fields.get("unit"), one.fields.get("why")]
                ui.label(" · ".join(str(each) for each in details if each)).classes("c-dim")
