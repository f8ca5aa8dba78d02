"""What a page sends, made into an `Inbound`. Pure."""

from datetime import datetime

from bot.contracts.errors import Refused
from bot.contracts.ids import Channel
from bot.contracts.messages import Inbound, Kind

WEBCHAT = Channel("webchat")
MAX_CLIENT_ID = 128
MAX_PAYLOAD = 1000


class MessageRefused(Refused):
    """A message the web chat can't take as it is."""

    code = "webchat.message_refused"


def clean_text(text: str) -> str:
    """The same text without what PostgreSQL or a screen can't hold: NUL, other control characters, half surrogates.

    Line breaks become "\\n", tabs stay; blanks at both ends go.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(one for one in text if one in "\n\t" or not (ord(one) < 32 or 127 <= ord(one) < 160))
    return text.encode("utf-8", "ignore").decode("utf-8").strip()


def parse_message(
    citizen_ref: str, client_message_id: str, text: str, payload: str | None, *, now: datetime, max_chars: int
) -> Inbound:
    """One message of a page. Raises MessageRefused, saying in Vietnamese what to do about it."""
    client_id, text = clean_text(client_message_id), clean_text(text)
    payload = clean_text(payload) if payload else None
    if not client_id or len(client_id) > MAX_CLIENT_ID:
        raise MessageRefused(problem=f"Mã tin nhắn (client_message_id) phải có từ 1 đến {MAX_CLIENT_ID} ký tự.")
    if payload and len(payload) > MAX_PAYLOAD:
        raise MessageRefused(problem=f"Giá trị nút bấm (payload) dài quá {MAX_PAYLOAD} ký tự.")
    if not text:
        raise MessageRefused(problem="Tin nhắn đang trống. Bạn hãy viết nội dung rồi gửi lại.")
    if len(text) > max_chars:
        raise MessageRefused(
            problem=f"Tin nhắn dài {_count(len(text))} ký tự, tối đa {_count(max_chars)}. Bạn hãy chia thành nhiều tin."
        )
    return Inbound(
        channel=WEBCHAT,
        provider_message_id=f"{citizen_ref}:{client_id}",
        citizen_ref=citizen_ref,
        sent_at=now,
        text=text,
        kind=Kind.BUTTON if payload else Kind.TEXT,
        payload=payload,
    )


def clean_code(code: str) -> str:
    """A ticket code as people type it, made uniform: " th–7k3p9 " becomes "TH-7K3P9"."""
    code = clean_text(code).upper()
    return "".join("-" if one in "‐‑‒–—−_" else one for one in code if not one.isspace())[:40]


def _count(number: int) -> str:
    """1234567 as it is written in Vietnamese: 1.234.567."""
    return f"{number:,}".replace(",", ".")
