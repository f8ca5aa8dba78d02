"""Our messages in Zalo's words: the requests one outbound message becomes. Pure; connector.py sends them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.contracts.errors import Action, GiveUp
from bot.contracts.messages import Attachment, Author, Choice, Kind, Outbound
from connectors.numbered import with_numbered
from connectors.split import chars, split_for
from connectors.zalo.parse import ANONYMOUS, BUTTON_MARK

MAX_CHARS = 2000
MAX_BUTTONS = 5
MAX_BUTTON_TITLE = 100
MAX_PAYLOAD = 1000
MESSAGE_PATH = "/v3.0/oa/message/cs"
ANONYMOUS_PATH = "/v2.0/oa/message"
LEAST_CHARS = 200
"""A part in front of a numbered list is not made shorter than this."""

MB = 1024 * 1024
UPLOADS = {
    "jpg": ("image", MB),
    "jpeg": ("image", MB),
    "png": ("image", MB),
    "gif": ("gif", 5 * MB),
    "pdf": ("file", 5 * MB),
    "doc": ("file", 5 * MB),
    "docx": ("file", 5 * MB),
    "csv": ("file", 5 * MB),
}
"""File name's ending → which upload takes it, and how many bytes at most."""


@dataclass(frozen=True, slots=True)
class Part:
    """One request: a text, perhaps with choices, or one attachment."""

    text: str = ""
    choices: tuple[Choice, ...] = ()
    attachment: Attachment | None = None
    quote: str | None = None
    """Zalo's id of the citizen's message this answers; shown above the text."""


def parts_of(outbound: Outbound, *, buttons: bool = True) -> list[Part]:
    """The requests for a message, always the same for the same message: a retry starts after those that went out.

    The last text carries the choices. It is kept so short that it fits with them numbered as well, because Zalo may
    refuse buttons (-233) only when it gets there.
    """
    choices = outbound.choices
    texts = split_for(outbound.text, MAX_CHARS)
    if choices:
        as_buttons = can_be_buttons(choices)
        if as_buttons:
            texts = _with_room(texts, chars(with_numbered("", choices)) + 2)
        if not (as_buttons and buttons):
            *before, last = texts or [""]
            texts, choices = [*before, *split_for(with_numbered(last, choices), MAX_CHARS)], ()
    parts = [Part(text=one) for one in texts]
    if choices:
        last = parts.pop().text if parts else ""
        parts.append(Part(text=last or "Mời anh/chị chọn:", choices=choices))
    if texts and outbound.reply_to and is_worth_quoting(outbound):
        parts[0] = Part(parts[0].text, parts[0].choices, quote=outbound.reply_to)
    return parts + [Part(attachment=one) for one in outbound.attachments]


def _with_room(texts: list[str], room: int) -> list[str]:
    if not texts or chars(texts[-1]) + room <= MAX_CHARS:
        return texts
    return [*texts[:-1], *split_for(texts[-1], max(LEAST_CHARS, MAX_CHARS - room))]


def is_worth_quoting(outbound: Outbound) -> bool:
    """A person answers later than the bot, so the question is shown again; ids we made up can't be quoted."""
    return outbound.author is Author.OPERATOR and ":" not in (outbound.reply_to or "")


def can_be_buttons(choices: Sequence[Choice]) -> bool:
    """True when Zalo can show these as buttons: at most five, titles of at most 100 characters, short payloads."""
    return len(choices) <= MAX_BUTTONS and all(
        0 < chars(one.title) <= MAX_BUTTON_TITLE and len(button_payload(one)) <= MAX_PAYLOAD for one in choices
    )


def button_payload(choice: Choice) -> str:
    """What comes back as the citizen's text; parse.py takes it apart again."""
    return f"{BUTTON_MARK}{quote(choice.payload, safe=' :/#?&=+,;@!()')}|{choice.title}"


def button(choice: Choice) -> dict[str, Any]:
    """One button. A payload "tel:…" dials and an "https://…" opens; anything else comes back to us, hidden."""
    if choice.payload.startswith("tel:"):
        return {"title": choice.title, "type": "oa.open.phone", "payload": {"phone_code": phone_code(choice.payload)}}
    if choice.payload.startswith("https://"):
        return {"title": choice.title, "type": "oa.open.url", "payload": {"url": choice.payload}}
    return {"title": choice.title, "type": "oa.query.hide", "payload": button_payload(choice)}


def phone_code(tel: str) -> str:
    """ "tel:02373…" as Zalo wants it, "842373…"; short numbers such as 115 stay as they are."""
    digits = "".join(one for one in tel if one.isdigit())
    return f"84{digits[1:]}" if digits.startswith("0") and len(digits) > 4 else digits


def recipient_of(citizen_ref: str) -> dict[str, str]:
    """A user of the OA, or a visitor without a Zalo identity."""
    if citizen_ref.startswith(f"{ANONYMOUS}:"):
        _, person, conversation = (*citizen_ref.split(":", 2), "")[:3]
        return {"anonymous_id": person, "conversation_id": conversation}
    return {"user_id": citizen_ref}


def path_of(citizen_ref: str) -> str:
    """Visitors without a Zalo identity are still written to through the old address."""
    return ANONYMOUS_PATH if citizen_ref.startswith(f"{ANONYMOUS}:") else MESSAGE_PATH


def text_body(citizen_ref: str, part: Part) -> dict[str, Any]:
    """Body of a text, with its buttons."""
    message: dict[str, Any] = {"text": part.text}
    if part.quote:
        message["quote_message_id"] = part.quote
    if part.choices:
        buttons = [button(one) for one in part.choices]
        message["attachment"] = {"type": "template", "payload": {"buttons": buttons}}
    return {"recipient": recipient_of(citizen_ref), "message": message}


def media_body(citizen_ref: str, media_type: str, attachment_id: str, size: tuple[int, int]) -> dict[str, Any]:
    """Body of an uploaded picture; `size` (width, height, pixels) is needed for a gif."""
    element: dict[str, Any] = {"media_type": media_type, "attachment_id": attachment_id}
    if media_type == "gif":
        element["width"], element["height"] = size
    payload = {"template_type": "media", "elements": [element]}
    return {"recipient": recipient_of(citizen_ref), "message": {"attachment": {"type": "template", "payload": payload}}}


def file_body(citizen_ref: str, token: str) -> dict[str, Any]:
    """Body of an uploaded file."""
    attachment = {"type": "file", "payload": {"token": token}}
    return {"recipient": recipient_of(citizen_ref), "message": {"attachment": attachment}}


def upload_for(attachment: Attachment, size: int) -> str:
    """Which upload takes it: "image", "gif" or "file". Raises GiveUp before anything of the message was sent."""
    name = attachment.name or attachment.path or ""
    ending = name.rsplit(".", 1)[-1].lower()
    kind, most = UPLOADS.get(ending, ("", 0))
    if not kind or size > most or (kind == "file" and attachment.kind in (Kind.IMAGE, Kind.GIF)):
        reason = "Zalo chỉ nhận ảnh jpg, png đến 1 MB, gif đến 5 MB và tệp pdf, doc, docx, csv đến 5 MB."
        raise GiveUp(reason, Action.FIX, code="attachment")
    return kind
