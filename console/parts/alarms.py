"""What is wrong with the channels, on every page: in full for administrators, calmly for everybody else."""

from collections.abc import Mapping, Sequence
from typing import Final

from nicegui import ui

from bot.contracts.ids import Channel
from connectors.condition import warnings_of
from console.visit import Visit
from console.wording import say_channel
from handoff.role import Role

LOOK_EVERY_S: Final = 60.0
SEE_ALL: Final = frozenset({Role.ADMIN, Role.SUPERVISOR})


def alarms(visit: Visit) -> None:
    """A line above the page while a channel has something to say; nothing at all otherwise."""
    box = ui.element("div").classes("c-alarms").props("role=status").mark("alarms")
    shown: list[str] = []

    async def look() -> None:
        found = await warnings_of(visit.services.connectors, {})
        lines = lines_for(visit.account.role, found)
        if lines == shown:
            return
        shown[:] = lines
        box.clear()
        with box:
            for one in lines:
                with ui.element("div").classes("c-alarm" if visit.account.role in SEE_ALL else "c-alarm calm"):
                    ui.icon("warning" if visit.account.role in SEE_ALL else "info").props("aria-hidden=true")
                    ui.label(one)

    ui.timer(0.2, look, once=True)
    ui.timer(LOOK_EVERY_S, look, immediate=False)


def lines_for(role: Role, found: Mapping[Channel, Sequence[str]]) -> list[str]:
    """The channels' own sentences for those who can act on them; one sentence for everybody else. Pure."""
    if role in SEE_ALL:
        return [one for channel in sorted(found) for one in found[channel]]
    names = ", ".join(say_channel(channel) for channel in sorted(found) if found[channel])
    if not names:
        return []
    return [f"Kênh {names} đang trục trặc, quản trị đã thấy. Tin có thể đến chậm; việc gấp hãy gọi điện."]
