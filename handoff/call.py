"""Telling a citizen by phone what could not be sent. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.contracts.ids import MessageId


class CallOutcome(StrEnum):
    """How a call ended."""

    TOLD = "told"
    """The citizen was told on the phone: the message is not sent any more."""
    UNREACHED = "unreached"
    """Nobody could be reached: whoever wants may try again, and a held message still waits for the citizen."""


@dataclass(frozen=True, slots=True)
class Call:
    """A message that somebody at the desk is to tell, or told, by phone. It is never a sent message."""

    message: MessageId
    asked_by: str
    """Display name of who switched it to the phone."""
    asked_at: datetime
    outcome: CallOutcome | None
    """None: nobody has called yet."""
    by: str | None
    """Display name of who called last."""
    at: datetime | None
    tries: int
    """Calls that reached nobody."""


CALL_VI = {CallOutcome.TOLD: "Đã gọi, đã báo người dân", CallOutcome.UNREACHED: "Không liên lạc được"}
