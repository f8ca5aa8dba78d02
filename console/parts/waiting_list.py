"""The list of tickets: most urgent first, ages that tick, walked with the keyboard."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from nicegui.element import Element

from bot.contracts.ids import Channel, ConversationId
from console.wording import say_channel, say_clock, shorten
from handoff.ticket import KIND_VI, PRIORITY_VI, REASON_VI, STATE_VI, Priority, State
from handoff.views import TicketView

MAX_CHARS: Final = 240
STATE_COLOURS: Final = {
    State.WAITING: "amber",
    State.IN_PROGRESS: "blue",
    State.FORWARDED: "",
    State.PROMISED: "",
    State.SENT_BACK: "red",
    State.ANSWERED: "green",
    State.CLOSED: "",
}


class WaitingList(Element, component="waiting_list.js"):
    """Rows of tickets, each a link to its conversation."""

    def __init__(self) -> None:
        super().__init__()
        self._props["rows"], self._props["now"], self._props["empty"] = [], 0.0, ""

    def show(
        self, tickets: Sequence[TicketView], channels: Mapping[ConversationId, Channel], *, now: datetime, empty: str
    ) -> None:
        """Put these tickets there; `empty` is said when there is none."""
        self._props["rows"] = [row_of(one, channels.get(one.conversation), now) for one in tickets]
        self._props["now"], self._props["empty"] = now.timestamp(), empty
        self.update()


def row_of(ticket: TicketView, channel: Channel | None, now: datetime) -> dict[str, Any]:
    """What the browser draws of one ticket. Pure."""
    return {
        "code": ticket.code,
        "question": shorten(ticket.question, MAX_CHARS) or "(chưa có nội dung)",
        "kind": KIND_VI[ticket.kind],
        "reason": REASON_VI[ticket.reason],
        "priority": ticket.priority.value,
        "priority_vi": PRIORITY_VI[ticket.priority] if ticket.priority is not Priority.NORMAL else "",
        "channel": say_channel(channel),
        "subject": shorten(ticket.subject_name, 44) if ticket.subject_name else "",
        "unit": ticket.forwarded_to_name or ticket.unit_name or "",
        "state": STATE_VI[ticket.state],
        "state_colour": STATE_COLOURS[ticket.state],
        "taken_by": ticket.taken_by_name or "",
        "created": ticket.created_at.timestamp(),
        # A ticket that needs nobody any more is never late, whatever its deadline was.
        "due": ticket.due_at.timestamp() if ticket.is_overdue or ticket.due_at > now else now.timestamp() + 1e9,
        "due_clock": say_clock(ticket.due_at, now),
    }
