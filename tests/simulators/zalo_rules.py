"""What the simulated Zalo takes and what it refuses: tokens, windows, limits, shapes (PROTOCOLS.md 1.3, 1.6, 1.7)."""

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Any

from tests.simulators.zalo_said import DAY, QUERY_TYPES, Said, ZaloError

if TYPE_CHECKING:
    from tests.simulators.zalo import ZaloSimulator


def check_token(oa: "ZaloSimulator", token: str | None) -> None:
    """Raises ZaloError: an unknown or old token, or too many calls this minute."""
    if token is None or token not in oa.access:
        raise ZaloError(-216)
    if oa.access[token] < time.time():
        raise ZaloError(-220)
    minute = int(time.time() // 60)
    oa.minute = (minute, oa.minute[1] + 1 if oa.minute[0] == minute else 1)
    if oa.minute[1] > oa.calls_per_minute:
        raise ZaloError(-32)


def accept(oa: "ZaloSimulator", body: dict[str, Any]) -> Said:
    """Check a consultation message as Zalo does and take it."""
    recipient, message = body.get("recipient"), body.get("message")
    if not isinstance(recipient, dict) or not isinstance(message, dict):
        raise ZaloError(-201, "message is empty")
    user = str(recipient.get("user_id", ""))
    person = oa.people.get(user)
    if person is None:
        raise ZaloError(-201, "user_id is invalid")
    if person.last_interaction is None or time.time() - person.last_interaction > 7 * DAY:
        raise ZaloError(-230)
    text, attachment = message.get("text", ""), message.get("attachment")
    if len(text) > 2000:
        raise ZaloError(-210)
    if not text and not attachment:
        raise ZaloError(-201, "text is empty")
    quote = message.get("quote_message_id")
    if quote and quote not in {one.id for one in oa.messages}:
        raise ZaloError(-201, "quote_message_id is invalid")
    kind, buttons = _check_attachment(oa, attachment) if attachment else ("text", [])
    return Said(oa.new_id(), user, True, time.time(), text, kind, buttons, quote, body)


def _check_attachment(oa: "ZaloSimulator", attachment: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    payload = attachment.get("payload", {})
    if attachment.get("type") == "file":
        _check_upload(oa, payload.get("token"), {"file"})
        return "file", []
    if attachment.get("type") != "template":
        raise ZaloError(-233)
    if payload.get("template_type") == "media":
        (element,) = payload["elements"]
        if element["media_type"] == "gif" and not (element.get("width") and element.get("height")):
            raise ZaloError(-201, "width is invalid")
        _check_upload(oa, element.get("attachment_id"), {"image", "gif"})
        return str(element["media_type"]), []
    if "template_type" in payload or not oa.buttons_work:
        raise ZaloError(-233)
    buttons = payload.get("buttons", [])
    if not 1 <= len(buttons) <= 5:
        raise ZaloError(-201, "buttons is invalid")
    for one in buttons:
        _check_button(one)
    return "text", buttons


def _check_button(button: dict[str, Any]) -> None:
    kind, payload = button.get("type"), button.get("payload")
    good = 1 <= len(button.get("title", "")) <= 100
    if kind in QUERY_TYPES:
        good &= isinstance(payload, str) and len(payload) <= 1000
    elif kind == "oa.open.url":
        good &= isinstance(payload, dict) and str(payload.get("url", "")).startswith("http")
    elif kind == "oa.open.phone":
        good &= isinstance(payload, dict) and str(payload.get("phone_code", "")).isdigit()
    else:
        good = False
    if not good:
        raise ZaloError(-201, "buttons is invalid")


def _check_upload(oa: "ZaloSimulator", token: str | None, kinds: set[str]) -> None:
    kind, _, until = oa.uploads.get(token or "", ("", b"", 0.0))
    if kind not in kinds:
        raise ZaloError(-201, "attachment is invalid")
    if until < time.time():
        raise ZaloError(-100)


def grant(oa: "ZaloSimulator") -> dict[str, str]:
    """A new pair; every older access token dies."""
    access, refresh = f"access-{secrets.token_hex(12)}", f"refresh-{secrets.token_hex(12)}"
    oa.access = {access: time.time() + oa.token_life_s}
    oa.live_refresh = {refresh}
    return {"access_token": access, "refresh_token": refresh, "expires_in": str(int(oa.token_life_s))}


async def refresh(oa: "ZaloSimulator", token: str) -> dict[str, Any]:
    """A new pair for a refresh token that works once."""
    oa.refreshes.append(token)
    if oa.faults.hang_refresh == "before":
        await asyncio.sleep(oa.faults.hang_s)
        return {"error": -1, "error_name": "Timeout"}
    if token not in oa.live_refresh:
        return {"error": -14014, "error_name": "Invalid refresh token", "error_reason": "used or expired"}
    granted = grant(oa)
    if oa.faults.hang_refresh == "after":
        await asyncio.sleep(oa.faults.hang_s)
    return granted
