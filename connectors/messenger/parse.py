"""Meta's batches become our events. Nobody behind this file sees Meta's JSON."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.contracts.errors import PayloadRefused
from bot.contracts.ids import Channel
from bot.contracts.messages import Attachment, Echo, Event, Inbound, Kind, Location, Receipt, ReceiptState
from connectors.fields import Json, ident, json_object, moment, number, part, parts, phone, text
from connectors.messenger.marks import find_mark
from connectors.messenger.settings import MessengerSettings

MESSENGER = Channel("messenger")
COMMENT = "comment:"
"""`Inbound.context` of a comment under a post of the page: the answer goes out as a private reply."""

_PHONE = re.compile(r"\+?\d{9,15}")
KINDS = {
    "image": Kind.IMAGE,
    "video": Kind.VIDEO,
    "audio": Kind.AUDIO,
    "file": Kind.FILE,
    "sticker": Kind.STICKER,
    "fallback": Kind.LINK,
    "location": Kind.LOCATION,
    "reel": Kind.VIDEO,
    "ig_reel": Kind.VIDEO,
    "post": Kind.LINK,
    "ig_post": Kind.LINK,
    "template": Kind.LINK,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One object of `entry[].messaging[]`."""

    body: Json
    page: str
    at: datetime
    sender: str
    recipient: str
    message: Json = field(default_factory=dict)


def parse(raw: bytes, settings: MessengerSettings) -> Sequence[Event]:
    """All events of a batch, in order. What is unknown, broken or meant for another page is left out, so that one bad
    update can't block the others. Raises PayloadRefused when it is no page batch at all.
    """
    body = json_object(raw)
    if body.get("object") != "page" or not isinstance(body.get("entry"), list):
        raise PayloadRefused("not a page batch")
    return [event for entry in parts(body, "entry") for event in _events_of(entry, settings)]


def enforcement_in(raw: bytes, settings: MessengerSettings) -> str | None:
    """What Meta announces against our page: "warning", "block", "unblock" …; None when it announces nothing."""
    if b"policy_enforcement" not in raw:
        return None
    entries = [entry for entry in parts(json_object(raw), "entry") if ident(entry, "id") == settings.page_id]
    found = [text(part(one, "policy_enforcement"), "action") for entry in entries for one in parts(entry, "messaging")]
    return next((one for one in reversed(found) if one), None)


def _events_of(entry: Json, settings: MessengerSettings) -> Iterator[Event]:
    page = ident(entry, "id")
    if page != settings.page_id:
        return
    for one in parts(entry, "messaging"):
        at = moment(one, "timestamp") or moment(entry, "time")
        if at is None:
            continue
        sender, recipient = ident(part(one, "sender"), "id"), ident(part(one, "recipient"), "id")
        item = Item(one, page, at, sender, recipient, part(one, "message"))
        event = _event_of(item, settings)
        if event is not None:
            yield event
    for change in parts(entry, "changes"):
        comment = _comment(change, page)
        if comment is not None:
            yield comment


def _event_of(item: Item, settings: MessengerSettings) -> Event | None:
    """`standby` lists are not read at all: another application has the conversation."""
    if item.message:
        if item.message.get("is_echo") is True:
            return _echo(item, settings)
        return _message(item) if item.sender != item.page else None
    for key, reader in READERS.items():
        if isinstance(item.body.get(key), dict):
            return reader(item, part(item.body, key)) if item.sender and item.sender != item.page else None
    return None


def _message(item: Item) -> Inbound | None:
    mid = ident(item.message, "mid")
    if not mid or not item.sender:
        return None
    attachments = tuple(_attachment(one) for one in parts(item.message, "attachments"))
    location = next((found for one in parts(item.message, "attachments") if (found := _location(one))), None)
    said = text(item.message, "text")
    quick_reply = item.message.get("quick_reply")
    payload = text(quick_reply, "payload") or None
    shared = phone(quick_reply, "payload") if payload and _PHONE.fullmatch(payload) else None
    kind = Kind.TEXT
    if shared is not None:  # the quick reply "share my number"
        kind, payload = Kind.CONTACT, None
    elif payload is not None:
        kind = Kind.BUTTON
    elif location is not None:
        kind = Kind.LOCATION
    elif attachments and not said:
        kind = attachments[0].kind
    elif not said:
        kind = Kind.OTHER
    return Inbound(
        channel=MESSENGER,
        provider_message_id=mid,
        citizen_ref=item.sender,
        sent_at=item.at,
        text=said,
        kind=kind,
        payload=payload,
        attachments=attachments,
        location=location,
        phone=shared,
    )


def _attachment(one: Json) -> Attachment:
    payload = part(one, "payload")
    is_sticker = bool(ident(payload, "sticker_id"))  # until August 2026 stickers came as images
    return Attachment(
        kind=Kind.STICKER if is_sticker else KINDS.get(text(one, "type"), Kind.OTHER),
        url=text(payload, "url") or text(one, "url") or None,
        name=text(payload, "title") or text(one, "title") or None,
    )


def _location(attachment: Json) -> Location | None:
    point = part(attachment, "payload", "coordinates")
    latitude = number(point, "lat")
    longitude = number(point, "long")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return Location(latitude, longitude)


def _postback(item: Item, postback: Json) -> Inbound:
    payload = text(postback, "payload") or text(part(postback, "referral"), "ref")
    return Inbound(
        channel=MESSENGER,
        provider_message_id=ident(postback, "mid") or _made_up_id("postback", item, payload),
        citizen_ref=item.sender,
        sent_at=item.at,
        text=text(postback, "title"),
        kind=Kind.FOLLOW if payload == GET_STARTED else Kind.BUTTON,
        payload=payload or None,
    )


def _referral(item: Item, referral: Json) -> Inbound:
    """An m.me link into a thread that exists: opens the window, says nothing."""
    ref = text(referral, "ref")
    return Inbound(
        MESSENGER, _made_up_id("referral", item, ref), item.sender, item.at, kind=Kind.FOLLOW, payload=ref or None
    )


def _reaction(item: Item, reaction: Json) -> Inbound:
    mid, action = ident(reaction, "mid"), text(reaction, "action")
    return Inbound(
        channel=MESSENGER,
        provider_message_id=_made_up_id("reaction", item, f"{mid}:{action}"),
        citizen_ref=item.sender,
        sent_at=item.at,
        text=text(reaction, "emoji") or text(reaction, "reaction") if action != "unreact" else "",
        kind=Kind.REACTION,
        payload=mid or None,
    )


def _edit(item: Item, edit: Json) -> Inbound | None:
    """The person changed a message: the new wording is a message of its own, the old one stays in the history."""
    mid, said = ident(edit, "mid"), text(edit, "text")
    if not mid or not said:
        return None
    return Inbound(MESSENGER, _made_up_id("edit", item, mid), item.sender, item.at, text=said)


def _delivery(item: Item, delivery: Json) -> Receipt:
    listed = delivery.get("mids")
    mids = [ident({"id": one}, "id") for one in listed] if isinstance(listed, list) else []
    return _receipt(item, ReceiptState.DELIVERED, moment(delivery, "watermark"), tuple(one for one in mids if one))


def _read(item: Item, read: Json) -> Receipt:
    return _receipt(item, ReceiptState.SEEN, moment(read, "watermark"), ())


def _receipt(item: Item, state: ReceiptState, watermark: datetime | None, mids: tuple[str, ...]) -> Receipt:
    return Receipt(MESSENGER, item.sender, state, item.at, mids, watermark or item.at)


def _echo(item: Item, settings: MessengerSettings) -> Echo | None:
    """Sender is the page. Ours if it bears our mark or our application's id; else a person, or another program that
    answers in our name, wrote it: either way the bot must fall silent.
    """
    mid = ident(item.message, "mid")
    if not mid or not item.recipient:
        return None
    mark = find_mark(text(item.message, "metadata"))
    app = ident(item.message, "app_id")
    is_ours = mark is not None or (bool(app) and app == settings.app_id)
    return Echo(
        channel=MESSENGER,
        citizen_ref=item.recipient,
        provider_message_id=mid,
        sent_at=item.at,
        text=text(item.message, "text"),
        by_human=not is_ours,
        outbound=mark.message if mark else None,
        attachments=tuple(_attachment(one) for one in parts(item.message, "attachments")),
    )


def _comment(change: Json, page: str) -> Inbound | None:
    """A new comment of somebody else under a post of the page. Edits and removals ask for no answer."""
    value = part(change, "value")
    author = part(value, "from")
    comment, citizen = ident(value, "comment_id"), ident(author, "id")
    said = text(value, "message")
    wanted = (text(change, "field"), text(value, "item"), text(value, "verb")) == ("feed", "comment", "add")
    if not wanted or not comment or not citizen or citizen == page or not said:
        return None
    created = number(value, "created_time")
    at = moment({"at": created * 1000}, "at") if created is not None else None
    return Inbound(
        channel=MESSENGER,
        provider_message_id=f"{COMMENT}{comment}",
        citizen_ref=citizen,
        sent_at=at or datetime.now(UTC),
        text=said,
        citizen_name=text(author, "name") or None,
        context=f"{COMMENT}{comment}",
    )


def _made_up_id(what: str, item: Item, about: str) -> str:
    """For events without an id: the same delivery repeated makes the same id."""
    return f"{what}:{item.sender}:{about[:200]}:{int(item.at.timestamp() * 1000)}"


GET_STARTED = "#start"
"""Payload of the get-started button; see profile.py."""
READERS = {
    "postback": _postback,
    "referral": _referral,
    "reaction": _reaction,
    "message_edit": _edit,
    "delivery": _delivery,
    "read": _read,
}
