"""Webhooks that were refused: when nothing else comes, our secret is wrong and citizens write into the void.

Kept in the account's row, so that a restart forgets nothing and whoever shows warnings knows what whoever takes
webhooks saw. Anyone can send rubbish: it counts only while nothing genuine comes, and is written only now and then.
"""

from datetime import datetime, timedelta
from typing import Final

from connectors.condition import Condition, ConditionStore
from connectors.later import Later

LASTS: Final = timedelta(hours=1)
NOTED_EVERY: Final = timedelta(seconds=30)
GENUINE_NOTED_EVERY: Final = timedelta(minutes=5)


class Refusals:
    """What this process sees, on its way into the row."""

    def __init__(self, condition: ConditionStore, later: Later) -> None:
        self._condition, self._later = condition, later
        self._refused = 0
        """Not written yet."""
        self._refused_at: datetime | None = None
        self._written_at: datetime | None = None
        self._cleared_at: datetime | None = None
        """When the row last heard of a genuine one."""
        self._all_well = False
        """Has nothing been refused since then?"""

    def note_refused(self, at: datetime) -> None:
        """A signature was wrong."""
        self._refused, self._refused_at, self._all_well = self._refused + 1, at, False
        if self._written_at is None or at >= self._written_at + NOTED_EVERY:
            self._written_at = at
            self._later.do(self._write)

    def note_genuine(self, at: datetime) -> None:
        """One was right: the secret is the platform's."""
        self._refused = 0
        if not self._all_well or self._cleared_at is None or at >= self._cleared_at + GENUINE_NOTED_EVERY:
            self._all_well, self._cleared_at, self._written_at = True, at, None
            self._later.do(lambda: self._condition.note_genuine_webhook(at))

    async def settle(self) -> None:
        """Everything that was noted is in the row."""
        self._later.do(self._write)
        await self._later.settle()

    async def _write(self) -> None:
        if self._refused and self._refused_at is not None:
            number, self._refused = self._refused, 0
            await self._condition.note_refused_webhooks(number, self._refused_at)


def warnings_for_refused(known: Condition, called: str, secret: str, at: datetime) -> tuple[str, ...]:
    """At most one sentence. `secret` is the setting to look at. Pure."""
    if not known.webhooks_refused or known.webhook_refused_at is None or at >= known.webhook_refused_at + LASTS:
        return ()
    return (
        f"{called}: {known.webhooks_refused} thông báo (webhook) bị từ chối vì sai chữ ký, "
        f"chưa có thông báo nào đúng. Kiểm tra {secret}.",
    )
