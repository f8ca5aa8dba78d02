"""Errors that cross rooms. The tree, and who must act:

DomainError                 our rules say no; `vi` tells the person what to do
├── NotFound                there is no such thing (or the reader may not know that there is)
├── NotAllowed              the reader's role or unit does not permit it
├── Conflict                somebody else was first
└── Refused                 the input can't be used as it is
ChannelError                the outside world
├── SignatureRefused        a webhook that is not from the platform: 401/403, nothing stored
├── PayloadRefused          a body that is not what the platform documents: 400, nothing stored
├── RetryLater              try to send again after `after_s` seconds
│   ├── NotYet              the platform named a time: not before it, and that is no failed try
│   └── Ambiguous           the request left us and nobody knows what became of it
├── CannotTell              whether a message went out can't be found out
└── GiveUp                  do not try again; `action` says who must act
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar


class DomainError(Exception):
    """Base of the errors a person can do something about. Fields fill `vi`; `code` is for logs."""

    code: ClassVar[str] = "domain.error"
    status: ClassVar[int] = 400
    vi: ClassVar[str] = "Không thực hiện được."

    def __init__(self, **fields: Any) -> None:
        self.fields = fields
        super().__init__(f"{self.code} {fields}" if fields else self.code)

    @property
    def message_vi(self) -> str:
        """The sentence for the person, in Vietnamese."""
        return self.vi.format(**self.fields)


class NotFound(DomainError):
    """There is no such thing."""

    code, status, vi = "not_found", 404, "Không tìm thấy {what}."


class NotAllowed(DomainError):
    """The reader's role or unit does not permit it."""

    code, status, vi = "not_allowed", 403, "Tài khoản của bạn không có quyền làm việc này."


class Conflict(DomainError):
    """Somebody else was first."""

    code, status, vi = "conflict", 409, "Việc này vừa được người khác thực hiện."


class Refused(DomainError):
    """The input can't be used as it is."""

    code, status, vi = "refused", 422, "{problem}"


class ChannelError(Exception):
    """Base of what the outside world does to us."""


class SignatureRefused(ChannelError):
    """A webhook whose signature, application or age is wrong."""


class PayloadRefused(ChannelError):
    """A body that is not what the platform documents."""


class RetryLater(ChannelError):
    """Sending failed for now; try again after `after_s` seconds (the outbox adds jitter and a limit)."""

    def __init__(
        self, reason: str, after_s: float = 2.0, *, sent_parts: tuple[str, ...] = (), tries: int | None = None
    ) -> None:
        """`tries`: after how many failed tries it is hopeless; None: the outbox's own limit."""
        super().__init__(reason)
        self.reason, self.after_s, self.sent_parts, self.tries = reason, after_s, sent_parts, tries


class NotYet(RetryLater):
    """The platform takes nothing before `at` (a barred page, a night, a spent quota): wait for it, however long.

    It counts as no failed try; the outbox bounds only how long a message may wait in all.
    """

    def __init__(self, reason: str, at: datetime, *, sent_parts: tuple[str, ...] = ()) -> None:
        super().__init__(reason, sent_parts=sent_parts)
        self.at = at


class Ambiguous(RetryLater):
    """The request left us and no answer came: it may have been carried out. Ask `find_sent` before repeating."""


class CannotTell(ChannelError):
    """The platform offers no way to find out whether a message went out."""


class Action(StrEnum):
    """Who must act on a failed send."""

    STOP = "stop"
    """This citizen can't be reached now: keep the text, tell the operator to phone."""
    FIX = "fix"
    """Our payload is wrong: a programmer must look."""
    OPERATOR = "operator"
    """The account, token or permission is broken: raise an alarm."""
    WINDOW = "window"
    """The messaging window is closed: hold it for the citizen's next message."""


class GiveUp(ChannelError):
    """Do not try again. `reason_vi` is what the operator reads."""

    def __init__(self, reason_vi: str, action: Action, *, code: str = "", sent_parts: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code} {reason_vi}".strip())
        self.reason_vi, self.action, self.code, self.sent_parts = reason_vi, action, code, sent_parts
