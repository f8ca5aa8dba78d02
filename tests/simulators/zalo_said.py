"""What is said on the simulated Zalo, who says it, and how Zalo says no."""

from dataclasses import dataclass, field
from typing import Any

DAY = 86400.0
QUERY_TYPES = {"oa.query.show", "oa.query.hide"}
TEXTS = {
    -32: "Your application reached limit call api per minute",
    -200: "Send message failed",
    -201: "Params is invalid",
    -210: "Param exceed allowed length",
    -216: "Access token is invalid",
    -220: "Access token has expired",
    -230: "User has not interacted with the OA in the past 7 days",
    -233: "Message type is invalid or not support",
    -240: "MessageV2 API has been shut down, please upgrade to V3",
    -100: "Attachment has expired",
}


@dataclass
class Said:
    """One message, from a citizen or from the OA."""

    id: str
    user: str
    from_oa: bool
    at: float
    text: str
    kind: str = "text"
    buttons: list[dict[str, Any]] = field(default_factory=list)
    quote: str | None = None
    body: dict[str, Any] = field(default_factory=dict)
    admin: str | None = None


@dataclass
class Person:
    """A citizen with a Zalo account."""

    id: str
    name: str
    last_interaction: float | None = None


class ZaloError(Exception):
    """An error as Zalo reports it."""

    def __init__(self, code: int, message: str = "") -> None:
        self.code, self.message = code, message or TEXTS.get(code, "Error")
