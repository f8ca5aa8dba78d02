"""Between rasa-sdk's dictionaries and our types: what the latest message says, and how a reply is said."""

from collections.abc import Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.contracts.ids import MessageId
from bot.contracts.messages import Reply


class NoMessageId(ValueError):
    """Rasa was called without {"metadata": {"message_id": …}}: nothing can be done exactly once."""


def message_id_of(tracker: Tracker) -> MessageId:
    """The id of the citizen's message, from the metadata that `bot.conversation` sent along. Raises NoMessageId."""
    metadata = tracker.latest_message.get("metadata") or {}
    value = metadata.get("message_id")
    if not isinstance(value, int):
        raise NoMessageId(f"conversation {tracker.sender_id}")
    return MessageId(value)


def entities_of(latest: Mapping[str, Any]) -> dict[str, str]:
    """The first value of each entity, in the citizen's spelling."""
    found: dict[str, str] = {}
    for one in latest.get("entities") or ():
        found.setdefault(str(one["entity"]), str(one["value"]))
    return found


def say(dispatcher: CollectingDispatcher, reply: Reply) -> None:
    """A reply in Rasa's words; what Rasa has no word for travels in `custom`: ticket, entry, ask_helpful."""
    extra: dict[str, Any] = {"ask_helpful": reply.ask_helpful}
    if reply.ticket is not None:
        extra["ticket"] = reply.ticket
    if reply.entry is not None:
        extra["entry"] = reply.entry
    dispatcher.utter_message(
        text=reply.text,
        buttons=[one.as_json() for one in reply.choices],
        json_message=extra,
    )
