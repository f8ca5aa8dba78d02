"""Which unit a person means by what they wrote. Pure: folded names, longest first, then a fuzzy look for typos."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from bot.contracts.ids import UnitCode
from handoff.unit import Unit, UnitKind
from nlu_data.vi_nlu.text import fold

FUZZY_LIMIT = 88.0
"""Least partial ratio (0..100) at which a misspelt name still counts; found on misspelt names of all units."""
FUZZY_LEAD = 3.0
"""By how much the best must beat the next unit."""
MIN_FUZZY_CHARS = 7
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _Name:
    unit: UnitCode
    text: str
    folded: str
    ended: bool


def plan_match(units: Sequence[Unit], text: str) -> UnitCode | None:
    """Code of the unit whose name stands in `text`, with or without diacritics; None if none does or it is unclear."""
    for word in _WORD.findall(text):
        for unit in units:
            if word == unit.code and (word.isdigit() or word.isupper()):
                return unit.code
    names = [name for unit in units for name in _names(unit)]
    spoken = f" {_plain(text)} "
    standing = [name for name in names if f" {name.folded} " in spoken]
    if standing:
        longest = max(len(name.folded) for name in standing)
        return _choose([name for name in standing if len(name.folded) == longest], text)
    return _guess(names, spoken.strip())


def _choose(names: Sequence[_Name], text: str) -> UnitCode | None:
    """Among equally long names: the one with the right diacritics, then one in force, then none."""
    written = f" {_words(text.casefold())} "
    spelt = [name for name in names if f" {_words(name.text.casefold())} " in written]
    for group in (spelt, names):
        alive = {name.unit for name in group if not name.ended}
        codes = alive or {name.unit for name in group}
        if len(codes) == 1:
            return codes.pop()
        if codes and group is spelt:
            return None
    return None


def _guess(names: Iterable[_Name], spoken: str) -> UnitCode | None:
    best: dict[UnitCode, float] = {}
    for name in names:
        if len(name.folded) < MIN_FUZZY_CHARS or len(spoken) < len(name.folded) - 1:
            continue
        ratio = fuzz.partial_ratio(name.folded, spoken)
        if ratio >= FUZZY_LIMIT:
            best[name.unit] = max(best.get(name.unit, 0.0), ratio)
    ranked = sorted(best.items(), key=lambda one: -one[1])
    if not ranked or (len(ranked) > 1 and ranked[0][1] - ranked[1][1] < FUZZY_LEAD):
        return None
    return ranked[0][0]


@lru_cache(maxsize=1024)
def _names(unit: Unit) -> tuple[_Name, ...]:
    written = {unit.name, unit.short_name, *unit.aliases}
    if unit.kind in {UnitKind.COMMUNE, UnitKind.FORMER_DISTRICT}:
        place = unit.short_name.removeprefix("UBND ")
        written.add(place)
        if unit.kind is UnitKind.COMMUNE:
            written.add(place.split(" ", 1)[1])  # "Hạc Thành" alone means the commune
    ended = unit.valid_until is not None
    return tuple(_Name(unit.code, one, _plain(one), ended) for one in written if one)


def _plain(text: str) -> str:
    """Folded words with one blank between them: "Sở Y tế?" is "so y te"."""
    return _words(fold(text))


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text))
