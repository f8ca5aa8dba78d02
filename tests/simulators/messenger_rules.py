"""What the simulated Messenger takes and what it refuses: access, windows, tags, shapes (PROTOCOLS.md 2.3, 2.4)."""

import time
from typing import TYPE_CHECKING, Any

from fastapi import Request

from tests.simulators.messenger_said import DAY, DEAD_TAGS, GraphError, Said

if TYPE_CHECKING:
    from tests.simulators.messenger import MessengerSimulator


def check_access(fb: "MessengerSimulator", request: Request) -> None:
    """Raises GraphError: a wrong token or proof."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    token = token or request.query_params.get("access_token", "")
    if token != fb.page_token:
        raise GraphError(190, 463, 401)
    if request.query_params.get("appsecret_proof") != fb.hmac_of(fb.app_secret, token.encode()):
        raise GraphError(100, None)


def accept(fb: "MessengerSimulator", body: dict[str, Any], filename: str | None) -> Said:
    """A message that Meta would take. Raises GraphError."""
    recipient, message = body.get("recipient", {}), body.get("message")
    if not isinstance(message, dict) or not isinstance(recipient, dict):
        raise GraphError(100)
    user = _check_recipient(fb, recipient, body)
    text, attachment = message.get("text", ""), message.get("attachment")
    buttons = message.get("quick_replies", [])
    if len(text) > 2000 or len(buttons) > 13 or len(message.get("metadata", "")) > 1000:
        raise GraphError(100)
    if bool(text) == bool(attachment):
        raise GraphError(100)
    if any(not 1 <= len(one["title"]) <= 20 or len(one["payload"]) > 1000 for one in buttons):
        raise GraphError(100)
    kind = "text"
    if attachment and attachment["type"] == "template":
        text, buttons = _check_template(attachment["payload"])
    elif attachment:
        kind = attachment["type"]
        if kind not in {"image", "video", "audio", "file"} or not (filename or attachment["payload"].get("url")):
            raise GraphError(100, 2018008)
    return Said(fb.new_id(), user, True, time.time(), text, kind, buttons, body)


def _check_recipient(fb: "MessengerSimulator", recipient: dict[str, Any], body: dict[str, Any]) -> str:
    if comment := recipient.get("comment_id"):
        user, at, answered = fb.comments.get(comment, ("", 0.0, True))
        if answered or time.time() - at > 7 * DAY:
            raise GraphError(10, 2018278)
        fb.comments[comment] = (user, at, True)
        return user
    user = str(recipient.get("id", ""))
    if user not in fb.last_action:
        commented = any(one[0] == user for one in fb.comments.values())
        raise GraphError(10, 2018278) if commented else GraphError(100, 2018001)
    age = time.time() - fb.last_action[user]
    kind, tag = body.get("messaging_type"), body.get("tag")
    if kind not in {"RESPONSE", "UPDATE", "MESSAGE_TAG"} or tag in DEAD_TAGS:
        raise GraphError(100)
    if kind == "MESSAGE_TAG":
        if tag != "HUMAN_AGENT":
            raise GraphError(100)
        if not fb.human_agent:
            raise GraphError(10, None)
        if age <= 7 * DAY:
            return user
    if age > DAY:
        raise GraphError(10, 2018278)
    return user


def _check_template(payload: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    buttons = payload.get("buttons", [])
    text = payload.get("text", "")
    if payload.get("template_type") != "button" or not 1 <= len(buttons) <= 3 or not 1 <= len(text) <= 640:
        raise GraphError(100)
    for one in buttons:
        target = {"postback": "payload", "web_url": "url", "phone_number": "payload"}.get(one.get("type", ""), "")
        if not target or not one.get(target) or not 1 <= len(one["title"]) <= 20:
            raise GraphError(100)
    return text, buttons
