"""`python -m bench.conversations`: how many turns of the conversations are right, by kind, and why the others are not.

From the marks in tests/scenarios/conversations, which the scenario test keeps honest. `--play` plays them in a house
and prints what differs from the marks; `--mark` also brings the marks up to that; `--write` puts the tables into
docs/quality.md.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.ports import free_port
from tests.scenarios.conftest import LADDER_S, PATIENT, scratch
from tests.scenarios.conversations.count import cause_table, count_table
from tests.scenarios.conversations.mark import write_marks
from tests.scenarios.conversations.play import Turned, play_all
from tests.scenarios.conversations.spoken import FOLDER, Spoken, load_spoken
from tests.scenarios.house import PATIENCE_S, opened
from tests.simulators.zalo import ZaloSimulator

PAGE = Path(__file__).resolve().parents[1] / "docs" / "quality.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
console = Console(width=140)


def page_figures(conversations: Sequence[Spoken]) -> str:
    """What stands between the page's two comments."""
    return f"{count_table(conversations)}\n\n{cause_table(conversations)}"


def play(conversations: Sequence[Spoken]) -> dict[str, list[Turned]]:
    """Play all of them; print each turn whose mark does not fit."""
    port = free_port()
    zalo = ZaloSimulator(gateway=f"http://127.0.0.1:{port}", ladder_s=LADDER_S, patience_s=PATIENCE_S).start()
    try:
        with scratch() as data, opened(data, zalo.environment() | PATIENT, port=port) as house:
            played = play_all(house, zalo, conversations)
    finally:
        zalo.stop()
    right = sum(turn.right for turns in played.values() for turn in turns)
    console.print(f"{right} of {sum(map(len, played.values()))} turns right")
    for name, turns in played.items():
        for turn in turns:
            if turn.right is bool(turn.saying.known):
                now = "right now" if turn.right else "wrong"
                console.print(f"{name}: {turn.words!r} is {now}: {turn.seen}", markup=False)
    return played


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--play", action="store_true", help="play them in a house")
    parser.add_argument("--mark", action="store_true", help="play them and bring the marks up to what was seen")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/quality.md")
    chosen = parser.parse_args()
    conversations = load_spoken()
    if chosen.play or chosen.mark:
        played = play(conversations)
        if chosen.mark:
            write_marks(FOLDER, played)
            load_spoken.cache_clear()
            conversations = load_spoken()
    figures = page_figures(conversations)
    if chosen.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{figures}\n{END}{rest.partition(END)[2]}", "utf-8")
    console.print(figures, markup=False)


if __name__ == "__main__":
    main()
