"""What is said on the simulated Messenger, and how Meta says no."""

from dataclasses import dataclass, field
from typing import Any

DAY = 86400.0
DEAD_TAGS = {"CONFIRMED_EVENT_UPDATE", "ACCOUNT_UPDATE", "POST_PURCHASE_UPDATE"}


@dataclass
class Said:
    """One message, from a citizen or from the page."""

    id: str
    user: str
    from_oa: bool
    at: float
    text: str
    kind: str = "text"
    buttons: list[dict[str, Any]] = field(default_factory=list)
    body: dict[str, Any] = field(default_factory=dict)


class GraphError(Exception):
    """An error as the Graph API reports it."""

    def __init__(self, code: int, subcode: int | None = None, status: int = 400) -> None:
        self.code, self.subcode, self.status = code, subcode, status
