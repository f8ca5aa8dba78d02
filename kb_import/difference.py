"""Word by word, what changed between two answers: for people who must agree to it."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

_PIECES = re.compile(r"\s+|[^\W_]+|[^\w\s]|_")
_MAX_PIECES = 6_000


class Kind(StrEnum):
    """What happened to some words."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words that all stayed, came or went."""

    kind: Kind
    text: str


def differ(before: str, after: str) -> tuple[Piece, ...]:
    """The pieces in reading order: without ADDED they spell `before`, without REMOVED they spell `after`."""
    old, new = _PIECES.findall(before), _PIECES.findall(after)
    if len(old) + len(new) > _MAX_PIECES:
        whole = [(Kind.REMOVED, before), (Kind.ADDED, after)] if before != after else [(Kind.SAME, before)]
        return tuple(Piece(kind, text) for kind, text in whole if text)
    pieces: list[Piece] = []

    def put(kind: Kind, words: list[str]) -> None:
        if not words:
            return
        text = "".join(words)
        if pieces and pieces[-1].kind is kind:
            pieces[-1] = Piece(kind, pieces[-1].text + text)
        else:
            pieces.append(Piece(kind, text))

    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            put(Kind.SAME, old[start:end])
        else:
            put(Kind.REMOVED, old[start:end])
            put(Kind.ADDED, new[new_start:new_end])
    return tuple(pieces)
