"""Bring the marks up to what a run showed: away where a turn is right, new where it is wrong; others stay."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.scenarios.conversations.play import Turned
from tests.scenarios.conversations.spoken import entry_called, load_file

_NAME, _WANT, _KNOWN = "- name: ", "      want:", "      known: "

_CHOSEN = "search: đúng câu nhưng chưa đủ chắc, chỉ đưa ra để chọn"
_OTHERS = "search: đưa ra câu không đúng để chọn"
_PERSON = "search: không câu nào đủ gần, chuyển người"
_OTHER = "search: trả lời bằng câu khác"
_OURS = (_CHOSEN, _OTHERS, _PERSON, _OTHER)
"""Marks that are written anew: what the search does with a question that it gets wrong changes with each ranker."""


def write_marks(folder: Path, played: Mapping[str, Sequence[Turned]]) -> None:
    """Rewrite only the lines `known:` of each file."""
    for path in sorted(folder.glob("*.yml")):
        names = iter([one.name for one in load_file(path)])
        path.write_text(marked(path.read_text("utf-8"), names, played), "utf-8")


def marked(text: str, names: Iterator[str], played: Mapping[str, Sequence[Turned]]) -> str:
    """The file's text with marks as the run showed."""
    out: list[str] = []
    turns: list[Turned] = []
    for line in text.split("\n"):
        if line.startswith(_KNOWN):
            continue
        if line.startswith(_NAME):
            turns = list(played[next(names)])
        out.append(line)
        if line.startswith(_WANT):
            turn = turns.pop(0)
            if not turn.right:
                kept = turn.saying.known if turn.saying.known and not turn.saying.known.startswith(_OURS) else None
                out.append(_KNOWN + json.dumps(kept or what_happened(turn), ensure_ascii=False))
    return "\n".join(out)


def what_happened(turn: Turned) -> str:
    """A first mark for a new failure. People may put a better one; it is kept as long as the turn fails."""
    seen, wanted = turn.seen, entries_in(turn.saying.want)
    if seen.outcome == "emergency":
        return "intent: bị coi là khẩn cấp"
    if seen.answered:
        return f"{_OTHER}, “{seen.answered[0]}”"
    if wanted & set(seen.offered):
        return _CHOSEN
    if seen.offered:
        return _OTHERS
    if seen.called_person:
        return _PERSON
    return f"intent: Rasa hiểu là {seen.intent}"


def entries_in(want: object) -> set[str]:
    """Every entry that a wish names."""
    match want:
        case {"any": [*several]}:
            return {entry for one in several for entry in entries_in(one)}
        case {"answer": str(one)} | {"find": str(one)}:
            return {entry_called(one)}
        case {"answer": [*several]}:
            return {entry_called(str(one)) for one in several}
        case _:
            return set()
