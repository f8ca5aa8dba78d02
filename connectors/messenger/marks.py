"""The mark we put on every message, which Meta carries back in the echo: `tongdai:<row>:<part>/<parts>`."""

import re
from dataclasses import dataclass

from bot.contracts.ids import MessageId

_MARK = re.compile(r"tongdai:(\d{1,18}):(\d{1,4})/(\d{1,4})")


@dataclass(frozen=True, slots=True)
class Mark:
    """Which part (1 is the first) of which message of ours."""

    message: MessageId
    part: int
    parts: int

    def __str__(self) -> str:
        return f"tongdai:{self.message}:{self.part}/{self.parts}"


def find_mark(metadata: str) -> Mark | None:
    """The mark in an echo's metadata; None when another program, or nobody, wrote it."""
    found = _MARK.fullmatch(metadata)
    return Mark(MessageId(int(found[1])), int(found[2]), int(found[3])) if found else None
