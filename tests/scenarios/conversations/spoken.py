"""Conversations as citizens write them, and what a good duty operator would find right at each turn. Pure.

The files beside this one hold them; README.md here says how they are written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kb_import.samples.content import load_samples

FOLDER = Path(__file__).parent
SAYS: Mapping[str, str] = {
    "greet": "Đây là trợ lý tự động",
    "thanks": "Rất vui được hỗ trợ",
    "goodbye": "Tạm biệt bạn",
    "help": "Bạn có thể:",
    "insult": "không hài lòng",
    "out_of_scope": "ngoài phạm vi",
    "sorry": "Xin lỗi vì câu trả lời",
    "glad": "Cảm ơn bạn. Khi cần",
    "contact": "xin gọi",
    "got_photo": "đã nhận được",
    "status": "Tiếp nhận lúc",
    "no_ticket": "Không tìm thấy phiếu",
    "ask_code": "xin mã phiếu",
    "ask_what": "Sự việc cụ thể",
    "ask_where": "Việc đó ở đâu",
    "ask_when": "Việc đó xảy ra khi nào",
    "ask_photo": "Nếu có hình ảnh",
    "ask_phone": "xin số điện thoại",
    "corrected": "Tôi đã sửa",
    "cancelled": "Tôi đã hủy",
    "report_taken": "Tổng đài đã ghi nhận nội dung",
}
"""What the bot's own sentences are known by."""
ABOUT_TICKETS = frozenset({"status", "report_taken"})
"""Sentences that name a ticket and give the citizen to nobody."""
CAUSES: Mapping[str, str] = {
    "search": "tìm câu: câu đúng không đứng đầu hoặc chưa đủ chắc",
    "intent": "nhận ý định: Rasa hiểu khác",
    "conversation": "cách nói chuyện: hệ thống chưa có cách xử lý",
}


@dataclass(frozen=True, slots=True)
class Saying:
    """One message of the citizen and what should come of it."""

    say: str
    kind: str
    want: Any
    press: str | None = None
    """Payload of a button."""
    play: str | None = None
    """Something that is not text: "sticker", "image", "location" (Zalo only)."""
    known: str | None = None
    """A failure we know of: "cause: in words". None: this turn must be right."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A whole conversation of one citizen."""

    name: str
    who: str
    channel: str
    sayings: tuple[Saying, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the house did with one message."""

    outcome: str
    intent: str | None = None
    answered: tuple[str, ...] = ()
    """Questions of the entries that were sent."""
    offered: tuple[str, ...] = ()
    """Questions of the entries that were offered."""
    ticket: str | None = None
    text: str = ""
    """All replies together."""

    @property
    def called_person(self) -> bool:
        """A person will answer."""
        return self.ticket is not None and not any(SAYS[one] in self.text for one in ABOUT_TICKETS)


@cache
def load_spoken() -> tuple[Spoken, ...]:
    """Every conversation, in the order of the files."""
    return tuple(one for path in sorted(FOLDER.glob("*.yml")) for one in load_file(path))


def load_file(path: Path) -> list[Spoken]:
    """One file's conversations. Raises on a field that is missing or unknown."""
    found = []
    for one in yaml.safe_load(path.read_text("utf-8")):
        sayings = tuple(Saying(**{"say": "", "kind": one["kind"], **turn}) for turn in one["turns"])
        found.append(Spoken(one["name"], one["who"], one.get("channel", "webchat"), sayings))
    return found


@cache
def entries() -> tuple[str, ...]:
    """The questions of the sample banks' entries."""
    return tuple(entry.question for bank in load_samples() for entry in bank.entries)


@cache
def entry_called(beginning: str) -> str:
    """The one entry whose question begins so. Raises ValueError if there is none or several."""
    fits = [one for one in entries() if one.startswith(beginning)]
    if len(fits) != 1:
        raise ValueError(f"{beginning!r} begins {len(fits)} entries")
    return fits[0]


def is_right(want: Any, seen: Seen, offered_before: Sequence[str]) -> bool:
    """Does what happened fit what was wanted? `offered_before`: the choices that stood when the citizen wrote.

    What a wish does not name must not have happened: no answer and no ticket beside it.
    """
    if isinstance(want, str):
        want = {want: True}
    if "any" in want:
        return any(is_right(one, seen, offered_before) for one in want["any"])
    return all(_holds(name, value, seen, offered_before) for name, value in want.items()) and _nothing_else(want, seen)


def _holds(name: str, value: Any, seen: Seen, offered_before: Sequence[str]) -> bool:
    match name:
        case "answer":
            wanted = [value] if isinstance(value, str) else value
            return set(seen.answered) == {entry_called(one) for one in wanted}
        case "choose":
            return bool(seen.offered) if value == "any" else entry_called(value) in seen.offered
        case "find":
            return entry_called(value) in (*seen.offered, *seen.answered)
        case "picked":
            at = value - 1 if value > 0 else value
            return -len(offered_before) <= at < len(offered_before) and seen.answered == (offered_before[at],)
        case "says":
            return SAYS[value] in seen.text
        case "emergency":
            return seen.outcome == "emergency" and value in seen.text
        case "handover" | "ticket":
            return seen.called_person and seen.outcome != "emergency"
        case "quiet":
            return not seen.answered and not seen.called_person
        case "silent":
            return not seen.text
        case _:
            raise ValueError(f"unknown wish {name!r}")


def _nothing_else(want: Mapping[str, Any], seen: Seen) -> bool:
    no_answer = not seen.answered or bool({"answer", "find", "picked"} & want.keys())
    no_ticket = not seen.called_person or bool({"handover", "ticket", "emergency"} & want.keys())
    one_answer = len(set(seen.answered)) <= 1 or "answer" in want
    return no_answer and no_ticket and one_answer
