"""What the marks say, as tables: the figures of docs/quality.md. Pure."""

from collections import Counter
from collections.abc import Sequence

from tests.scenarios.conversations.spoken import CAUSES, Saying, Spoken


def count_table(conversations: Sequence[Spoken]) -> str:
    """Markdown: turns and conversations that are right and that are known to fail, by kind of turn."""
    turns = [turn for one in conversations for turn in one.sayings]
    kinds = Counter(turn.kind for turn in turns)
    failed = Counter(turn.kind for turn in turns if turn.known)
    lines = ["| kind of turn | turns | right | known to fail |", "|---|---:|---:|---:|"]
    lines += [
        f"| {kind} | {number} | {number - failed[kind]} | {failed[kind]} |" for kind, number in kinds.most_common()
    ]
    whole = [one for one in conversations if not any(turn.known for turn in one.sayings)]
    bad = failed.total()
    lines += [
        f"| **all turns** | **{len(turns)}** | **{len(turns) - bad}** | **{bad}** |",
        f"| **whole conversations** | **{len(conversations)}** | **{len(whole)}** | "
        f"**{len(conversations) - len(whole)}** |",
    ]
    return "\n".join(lines)


def cause_table(conversations: Sequence[Spoken]) -> str:
    """Markdown: every known failure with its cause, most frequent cause first."""
    known = [(cause_of(turn), one.name, turn) for one in conversations for turn in one.sayings if turn.known]
    causes = Counter(cause for cause, _, _ in known)
    lines: list[str] = []
    for cause, number in causes.most_common():
        lines += [
            f"**{CAUSES[cause]}** ({number})",
            "",
            "| conversation | the citizen says | what happens |",
            "|---|---|---|",
        ]
        lines += [f"| {name} | {_short(turn)} | {_what(turn)} |" for one, name, turn in known if one == cause]
        lines.append("")
    return "\n".join(lines).strip()


def cause_of(turn: Saying) -> str:
    """The cause that a mark names. Raises ValueError if it is none of ours."""
    cause = (turn.known or "").partition(":")[0]
    if cause not in CAUSES:
        raise ValueError(f"{turn.say!r}: a mark begins with one of {', '.join(CAUSES)}")
    return cause


def _what(turn: Saying) -> str:
    return (turn.known or "").partition(":")[2].strip()


def _short(turn: Saying) -> str:
    words = " ".join((turn.say or f"({turn.play})").split()).replace("|", "/")
    return words if len(words) <= 90 else words[:89].rsplit(" ", 1)[0] + "…"
