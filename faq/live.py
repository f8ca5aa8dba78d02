"""What questions are answered from at one moment, and what it has said lately."""

from datetime import date
from functools import lru_cache
from typing import Final

from bot.contracts.ids import EntryId
from faq.abbreviations import StaffTable
from faq.index import Index
from faq.search import Found, Searcher

KEPT: Final = 512
"""So many readings and findings are kept: the question before is looked at again with the next one."""


class Live:
    """One index, and the searcher with the tables and limits that belong to it.

    Replaced as a whole: a question that has begun goes on with what it began with.
    """

    def __init__(self, index: Index, searcher: Searcher, staff: StaffTable) -> None:
        self.index, self.searcher, self.staff = index, searcher, staff

        # Closures over index and searcher, not methods: a cycle through this object would keep a whole index alive.
        @lru_cache(maxsize=KEPT)
        def read(text: str) -> tuple[list[tuple[str, ...]], float]:
            return searcher.read(index, text)

        @lru_cache(maxsize=KEPT)
        def search(text: str, today: date, place: str | None, exclude: frozenset[EntryId]) -> Found:
            return searcher.search_clauses(index, *read(text), today=today, place=place, exclude=exclude)

        self.read = read
        """`Searcher.read` of a text."""
        self.search = search
        """`Searcher.search` of a text, on a day, from a place or None, without these entries."""
