"""Zalo's events become ours. Nobody behind this file sees Zalo's JSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

import orjson

from bot.contracts.errors import PayloadRefused
from bot.contracts.ids import Channel
from bot.contracts.messages import (
    Attachment,
    Echo,
    ErasureAsked,
    Event,
    Inbound,
    Kind,
    Location,
    Receipt,
    ReceiptState,
)
from connectors.fields import Json, ident, json_object, moment, number, part, parts, phone, text, whole

ZALO = Channel("zalo")
BUTTON_MARK = "#chon:"
"""Our buttons send their payload back as a text: `#chon:<payload>|<title>`. "#" also passes Zalo's syntax filter."""
ANONYMOUS = "anonymous"
"""Visitors without a Zalo identity are `anonymous:<anonymous_id>:<conversation_id>`: both are needed to answer."""

KINDS = {
    "text": Kind.TEXT,
    "image": Kind.IMAGE,
    "photo": Kind.IMAGE,
    "gif": Kind.GIF,
    "sticker": Kind.STICKER,
    "link": Kind.LINK,
    "links": Kind.LINK,
    "location": Kind.LOCATION,
    "audio": Kind.AUDIO,
    "voice": Kind.AUDIO,
    "video": Kind.VIDEO,
    "file": Kind.FILE,
    "business_card": Kind.CONTACT,
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every event has."""

    name: str
    body: Json
    at: datetime

    @property
    def message(self) -> Json:
        """The message in it, or an empty object."""
        return part(self.body, "message")


def parse(raw: bytes, oa_id: str = "") -> Sequence[Event]:
    """The one event of a body; none when it is unknown or meant for another OA. Raises PayloadRefused."""
    body = json_object(raw)
    name = text(body, "event_name")
    if not name:
        raise PayloadRefused("no event_name")
    reader = _reader_of(name)
    if reader is None:
        return ()
    at = moment(body, "timestamp")
    if at is None:
        raise PayloadRefused("no timestamp")
    if oa_id and oa_id not in {"", *_oa_ids(body)}:
        return ()
    return (reader(Envelope(name, body, at)),)


def _reader_of(name: str) -> Callable[[Envelope], Event] | None:
    if name in READERS:
        return READERS[name]
    for prefix, reader in PREFIXES.items():
        if name.startswith(prefix) and name.removeprefix(prefix) in {*KINDS, "list", "template"}:
            return reader
    return None


def _oa_ids(body: Json) -> set[str]:
    return {ident(body, "oa_id"), ident(part(body, "recipient"), "id"), ident(part(body, "sender"), "id")}


def _message(event: Envelope) -> Inbound:
    kind = KINDS[event.name.split("_send_", 1)[1]]
    said, payload = _pressed(text(event.message, "text"))
    attachments = tuple(_attachment(one) for one in parts(event.message, "attachments"))
    location = _location(event.message)
    shared = next((found for one in parts(event.message, "attachments") if (found := _card_phone(one))), None)
    if shared:
        kind = Kind.CONTACT
    return Inbound(
        channel=ZALO,
        provider_message_id=_required(event.message, "msg_id"),
        citizen_ref=_sender(event),
        sent_at=event.at,
        text=said,
        kind=Kind.BUTTON if payload is not None else kind,
        payload=payload,
        attachments=attachments,
        location=location,
        phone=shared,
    )


def _pressed(said: str) -> tuple[str, str | None]:
    """A pressed button of ours as (title, payload); anything else as (text, None)."""
    if not said.startswith(BUTTON_MARK):
        return said, None
    payload, _, title = said.removeprefix(BUTTON_MARK).partition("|")
    return title, unquote(payload)


def _attachment(one: Json) -> Attachment:
    payload = part(one, "payload")
    return Attachment(
        kind=KINDS.get(text(one, "type"), Kind.OTHER),
        url=text(payload, "url") or text(payload, "thumbnail") or None,
        name=text(payload, "name") or text(payload, "description")[:200] or None,
        size=whole(payload, "size"),
        mime=text(payload, "type") or None,
    )


def _location(message: Json) -> Location | None:
    """Seen in an attachment's payload and, in one source, right in the message."""
    places = [part(one, "payload") for one in parts(message, "attachments")] + [part(message, "location"), message]
    for place in places:
        for point in (part(place, "coordinates"), place):
            latitude, longitude = number(point, "latitude"), number(point, "longitude")
            if latitude is not None and longitude is not None and abs(latitude) <= 90 and abs(longitude) <= 180:
                return Location(latitude, longitude)
    return None


def _card_phone(attachment: Json) -> str | None:
    """The phone number of a shared business card: a link whose description is JSON."""
    described = text(part(attachment, "payload"), "description")
    if not described.startswith("{"):
        return None
    try:
        return phone(orjson.loads(described), "phone")
    except orjson.JSONDecodeError:
        return None


def _follow(event: Envelope) -> Inbound:
    citizen = ident(part(event.body, "follower"), "id") or ident(event.body, "user_id")
    if not citizen:
        raise PayloadRefused(f"{event.name} without a person")
    kind = Kind.UNFOLLOW if event.name == "unfollow" else Kind.FOLLOW
    return Inbound(ZALO, _made_up_id(event, citizen), citizen, event.at, kind=kind)


def _contact(event: Envelope) -> Inbound:
    """The person filled in the form "share your information"."""
    info = part(event.body, "info")
    address = part(info, "full_address") or info
    keys = ("user_address", "address", "user_ward", "ward", "district", "user_city", "city")
    place = ", ".join(found for key in keys if (found := ident(address, key)))
    citizen = _sender(event)
    return Inbound(
        channel=ZALO,
        provider_message_id=ident(event.message, "msg_id") or _made_up_id(event, citizen),
        citizen_ref=citizen,
        sent_at=event.at,
        text=place,
        kind=Kind.CONTACT,
        phone=phone(info, "phone"),
        citizen_name=text(info, "name") or None,
    )


def _reaction(event: Envelope) -> Inbound:
    citizen, to = _sender(event), ident(event.message, "msg_id")
    icon = text(event.message, "react_icon")
    return Inbound(
        ZALO, _made_up_id(event, citizen, to), citizen, event.at, text=icon, kind=Kind.REACTION, payload=to or None
    )


def _receipt(event: Envelope) -> Receipt:
    seen = event.name == "user_seen_message"
    listed = event.message.get("msg_ids")
    ids = [ident({"id": one}, "id") for one in listed] if isinstance(listed, list) else []
    ids.append(ident(event.message, "msg_id"))
    citizen = ident(part(event.body, "sender" if seen else "recipient"), "id")
    if not citizen:
        raise PayloadRefused(f"{event.name} without a person")
    return Receipt(
        channel=ZALO,
        citizen_ref=citizen,
        state=ReceiptState.SEEN if seen else ReceiptState.DELIVERED,
        at=moment(event.message, "delivery_time") or event.at,
        provider_message_ids=tuple(dict.fromkeys(one for one in ids if one)),
    )


def _echo(event: Envelope) -> Echo:
    """Zalo's copy of what the OA sent; `admin_id` is there only when a person wrote it in Zalo's own tool."""
    citizen = ident(part(event.body, "recipient"), "id")
    if not citizen:
        raise PayloadRefused(f"{event.name} without a person")
    if event.name.startswith("oa_send_anonymous_"):
        citizen = f"{ANONYMOUS}:{citizen}:{ident(event.message, 'conversation_id')}"
    return Echo(
        channel=ZALO,
        citizen_ref=citizen,
        provider_message_id=_required(event.message, "msg_id"),
        sent_at=event.at,
        text=text(event.message, "text"),
        by_human=bool(ident(part(event.body, "sender"), "admin_id")),
        attachments=tuple(_attachment(one) for one in parts(event.message, "attachments")),
    )


def _erasure(event: Envelope) -> ErasureAsked:
    citizen = ident(event.body, "user_id") or ident(part(event.body, "sender"), "id")
    if not citizen:
        raise PayloadRefused("user_withdraw without a person")
    return ErasureAsked(ZALO, citizen, event.at)


def _sender(event: Envelope) -> str:
    sender = part(event.body, "sender")
    citizen = ident(sender, "id") or ident(event.body, "user_id")
    if not citizen:
        raise PayloadRefused(f"{event.name} without a sender")
    if event.name.startswith("anonymous_"):
        return f"{ANONYMOUS}:{citizen}:{_required(event.message, 'conversation_id')}"
    return citizen


def _required(message: Json, key: str) -> str:
    found = ident(message, key)
    if not found:
        raise PayloadRefused(f"no {key}")
    return found


def _made_up_id(event: Envelope, *about: str) -> str:
    """For events that Zalo gives no id: the same delivery repeated makes the same id."""
    return ":".join((event.name, *about, str(int(event.at.timestamp() * 1000))))


READERS: dict[str, Callable[[Envelope], Event]] = {
    "follow": _follow,
    "unfollow": _follow,
    "user_click_chatnow": _follow,
    "user_submit_info": _contact,
    "user_reacted_message": _reaction,
    "user_received_message": _receipt,
    "user_seen_message": _receipt,
    "user_withdraw": _erasure,
}
PREFIXES: dict[str, Callable[[Envelope], Event]] = {
    "user_send_": _message,
    "anonymous_send_": _message,
    "oa_send_anonymous_": _echo,
    "oa_send_": _echo,
}
