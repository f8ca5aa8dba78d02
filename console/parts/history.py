"""What was said in a conversation, who said it, and whether it arrived."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, assert_never

from nicegui.element import Element

from bot.base.clock import in_vietnam
from bot.contracts.ids import ConversationId, MessageId
from bot.contracts.messages import Author
from bot.conversation.overview import STUCK, MessageView
from console.wording import DECIDED_VI, say_channel, say_delivery
from handoff.call import Call, CallOutcome

AUTHORS_VI: Final = {
    Author.CITIZEN: "Người dân",
    Author.BOT: "Bot",
    Author.OPERATOR: "Cán bộ",
    Author.SYSTEM: "Hệ thống",
}
KINDS_VI: Final = {
    "image": "[ảnh]",
    "gif": "[ảnh động]",
    "sticker": "[nhãn dán]",
    "audio": "[ghi âm]",
    "video": "[video]",
    "file": "[tệp]",
    "link": "[liên kết]",
    "location": "[vị trí]",
    "contact": "[danh bạ]",
    "follow": "[bắt đầu theo dõi]",
    "unfollow": "[ngừng theo dõi]",
    "reaction": "[bày tỏ cảm xúc]",
    "other": "[nội dung khác]",
}
WATCHED: Final = 50
"""So many of the latest messages may still change: delivered, seen, found helpful."""


class History(Element, component="history.js"):
    """The messages; `put` appends what is new and replaces what changed."""

    def __init__(
        self,
        messages: Sequence[MessageView],
        *,
        on_why: Callable[[MessageId], Any],
        on_again: Callable[[MessageId], Any],
        on_call: Callable[[MessageId], Any],
        here: ConversationId,
        may_act: bool,
    ) -> None:
        """`here`: the conversation of the page; messages of the person's others carry their channel's mark.

        `may_act`: whether what did not arrive can be sent again, or told by phone, from this page.
        """
        super().__init__()
        self._here, self._may_act = here, may_act
        self._known = {one.id: one for one in messages[-WATCHED:]}
        self._props["messages"] = [self._line(one) for one in messages]
        self.on("why", lambda event: on_why(MessageId(int(event.args))))
        self.on("again", lambda event: on_again(MessageId(int(event.args))))
        self.on("call", lambda event: on_call(MessageId(int(event.args))))

    @property
    def read_after(self) -> int:
        """Messages after this one may be new or have changed."""
        return min(self._known) - 1 if self._known else 0

    def text_of(self, message: MessageId) -> str:
        """What one of the latest messages says."""
        known = self._known.get(message)
        return known.text if known else ""

    def replace(self, messages: Sequence[MessageView]) -> None:
        """Other conversations came or went: draw all of it anew."""
        self._known = {one.id: one for one in messages[-WATCHED:]}
        self.run_method("replace", [self._line(one) for one in messages])

    def _line(self, message: MessageView) -> dict[str, Any]:
        return line_of(message, elsewhere=message.conversation != self._here, may_act=self._may_act)

    def put(self, messages: Sequence[MessageView]) -> bool:
        """Show these; True if a citizen's message is among the new ones."""
        fresh = [one for one in messages if self._known.get(one.id) != one]
        added = [one for one in fresh if one.id not in self._known]
        self._known |= {one.id: one for one in fresh}
        self._known = {key: self._known[key] for key in sorted(self._known)[-WATCHED:]}
        if fresh:
            self.run_method("put", [self._line(one) for one in fresh])
        return any(one.author is Author.CITIZEN for one in added)


def line_of(message: MessageView, *, elsewhere: bool = False, may_act: bool = True) -> dict[str, Any]:
    """What the browser draws of one message. `elsewhere`: it was said in another conversation of the person. Pure."""
    waits = message.status in STUCK  # for a person; a late one still goes out by itself
    stuck = waits or message.late
    call = message.call if stuck else None
    told = call is not None and call.outcome is CallOutcome.TOLD
    here = in_vietnam(message.created_at)
    text = message.text
    if not text and not message.attachments:
        text = KINDS_VI.get(message.kind, "")
    if message.location:
        text = f"{text} {message.location[0]:.5f}, {message.location[1]:.5f}".strip()
    return {
        "id": message.id,
        "author": message.author.value,
        "ours": message.author in {Author.BOT, Author.OPERATOR},
        "who": _who(message),
        "day": _day(here),
        "clock": here.strftime("%H:%M"),
        "text": text,
        "files": [_file(one) for one in message.attachments],
        "choices": [one.title for one in message.choices],
        "ticket": message.ticket,
        "helpful": message.helpful,
        "decided": DECIDED_VI.get(message.outcome, message.outcome) if message.outcome else None,
        "delivery": say_delivery(message.status, late=message.late) if message.status and not told else None,
        "failure": message.failure if stuck and not told else None,
        "stuck": stuck and not told,
        "call": say_call(call) if call else None,
        "told": told,
        "again": waits and not told and may_act,
        "phone": stuck and not told and may_act,
        "channel": say_channel(message.channel) if elsewhere else None,
    }


def say_call(call: Call) -> str:
    """How far a call is. Pure."""
    when = in_vietnam(call.at).strftime("%H:%M %d/%m") if call.at else ""
    match call.outcome:
        case None:
            return f"chờ gọi điện ({call.asked_by})"
        case CallOutcome.TOLD:
            return f"đã báo qua điện thoại ({call.by}, {when})"
        case CallOutcome.UNREACHED:
            times = f" {call.tries} lần" if call.tries > 1 else ""
            return f"đã gọi{times}, không liên lạc được ({call.by}, {when})"
        case _:
            assert_never(call.outcome)


def _who(message: MessageView) -> str:
    if message.outside:
        return "Cán bộ (trả lời ngay trên nền tảng)"
    name = AUTHORS_VI[message.author]
    return f"{message.by} (cán bộ)" if message.by else name


def _file(attachment: dict[str, Any]) -> dict[str, str | None]:
    """A link to the file; only web addresses, so that no script can hide in one."""
    url = attachment.get("url")
    kind = KINDS_VI.get(str(attachment.get("kind")), "[tệp]")
    return {
        "name": f"{kind} {attachment.get('name') or ''}".strip(),
        "url": url if isinstance(url, str) and url.startswith(("https://", "http://")) else None,
    }


def _day(here: datetime) -> str:
    days = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật")
    return f"{days[here.weekday()]}, {here:%d/%m/%Y}"
