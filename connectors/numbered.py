"""Choices as plain text, for platforms, clients and moments without buttons."""

from collections.abc import Sequence

from bot.contracts.messages import Choice

PROMPT = "Anh/chị trả lời bằng số để chọn:"


def numbered(choices: Sequence[Choice]) -> str:
    """ "1. …", one line each; the conversation understands the digit as an answer."""
    lines = (f"{number}. {choice.title}" for number, choice in enumerate(choices, start=1))
    return "\n".join((PROMPT, *lines))


def with_numbered(text: str, choices: Sequence[Choice]) -> str:
    """The text, an empty line, the numbered choices."""
    return f"{text}\n\n{numbered(choices)}" if text else numbered(choices)
