"""Where an answer is written: open for whoever may write, shut with the reason for everybody else."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from nicegui import ui

from console.parts.phone import phone_links
from console.wording import say_percent, shorten
from handoff.shift import CannedReply

WORTH_A_LOOK: Final = 0.1
"""Entries that are less likely to be the answer only stand in the way; "vì sao" shows them all."""


class ReplyBox:
    """A text field with suggestions. What was typed stays when the state around it changes."""

    def __init__(
        self,
        *,
        on_send: Callable[[str], Awaitable[bool]],
        on_suggestion: Callable[[int], Awaitable[str | None]],
        on_take_over: Callable[[], Awaitable[None]],
        candidates: Sequence[Mapping[str, Any]],
        canned: Sequence[CannedReply],
    ) -> None:
        self._on_send, self._on_suggestion = on_send, on_suggestion
        self._sending = False
        with ui.element("div").classes("r-box"):
            with ui.element("div").classes("r-hint") as self._hint:
                self._why = ui.label().props("role=status").mark("reply-state")
                self._take = ui.button("Tiếp quản", icon="front_hand", on_click=on_take_over).mark("take-over")
            self._limit = ui.element("div").classes("r-limit").props("role=status").mark("allowance")
            with ui.element("div").classes("r-suggest") as self._suggestions:
                for one in candidates[:5]:
                    if float(one.get("confidence", 0)) >= WORTH_A_LOOK:
                        self._suggestion(one)
            with ui.row().classes("c-row no-wrap items-end"):
                self.text = (
                    ui.textarea(placeholder="Viết câu trả lời…")
                    .props('outlined autogrow dense maxlength=10000 aria-label="Câu trả lời"')
                    .classes("c-grow")
                    .mark("reply-text")
                )
                self.text.on("keydown.ctrl.enter", self._send)
                with ui.button(icon="bolt").props('flat aria-label="Câu trả lời mẫu"').mark("canned") as self._canned:
                    ui.tooltip("Câu trả lời mẫu")
                    with ui.menu():
                        for reply in canned:
                            ui.menu_item(reply.title, on_click=lambda reply=reply: self._fill(reply.text))
                self._button = ui.button("Gửi", icon="send", on_click=self._send).mark("send")
                with self._button:
                    ui.tooltip("Ctrl + Enter")

    def show(self, *, open_: bool, why: str, tone: str, may_take_over: bool, send: str = "Gửi") -> None:
        """Open or shut. `tone`: "mine", "bot" or "" (somebody else's); `send`: what the button says."""
        self._why.set_text(why)
        self._hint.classes(replace=f"r-hint {tone}")
        self._take.set_visibility(may_take_over)
        self._button.set_text(send)
        for one in (self.text, self._button, self._canned):
            one.set_enabled(open_)
        self._suggestions.set_visibility(open_)

    def show_limit(self, words: str, *, urgent: bool, phones: Sequence[str]) -> None:
        """How long, and how often, this citizen may still be written to; whom to phone when it is over."""
        self._limit.clear()
        self._limit.set_visibility(bool(words))
        self._limit.classes(add="urgent" if urgent else "", remove="" if urgent else "urgent")
        with self._limit:
            ui.icon("schedule").props("aria-hidden=true")
            ui.label(words).classes("c-grow")
            if urgent and phones:
                phone_links(phones[:2])

    def focus(self) -> None:
        """Ready to be typed into."""
        self.text.run_method("focus")

    def _suggestion(self, candidate: Mapping[str, Any]) -> None:
        async def fill() -> None:
            if answer := await self._on_suggestion(int(candidate["entry"])):
                self._fill(answer)

        title = f"{say_percent(float(candidate.get('confidence', 0)))} · {shorten(str(candidate['question']), 70)}"
        ui.button(title, on_click=fill).props("outline dense no-wrap").mark(f"suggest-{candidate['entry']}")

    def _fill(self, words: str) -> None:
        before = (self.text.value or "").rstrip()
        self.text.set_value(f"{before}\n{words}" if before else words)
        self.text.run_method("focus")

    async def _send(self) -> None:
        words = self.text.value or ""
        if self._sending or not words.strip():
            return
        self._sending = True  # Ctrl+Enter twice is one message
        try:
            if await self._on_send(words):
                self.text.set_value("")
        finally:
            self._sending = False
        self.focus()
