"""What the page's conversation says about a message of ours whose answer we never got."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.contracts.errors import CannotTell
from connectors.fields import ident, part, parts, text
from connectors.messenger.graph import Graph, GraphRefused
from connectors.messenger.send import Part

LIMIT = 50


@dataclass(frozen=True, slots=True)
class Item:
    """One message of the page in a conversation."""

    message_id: str
    at: datetime
    text: str


async def since(graph: Graph, page_id: str, citizen_ref: str, start: datetime) -> list[Item]:
    """The page's messages to a person from `start` on, oldest first. Raises CannotTell or RetryLater."""
    fields = f"messages.limit({LIMIT}){{id,message,created_time,from}}"
    params = {"platform": "messenger", "user_id": citizen_ref, "fields": fields}
    try:
        body = await graph.call("GET", f"{page_id}/conversations", params=params)
    except GraphRefused as error:
        raise CannotTell(f"meta refused its history: {error.code}") from error
    threads = list(parts(body, "data"))
    if not threads:
        raise CannotTell("no such conversation")
    entries = [one for thread in threads for one in parts(part(thread, "messages"), "data")]
    times = [at for one in entries if (at := _moment(text(one, "created_time")))]
    if len(entries) >= LIMIT and (not times or min(times) >= start):
        raise CannotTell("more history than we read")
    found = [
        Item(ident(one, "id"), at, text(one, "message"))
        for one in entries
        if (at := _moment(text(one, "created_time"))) and at >= start and ident(part(one, "from"), "id") == page_id
    ]
    found.reverse()  # newest come first, and times are whole seconds: keep Meta's order within one
    return sorted(found, key=lambda one: one.at)


def match(missing: Sequence[Part], items: Sequence[Item], known: Collection[str]) -> list[str]:
    """The ids of the leading parts of `missing` that are among `items`.

    Raises CannotTell at an attachment: a conversation doesn't show which file it was.
    """
    ids: list[str] = []
    rest = [one for one in items if one.message_id not in known]
    for wanted in missing:
        if wanted.attachment is not None:
            raise CannotTell("an attachment can't be recognised")
        at = next((index for index, one in enumerate(rest) if _squeezed(one.text) == _squeezed(wanted.text)), None)
        if at is None:
            break
        ids.append(rest[at].message_id)
        rest = rest[at + 1 :]
    return ids


def _moment(stamp: str) -> datetime | None:
    """ "2026-11-24T07:00:00+0000" as an aware time."""
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _squeezed(said: str) -> str:
    return " ".join(said.split())
