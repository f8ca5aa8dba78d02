"""Our messages in Meta's words: the requests one outbound message becomes. Pure; connector.py sends them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.contracts.connector import MessagingWindow
from bot.contracts.messages import Attachment, Author, Choice, Kind, Outbound
from connectors.messenger.marks import Mark
from connectors.messenger.parse import COMMENT
from connectors.messenger.window import HUMAN_AGENT
from connectors.numbered import with_numbered
from connectors.split import chars, split_for

MAX_CHARS = 2000
MAX_QUICK_REPLIES = 13
MAX_TITLE = 20
MAX_PAYLOAD = 1000
TEMPLATE_CHARS = 640
TEMPLATE_BUTTONS = 3
LEAST_CHARS = 200
"""A part in front of a numbered list is not made shorter than this."""
KINDS = {Kind.IMAGE: "image", Kind.GIF: "image", Kind.VIDEO: "video", Kind.AUDIO: "audio"}
MAX_FILE = 25 * 1024 * 1024
MAX_IMAGE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One request: a text, perhaps with choices, or one attachment."""

    text: str = ""
    choices: tuple[Choice, ...] = ()
    attachment: Attachment | None = None
    as_template: bool = False
    """Choices as a button template, which stays in the history and can be pressed later; else as quick replies,
    which vanish with the next message.
    """


def parts_of(outbound: Outbound) -> list[Part]:
    """The requests for a message, always the same for the same message: a retry starts after those that went out.

    The last text carries the choices: as they are when their titles fit a button (20 characters), else numbered, with
    the numbers as quick replies.
    """
    *texts, last = split_for(outbound.text, MAX_CHARS) or [""]
    choices = outbound.choices
    if not choices:
        parts = [Part(text=one) for one in (*texts, last) if one]
    elif have_short_titles(choices):
        parts = _titled(texts, last or "Mời anh/chị chọn:", choices)
    else:
        parts = _numbered(texts, last, choices)
    return parts + [Part(attachment=one) for one in outbound.attachments]


def _titled(texts: list[str], last: str, choices: tuple[Choice, ...]) -> list[Part]:
    few = len(choices) <= TEMPLATE_BUTTONS
    if few and any(_opens_something(one) for one in choices):  # only a template can dial or open
        *more, last = split_for(last, TEMPLATE_CHARS)
        texts = [*texts, *more]
    as_template = few and chars(last) <= TEMPLATE_CHARS
    return [*(Part(text=one) for one in texts), Part(text=last, choices=choices, as_template=as_template)]


def _numbered(texts: list[str], last: str, choices: tuple[Choice, ...]) -> list[Part]:
    *more, last = _with_room(last, chars(with_numbered("", choices)) + 2)
    *more_still, last = split_for(with_numbered(last, choices), MAX_CHARS)
    pressable = _pressable(choices) if can_be_buttons(choices) else ()
    return [*(Part(text=one) for one in (*texts, *more, *more_still)), Part(text=last, choices=pressable)]


def _with_room(last: str, room: int) -> list[str]:
    if chars(last) + room <= MAX_CHARS:
        return [last]
    return split_for(last, max(LEAST_CHARS, MAX_CHARS - room))


def have_short_titles(choices: Sequence[Choice]) -> bool:
    """True when the titles themselves can be buttons."""
    return can_be_buttons(choices) and all(0 < chars(one.title) <= MAX_TITLE for one in choices)


def can_be_buttons(choices: Sequence[Choice]) -> bool:
    """True when Meta can take the payloads as quick replies; else only the numbered text goes out."""
    return len(choices) <= MAX_QUICK_REPLIES and all(len(one.payload.encode()) <= MAX_PAYLOAD for one in choices)


def _pressable(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Titles that don't fit become the number they have in the text."""
    short = (one.title if 0 < chars(one.title) <= MAX_TITLE - 4 else "" for one in choices)
    return tuple(
        Choice(f"{number}. {title}" if title else str(number), one.payload)
        for number, (title, one) in enumerate(zip(short, choices, strict=True), start=1)
    )


def body_of(outbound: Outbound, part: Part, mark: Mark, window: MessagingWindow | None) -> dict[str, Any]:
    """The whole body for one text part."""
    if part.as_template:
        buttons = [_button(one) for one in part.choices]
        payload = {"template_type": "button", "text": part.text, "buttons": buttons}
        message: dict[str, Any] = {"attachment": {"type": "template", "payload": payload}}
    else:
        message = {"text": part.text}
        if part.choices:
            message["quick_replies"] = [
                {"content_type": "text", "title": one.title, "payload": one.payload} for one in part.choices
            ]
    message["metadata"] = str(mark)
    body = {"recipient": recipient_of(outbound, mark), **messaging_type(outbound.author, window), "message": message}
    if mark.part == 1 and is_worth_quoting(outbound):
        body["reply_to"] = {"mid": outbound.reply_to}
    return body


def attachment_body(
    outbound: Outbound, attachment: Attachment, mark: Mark, window: MessagingWindow | None
) -> dict[str, Any]:
    """The body for an attachment that is uploaded with it (`filedata`)."""
    kind = KINDS.get(attachment.kind, "file")
    message = {"attachment": {"type": kind, "payload": {"is_reusable": False}}, "metadata": str(mark)}
    return {"recipient": recipient_of(outbound, mark), **messaging_type(outbound.author, window), "message": message}


def messaging_type(author: Author, window: MessagingWindow | None) -> dict[str, str]:
    """RESPONSE, or the tag for people when only that lane is open. A bot never gets the tag, whatever the window."""
    if window is not None and window.label == HUMAN_AGENT and author is Author.OPERATOR:
        return {"messaging_type": "MESSAGE_TAG", "tag": HUMAN_AGENT}
    return {"messaging_type": "RESPONSE"}


def recipient_of(outbound: Outbound, mark: Mark) -> dict[str, str]:
    """The person; for the first part of an answer to a comment, the comment: Meta allows one private reply to it."""
    context = outbound.context or ""
    if context.startswith(COMMENT) and mark.part == 1:
        return {"comment_id": context.removeprefix(COMMENT)}
    return {"id": outbound.citizen_ref}


def is_worth_quoting(outbound: Outbound) -> bool:
    """A person answers later than the bot, so the question is shown again; ids we made up can't be quoted."""
    return outbound.author is Author.OPERATOR and bool(outbound.reply_to) and ":" not in (outbound.reply_to or "")


def _opens_something(choice: Choice) -> bool:
    return choice.payload.startswith(("tel:", "https://"))


def _button(choice: Choice) -> dict[str, str]:
    """A payload "tel:…" dials and an "https://…" opens; anything else comes back to us as a postback."""
    if choice.payload.startswith("tel:"):
        return {"type": "phone_number", "title": choice.title, "payload": choice.payload.removeprefix("tel:")}
    if choice.payload.startswith("https://"):
        return {"type": "web_url", "title": choice.title, "url": choice.payload}
    return {"type": "postback", "title": choice.title, "payload": choice.payload}
