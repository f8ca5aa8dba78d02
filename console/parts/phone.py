"""Telling somebody by phone what the channel does not carry: the number, what to say, and what came of it."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from bot.contracts.ids import MessageId
from console.parts.asking import standing_dialog
from console.visit import Visit
from handoff.call import CALL_VI, CallOutcome

NO_NUMBER = "Chưa biết số điện thoại của người này. Xem trong ghi chú hoặc hỏi đơn vị."


async def call_dialog(
    visit: Visit, message: MessageId, text: str, phones: Sequence[str], *, on_done: Callable[[], Awaitable[None]]
) -> None:
    """Switch the message to the phone, and show what is needed for the call."""
    staff = visit.services.staff
    if not await visit.attempt(lambda by: staff.tell_by_phone(message, by)):
        return
    with standing_dialog("call") as dialog:
        ui.label("Báo qua điện thoại").classes("c-title")
        phone_links(phones)
        ui.label("Nội dung cần báo").classes("c-dim")
        ui.label(text or "(không có chữ)").classes("c-pre f-say")
        ui.label("Tin này không được tính là đã gửi. Gọi xong, hãy ghi kết quả.").classes("c-dim")

        async def end(outcome: CallOutcome) -> None:
            if await visit.attempt(lambda by: staff.record_call(message, by, outcome), CALL_VI[outcome] + "."):
                dialog.close()
            await on_done()

        with ui.element("div").classes("c-row").style("justify-content:flex-end"):
            ui.button("Để sau", on_click=dialog.close).props("flat")
            ui.button("Không liên lạc được", icon="phone_missed", on_click=lambda: end(CallOutcome.UNREACHED)).props(
                "outline"
            ).mark("call-unreached")
            ui.button("Đã gọi", icon="phone_in_talk", on_click=lambda: end(CallOutcome.TOLD)).mark("call-told")
    await on_done()


def phone_links(phones: Sequence[str]) -> None:
    """Numbers that a computer or a phone can dial."""
    with ui.element("div").classes("c-row"):
        if not phones:
            ui.label(NO_NUMBER)
        for one in phones:
            dialled = "".join(sign for sign in one if sign.isdecimal() or sign == "+")
            with ui.element("a").props(f'href="tel:{dialled}"').classes("f-phone"):
                ui.icon("call").props("aria-hidden=true")
                ui.label(one)
