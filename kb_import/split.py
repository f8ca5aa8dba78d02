"""How a long answer is parted for channels that take 2,000 characters: at a blank line, a line, a sentence, a word."""

_ENDS = ("\n\n", "\n", ". ", "? ", "! ", "; ", ", ", " ")


def split_answer(text: str, max_chars: int) -> list[str]:
    """The parts in order, each of 1 to `max_chars` characters; nothing but blanks between them is lost."""
    parts: list[str] = []
    rest = text.strip()
    while len(rest) > max_chars:
        cut = _cut(rest, max_chars)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    if rest:
        parts.append(rest)
    return parts


def _cut(text: str, max_chars: int) -> int:
    for end in _ENDS:
        at = text.rfind(end, max_chars // 2, max_chars)
        if at > 0:
            return at + len(end.rstrip(" ")) if end.strip() else at
    return max_chars
