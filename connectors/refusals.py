"""Webhooks that were refused: when nothing else comes, our secret is wrong and citizens write into the void."""

from datetime import datetime, timedelta

LASTS = timedelta(hours=1)


class Refusals:
    """What one process saw. Anyone can send rubbish, so it counts only while nothing genuine comes."""

    def __init__(self) -> None:
        self._number = 0
        self._last: datetime | None = None

    def note_refused(self, at: datetime) -> None:
        """A signature was wrong."""
        self._number, self._last = self._number + 1, at

    def note_genuine(self) -> None:
        """One was right: the secret is the platform's."""
        self._number, self._last = 0, None

    def warnings(self, called: str, secret: str, at: datetime) -> tuple[str, ...]:
        """At most one sentence. `secret` is the setting to look at."""
        if self._last is None or at >= self._last + LASTS:
            return ()
        return (
            f"{called}: {self._number} thông báo (webhook) bị từ chối vì sai chữ ký, chưa có thông báo nào đúng. "
            f"Kiểm tra {secret}.",
        )
