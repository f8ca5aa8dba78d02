"""The progress of one import: which step, how far, rows per second, time left."""

import time
from types import TracebackType
from typing import Final, Self

from nicegui import ui

from kb_import.show import STEPS_VI

MINUTE_S: Final = 60


def say_seconds(seconds: float) -> str:
    """A time left, as people say it: "40 giây", "7 phút"."""
    return f"{seconds:.0f} giây" if seconds < 2 * MINUTE_S else f"{seconds / MINUTE_S:.0f} phút"


class ImportProgress:
    """A bar that shows itself while the block runs."""

    def __init__(self) -> None:
        with ui.element("div").props("role=status").mark("import-progress") as self._box:
            self._words = ui.label("").classes("c-dim")
            self._bar = ui.linear_progress(0, show_value=False).props("rounded")
        self._box.set_visibility(False)
        self._step, self._since = "", 0.0
        self.running = False
        """Is something under way?"""

    def report(self, step: str, done: int, total: int) -> None:
        """As `ImportService` calls it."""
        if step != self._step:
            self._step, self._since = step, time.monotonic()
        self._bar.set_value(done / total if total else 0)
        words = STEPS_VI.get(step, step)
        if step == "wait":
            self._words.set_text(f"{words}: trước bạn còn {total} tệp. Cứ để trang này mở.")
            return
        passed = time.monotonic() - self._since
        if total > 1 and done > 0 and passed > 0.2:
            speed = done / passed
            words += f" · {done}/{total} dòng · {speed:.0f} dòng/giây · còn {say_seconds((total - done) / speed)}"
        self._words.set_text(words)

    def __enter__(self) -> Self:
        self._step, self.running = "", True
        self._words.set_text("Đang xử lý…")
        self._bar.set_value(0)
        self._box.set_visibility(True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running = False
        self._box.set_visibility(False)
