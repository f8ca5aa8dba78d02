"""Small dialogs that ask for what an action needs, before it is done."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from nicegui import ui

from bot.base.clock import VIETNAM, in_vietnam

Do = Callable[[], Awaitable[bool]]


@contextmanager
def standing_dialog(mark: str) -> Iterator[ui.dialog]:
    """A dialog of the page itself: it stays while the part whose button opened it is drawn anew or goes away."""
    with ui.context.client.content, ui.dialog() as dialog, ui.element("div").classes("c-dialog").mark(mark):
        yield dialog
    dialog.on("hide", dialog.delete)
    dialog.open()


@contextmanager
def asking(title: str, button: str, do: Do, *, mark: str) -> Iterator[None]:
    """A dialog whose fields are built inside the block; it closes when `do` says True, and is thrown away."""
    with standing_dialog(mark) as dialog:
        ui.label(title).classes("c-title")
        yield

        async def confirm() -> None:
            if await do():
                dialog.close()

        with ui.row().classes("self-end"):
            ui.button("Thôi", on_click=dialog.close).props("flat")
            ui.button(button, on_click=confirm).mark(f"{mark}-ok")


def text_field(label: str, *, mark: str, value: str = "", lines: bool = False) -> Any:
    """One line, or several."""
    field = ui.textarea(label, value=value).props("autogrow") if lines else ui.input(label, value=value)
    return field.props("outlined dense").mark(mark)


def choice_field(label: str, options: dict[Any, str], *, mark: str, value: Any = None) -> ui.select:
    """One of many; long lists can be searched by typing."""
    return (
        ui.select(options, label=label, value=value, with_input=len(options) > 12)
        .props("outlined dense options-dense")
        .mark(mark)
    )


def moment_fields(label: str, suggested: datetime) -> Callable[[], datetime | None]:
    """Day and time in Vietnam; what it gives back reads them, None if they are no moment."""
    here = in_vietnam(suggested)
    ui.label(label).classes("c-dim")
    with ui.row().classes("c-row no-wrap"):
        day = ui.input(value=here.strftime("%Y-%m-%d")).props('type=date outlined dense aria-label="Ngày"').mark("day")
        time = ui.input(value=here.strftime("%H:%M")).props('type=time outlined dense aria-label="Giờ"').mark("time")

    def read() -> datetime | None:
        try:
            return datetime.strptime(f"{day.value} {time.value}", "%Y-%m-%d %H:%M").replace(tzinfo=VIETNAM)
        except ValueError:
            return None

    return read


def next_working_morning(moment: datetime) -> datetime:
    """Ten o'clock of the next day that is no Saturday or Sunday, in Vietnam. Pure."""
    day = in_vietnam(moment) + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return day.replace(hour=10, minute=0, second=0, microsecond=0)
