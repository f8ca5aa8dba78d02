"""What Zalo's chat history says about a message of ours whose answer we never got."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.contracts.errors import CannotTell, GiveUp
from connectors.fields import Json, ident, moment, parts, text
from connectors.numbered import with_numbered
from connectors.zalo.parse import ANONYMOUS
from connectors.zalo.send import Part

PATH = "/v2.0/oa/conversation"
PAGE = 10
PAGES = 5
FROM_OA = "0"


@dataclass(frozen=True, slots=True)
class Item:
    """One message of the OA in the history."""

    message_id: str
    at: datetime
    kind: str
    text: str


async def since(
    get: Callable[[str, Mapping[str, Any]], Awaitable[Json]], citizen_ref: str, start: datetime
) -> list[Item]:
    """The OA's messages to a citizen from `start` on, oldest first. Raises CannotTell or RetryLater."""
    if citizen_ref.startswith(ANONYMOUS):
        raise CannotTell("no history of visitors without an identity")
    found: list[Item] = []
    for page in range(PAGES):
        try:
            body = await get(PATH, {"user_id": citizen_ref, "offset": page * PAGE, "count": PAGE})
        except GiveUp as error:
            raise CannotTell(f"zalo refused its history: {error.code}") from error
        entries = list(parts(body, "data"))
        times = [at for one in entries if (at := moment(one, "time"))]
        for one in entries:
            at = moment(one, "time")
            if at is not None and at >= start and ident(one, "src") == FROM_OA:
                found.append(Item(ident(one, "message_id"), at, text(one, "type"), text(one, "message")))
        if len(entries) < PAGE or (times and min(times) < start):
            found.reverse()  # newest come first: keep Zalo's order within one millisecond
            return sorted(found, key=lambda one: one.at)
    raise CannotTell("more history than we read")


def match(missing: Sequence[Part], items: Sequence[Item], known: Collection[str]) -> list[str]:
    """The ids of the leading parts of `missing` that are among `items`; messages known to be others don't count."""
    ids: list[str] = []
    rest = [one for one in items if one.message_id and one.message_id not in known]
    for part in missing:
        at = next((index for index, one in enumerate(rest) if _is(part, one)), None)
        if at is None:
            break
        ids.append(rest[at].message_id)
        rest = rest[at + 1 :]
    return ids


def _is(part: Part, item: Item) -> bool:
    if part.attachment is not None:
        return item.kind in ("photo", "image", "gif", "file") and not item.text
    said = _squeezed(item.text)
    return said in {_squeezed(part.text), _squeezed(with_numbered(part.text, part.choices))}


def _squeezed(said: str) -> str:
    return " ".join(said.split())
