"""How a simulator misbehaves. Rates are probabilities, 0 to 1; all are off at first."""

import random
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class Faults:
    """Knobs that tests turn, and people through `POST /_sim/faults`."""

    seed: int = 1022
    # what our calls meet
    http_error_rate: float = 0.0
    """HTTP 500 before anything is done."""
    code_rate: float = 0.0
    """The platform's own temporary error, before anything is done."""
    next_codes: list[Any] = field(default_factory=list)
    """Error codes for the next calls that send, one each; Messenger takes "10/2018278" too; 0 lets a call pass."""
    slow_rate: float = 0.0
    slow_s: float = 1.0
    hang_rate: float = 0.0
    """The message is accepted, but the answer comes only after `hang_s`: the caller times out."""
    hang_s: float = 30.0
    hang_next: int = 0
    """As many of the next sends hang."""
    cut_next: int = 0
    """As many of the next sends are answered by HTTP 502 after having been accepted."""
    hang_refresh: str = ""
    """Zalo only. "before": a token refresh hangs and nothing is granted; "after": it is granted, and then hangs."""
    # how webhooks arrive
    duplicate_rate: float = 0.0
    reorder_rate: float = 0.0
    """An event waits until the next of the same lane has gone, or half a second."""
    batch: int = 1
    """At most so many events in one request (Messenger only)."""

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def happens(self, rate: float) -> bool:
        """Throw the dice."""
        return rate > 0 and self.dice.random() < rate

    def change(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Turn knobs by name; unknown names are an error. Returns all of them."""
        known = {one.name for one in fields(self)}
        if strange := set(wanted) - known:
            raise ValueError(f"unknown: {sorted(strange)}")
        for name, value in wanted.items():
            setattr(self, name, value)
        return asdict(self)
