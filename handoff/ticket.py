"""A ticket: the words for it, its states, and which move leads where. Pure.

```
waiting ──take_over──► in_progress ──forward──► forwarded ──promise──► promised ──answer──► answered ──close──► closed
   ▲                        │                       │                                          │                   │
   └───────hand_back────────┘◄──take_over── sent_back ◄──send_back (with a reason)              └──────reopen──► waiting
```
The table `MOVES` is the whole truth; PostgreSQL refuses any state that is not in `State`.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.contracts.errors import Conflict
from bot.contracts.ids import AccountId, ConversationId, MessageId, SubjectId, TicketCode, TicketId, UnitCode

CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, 1, I and O, which people confuse on the phone. 32 signs, so five of them make 33 million codes."""
CODE_LENGTH = 5


class TicketKind(StrEnum):
    """What the citizen wants, in the words of the province's plan."""

    QUESTION = "question"
    REPORT = "report"
    PROPOSAL = "proposal"
    HELP = "help"


class Priority(StrEnum):
    """How fast a person must look."""

    NORMAL = "normal"
    HIGH = "high"
    EMERGENCY = "emergency"

    @property
    def rank(self) -> int:
        """2 for emergencies down to 0: larger is more urgent."""
        return (Priority.NORMAL, Priority.HIGH, Priority.EMERGENCY).index(self)


class Reason(StrEnum):
    """Why the bot did not answer, or why there is a ticket at all. Takes in the words of the search's own reasons."""

    NOTHING_CLOSE = "nothing_close"
    """No entry comes near the question."""
    UNSURE = "unsure"
    """Something comes near, but the citizen chose none of the choices."""
    ASKED_AGAIN = "asked_again"
    """Only entries that were given before and did not help come near."""
    EMPTY_BANK = "empty_bank"
    """No entry may be sent today."""
    NO_WORDS = "no_words"
    """Nothing to search for in what the citizen wrote."""
    NOT_HELPFUL = "not_helpful"
    """The citizen said that the answer did not help."""
    ASKED_FOR_PERSON = "asked_for_person"
    EMERGENCY = "emergency"
    FORM = "form"
    """The citizen filed a report, a proposal or a request for help."""
    NOT_TEXT = "not_text"
    """A picture, a voice note or the like, which only a person can judge."""
    BOT_DOWN = "bot_down"
    """Part of the bot did not answer in time."""
    TAKEN_OVER = "taken_over"
    """Nobody asked: an operator stepped into the conversation."""


UNANSWERED_REASONS = frozenset(
    {Reason.NOTHING_CLOSE, Reason.UNSURE, Reason.NOT_HELPFUL, Reason.ASKED_AGAIN, Reason.EMPTY_BANK}
)
"""Reasons from which an editor can learn what is missing in the question banks."""


class State(StrEnum):
    """Where a ticket stands."""

    WAITING = "waiting"
    """At the duty desk, with nobody."""
    IN_PROGRESS = "in_progress"
    """An operator holds the conversation."""
    FORWARDED = "forwarded"
    """With a unit, which has until `due_at`."""
    PROMISED = "promised"
    """Somebody told the citizen a time at which the answer will come."""
    SENT_BACK = "sent_back"
    """The unit returned it to the duty desk, with a reason."""
    ANSWERED = "answered"
    """The citizen has an answer; nobody has closed it yet."""
    CLOSED = "closed"


class Move(StrEnum):
    """What can happen to a ticket's state."""

    TAKE_OVER = "take_over"
    HAND_BACK = "hand_back"
    FORWARD = "forward"
    SEND_BACK = "send_back"
    PROMISE = "promise"
    ANSWER = "answer"
    CLOSE = "close"
    REOPEN = "reopen"


class Outcome(StrEnum):
    """How a ticket ended."""

    ANSWERED = "answered"
    DUPLICATE = "duplicate"
    NOT_OURS = "not_ours"
    UNREACHABLE = "unreachable"
    NO_ANSWER_NEEDED = "no_answer_needed"


AT_DESK = frozenset({State.WAITING, State.IN_PROGRESS, State.SENT_BACK})
"""The duty desk must act next; a further question of the same citizen joins such a ticket."""
AT_UNIT = frozenset({State.FORWARDED, State.PROMISED})
OPEN = AT_DESK | AT_UNIT
"""The citizen still waits for an answer."""

MOVES: dict[tuple[State, Move], State] = {
    (State.WAITING, Move.TAKE_OVER): State.IN_PROGRESS,
    (State.WAITING, Move.FORWARD): State.FORWARDED,
    (State.WAITING, Move.PROMISE): State.PROMISED,
    (State.WAITING, Move.ANSWER): State.ANSWERED,
    (State.WAITING, Move.CLOSE): State.CLOSED,
    (State.IN_PROGRESS, Move.TAKE_OVER): State.IN_PROGRESS,  # a supervisor gives it to another operator
    (State.IN_PROGRESS, Move.HAND_BACK): State.WAITING,
    (State.IN_PROGRESS, Move.FORWARD): State.FORWARDED,
    (State.IN_PROGRESS, Move.PROMISE): State.PROMISED,
    (State.IN_PROGRESS, Move.ANSWER): State.ANSWERED,
    (State.IN_PROGRESS, Move.CLOSE): State.CLOSED,
    (State.FORWARDED, Move.FORWARD): State.FORWARDED,  # to another unit
    (State.FORWARDED, Move.SEND_BACK): State.SENT_BACK,
    (State.FORWARDED, Move.PROMISE): State.PROMISED,
    (State.FORWARDED, Move.ANSWER): State.ANSWERED,
    (State.FORWARDED, Move.CLOSE): State.CLOSED,
    (State.PROMISED, Move.TAKE_OVER): State.IN_PROGRESS,  # the desk keeps its own promise
    (State.PROMISED, Move.FORWARD): State.FORWARDED,
    (State.PROMISED, Move.SEND_BACK): State.SENT_BACK,
    (State.PROMISED, Move.PROMISE): State.PROMISED,
    (State.PROMISED, Move.ANSWER): State.ANSWERED,
    (State.PROMISED, Move.CLOSE): State.CLOSED,
    (State.SENT_BACK, Move.TAKE_OVER): State.IN_PROGRESS,
    (State.SENT_BACK, Move.FORWARD): State.FORWARDED,
    (State.SENT_BACK, Move.PROMISE): State.PROMISED,
    (State.SENT_BACK, Move.ANSWER): State.ANSWERED,
    (State.SENT_BACK, Move.CLOSE): State.CLOSED,
    (State.ANSWERED, Move.ANSWER): State.ANSWERED,  # a correction
    (State.ANSWERED, Move.CLOSE): State.CLOSED,
    (State.ANSWERED, Move.REOPEN): State.WAITING,
    (State.CLOSED, Move.REOPEN): State.WAITING,
}


class MoveRefused(Conflict):
    """The ticket is in a state from which this move leads nowhere, e.g. answering a closed one."""

    code, vi = "ticket.move_refused", "Phiếu đang ở trạng thái “{state_vi}” nên không thể {move_vi}."


def plan_move(state: State, move: Move) -> State:
    """The state that `move` leads to. Raises MoveRefused."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise MoveRefused(state_vi=STATE_VI[state], move_vi=MOVE_VI[move]) from None


def new_code() -> TicketCode:
    """A code that can't be guessed from another, e.g. "TH-7K3P9"."""
    return TicketCode("TH-" + "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH)))


def parse_code(text: str) -> TicketCode | None:
    """The ticket code in what a person typed ("th 7k3p9", "Mã: TH-7K3P9"), or None."""
    letters = "".join(one for one in text.upper() if one.isalnum())
    at = letters.find("TH")
    while at >= 0:
        body = letters[at + 2 : at + 2 + CODE_LENGTH]
        if len(body) == CODE_LENGTH and all(one in CODE_ALPHABET for one in body):
            return TicketCode(f"TH-{body}")
        at = letters.find("TH", at + 1)
    return None


@dataclass(frozen=True, slots=True)
class Ticket:
    """One matter that a person must look at, as it leaves this room."""

    id: TicketId
    code: TicketCode
    kind: TicketKind
    state: State
    priority: Priority
    reason: Reason
    conversation: ConversationId
    question: str
    subject: SubjectId | None
    unit: UnitCode | None
    """The lead unit it belongs to by subject and place; the one that has it now is `forwarded_to`."""
    forwarded_to: UnitCode | None
    taken_by: AccountId | None
    place: str | None
    message: MessageId | None
    """The inbound message it came from; None when no message did."""
    created_at: datetime
    promised_at: datetime
    """When the citizen was told that an answer would come."""
    due_at: datetime
    """When the desk, or the unit it was forwarded to, must have acted."""
    first_reply_at: datetime | None
    closed_at: datetime | None
    outcome: Outcome | None = None

    def is_open(self) -> bool:
        """Does the citizen still wait?"""
        return self.state in OPEN

    def is_overdue(self, now: datetime) -> bool:
        """Has the time passed at which somebody must have acted?"""
        return self.is_open() and self.due_at < now


STATE_VI = {
    State.WAITING: "Chờ tiếp nhận",
    State.IN_PROGRESS: "Đang xử lý",
    State.FORWARDED: "Đã chuyển đơn vị",
    State.PROMISED: "Đã hẹn trả lời",
    State.SENT_BACK: "Đơn vị trả lại",
    State.ANSWERED: "Đã trả lời",
    State.CLOSED: "Đã đóng",
}
MOVE_VI = {
    Move.TAKE_OVER: "tiếp quản",
    Move.HAND_BACK: "trả lại cho bot",
    Move.FORWARD: "chuyển xử lý",
    Move.SEND_BACK: "trả lại",
    Move.PROMISE: "hẹn trả lời",
    Move.ANSWER: "trả lời",
    Move.CLOSE: "đóng",
    Move.REOPEN: "mở lại",
}
KIND_VI = {
    TicketKind.QUESTION: "Câu hỏi",
    TicketKind.REPORT: "Phản ánh",
    TicketKind.PROPOSAL: "Kiến nghị",
    TicketKind.HELP: "Yêu cầu hỗ trợ",
}
PRIORITY_VI = {Priority.NORMAL: "Thường", Priority.HIGH: "Gấp", Priority.EMERGENCY: "Khẩn cấp"}
REASON_VI = {
    Reason.NOTHING_CLOSE: "Bộ câu hỏi chưa có",
    Reason.UNSURE: "Bot không chắc chắn",
    Reason.ASKED_AGAIN: "Các câu trả lời đã gửi chưa đúng ý",
    Reason.EMPTY_BANK: "Chưa có mục hỏi đáp nào đang hiệu lực",
    Reason.NO_WORDS: "Bot không hiểu nội dung",
    Reason.NOT_HELPFUL: "Người dân báo câu trả lời chưa đúng",
    Reason.ASKED_FOR_PERSON: "Người dân muốn gặp cán bộ",
    Reason.EMERGENCY: "Có dấu hiệu khẩn cấp",
    Reason.FORM: "Người dân gửi qua biểu mẫu",
    Reason.NOT_TEXT: "Người dân gửi ảnh, ghi âm hoặc tệp",
    Reason.BOT_DOWN: "Bot gặp sự cố",
    Reason.TAKEN_OVER: "Cán bộ chủ động tiếp quản",
}
OUTCOME_VI = {
    Outcome.ANSWERED: "Đã trả lời",
    Outcome.DUPLICATE: "Trùng phiếu khác",
    Outcome.NOT_OURS: "Ngoài phạm vi",
    Outcome.UNREACHABLE: "Không liên lạc được",
    Outcome.NO_ANSWER_NEEDED: "Không cần trả lời",
}
