"""Reading JSON that others wrote: every reader gives a value of the wanted type or None, and never raises."""

import json
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from bot.contracts.errors import PayloadRefused

Json = dict[str, Any]
EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def json_object(raw: bytes) -> Json:
    """The body as a JSON object. Raises PayloadRefused."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = _with_half_letters(raw)
    if not isinstance(body, dict):
        raise PayloadRefused("not a JSON object")
    return body


def _with_half_letters(raw: bytes) -> object:
    """The body, read once more without orjson, which refuses an emoji cut in half ("\\ud83d"); `text` mends it.

    Platforms cut long texts anywhere, and one such text must not make them repeat a whole batch for ever.
    """
    if b"\\u" not in raw:
        raise PayloadRefused("not JSON")
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise PayloadRefused("not JSON") from error


def _no_constant(name: str) -> object:
    raise ValueError(name)


def part(value: object, *path: str) -> Json:
    """The object at `path`, or an empty one."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def parts(value: object, key: str) -> Iterator[Json]:
    """The objects in the list at `key`; anything else in it is passed over."""
    found = value.get(key) if isinstance(value, dict) else None
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict):
            yield one


def text(value: object, key: str) -> str:
    """A string, NFC and without NUL (PostgreSQL stores none); "" when there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, str):
        return ""
    return unicodedata.normalize("NFC", found.replace("\x00", "").encode("utf-8", "replace").decode())


def ident(value: object, key: str) -> str:
    """An id as text, whether it came as a string or a number; "" when there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    if isinstance(found, bool):
        return ""
    return str(found) if isinstance(found, int) else text(value, key).strip()


def phone(value: object, key: str) -> str | None:
    """A telephone number as it is dialled in Việt Nam, "0912345678", however it was written; foreign ones as "+…".

    One spelling for all channels: operators link a person's conversations by the number.
    """
    digits = "".join(one for one in ident(value, key) if one in "0123456789")
    if not 8 <= len(digits) <= 15:
        return None
    if digits.startswith("84") and len(digits) in (11, 12):
        return f"0{digits[2:]}"
    return digits if digits.startswith("0") else f"+{digits}"


def number(value: object, key: str) -> float | None:
    """A finite number, also when it came as a string."""
    found = value.get(key) if isinstance(value, dict) else None
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        as_float = float(found)
    except (ValueError, OverflowError):
        return None
    return as_float if abs(as_float) < 1e300 else None  # also false for "nan"


def moment(value: object, key: str) -> datetime | None:
    """A time given in milliseconds since 1970, UTC; None when absent or absurd."""
    milliseconds = number(value, key)
    if milliseconds is None or not EARLIEST.timestamp() <= milliseconds / 1000 <= LATEST.timestamp():
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def whole(value: object, key: str) -> int | None:
    """A non-negative whole number that fits a bigint."""
    found = number(value, key)
    return int(found) if found is not None and 0 <= found < 2**62 else None
