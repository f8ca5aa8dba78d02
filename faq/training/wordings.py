"""Question banks of our own making and how citizens put their questions, for training only.

One bank after another: "# bộ: name", then a line per entry, "what the bank asks | a citizen's wording | another …",
then lines that begin with "!", questions near the subject that no entry answers. `practice.txt` teaches the ranker,
`wordings/*.txt` the sentence vectors (faq/training/tune.py); of these some banks are kept back for the ranker, which
must see the vectors on questions that they were not taught.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

HERE: Final = Path(__file__).parent
UNANSWERED: Final = "!"
KEPT_BACK: Final = 8
"""Of so many banks of wordings one is kept back from the sentence vectors."""

Banks = dict[str, list[tuple[str, ...]]]
"""Rows by bank: an entry and its wordings, or one question that nothing answers, after "!"."""


def load_practice() -> Banks:
    """The practice banks."""
    return read_banks([HERE / "practice.txt"])


def load_wordings() -> Banks:
    """The banks of wordings, all of them."""
    return read_banks(sorted((HERE / "wordings").glob("*.txt")))


def is_kept_back(bank: str) -> bool:
    """Is that bank of wordings for the ranker, and not for the sentence vectors?"""
    return crc32(bank.encode()) % KEPT_BACK == 0


def read_banks(paths: Iterable[Path]) -> Banks:
    """The banks of these files. Raises ValueError where a line belongs to no bank or a name comes twice."""
    banks: Banks = {}
    rows: list[tuple[str, ...]] | None = None
    for path, number, line in _lines(paths):
        if line.startswith("# bộ:"):
            name = line.removeprefix("# bộ:").strip()
            if name in banks:
                raise ValueError(f"{path.name}, line {number}: bank {name!r} comes twice")
            rows = banks[name] = []
        elif not line.startswith("#"):
            if rows is None:
                raise ValueError(f"{path.name}, line {number}: no bank before it")
            rows.append((line,) if line.startswith(UNANSWERED) else tuple(part.strip() for part in line.split("|")))
    return banks


def _lines(paths: Iterable[Path]) -> Iterator[tuple[Path, int, str]]:
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                yield path, number, line.strip()
