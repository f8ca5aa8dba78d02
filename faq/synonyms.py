"""What citizens call a thing and what the administration calls it: the staff's table nlu_data/synonyms.yml."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Final

import yaml

from bot.contracts.errors import Refused
from faq.normalise import key_of, weight_of, words_of
from faq.settings import ROOT

SYNONYMS_FILE: Final = ROOT / "nlu_data" / "synonyms.yml"
KINDS_GROUP: Final = "loại câu hỏi"
"""The table's part whose words tell what is asked about a thing, not which thing."""
NOTHING: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the words of a text stand for."""

    keys: tuple[str, ...]
    """The words without diacritics."""
    senses: tuple[frozenset[int], ...]
    """Of each word, the groups of synonyms that it takes part in naming here."""
    named: frozenset[int]
    """All groups named in the text."""
    kinds: frozenset[int]
    """What is asked: how much, how long, where … (numbers of kinds)."""
    spans: tuple[tuple[int, int, int], ...]
    """(first word, word after the last, group) of every name found."""
    every: Mapping[str, frozenset[int]]
    """Each key once, with what its last word takes part in naming."""
    grammar: Mapping[str, float]
    """Of each key, how much its last word tells (`normalise.weight_of`)."""


class Synonyms:
    """The table, ready to look through texts."""

    def __init__(self, groups: Sequence[Sequence[tuple[str, ...]]], kinds: Sequence[Sequence[tuple[str, ...]]]) -> None:
        self.groups = tuple(tuple(group) for group in groups)
        self._kind_groups = tuple(tuple(group) for group in kinds)
        self._names = _by_form(groups)
        self._kinds = _by_form(kinds)
        self._longest = max((len(name) for group in (*groups, *kinds) for name in group), default=1)
        self.meaning = lru_cache(maxsize=1 << 15)(self._meaning)
        """What a row of words stands for; the same texts come up again and again."""

    def names(self) -> Iterator[tuple[str, ...]]:
        """All names of the table, of things and of kinds of question."""
        yield from chain.from_iterable((*self.groups, *self._kind_groups))

    def _meaning(self, words: tuple[str, ...]) -> Meaning:
        keys = tuple(key_of(word) for word in words)
        spans: list[tuple[int, int, int]] = []
        kinds: set[int] = set()
        for at in range(len(words)):
            found = found_kind = False
            for stop in range(min(len(words), at + self._longest), at, -1):
                form = form_of(words[at:stop])
                if not found and form in self._names:
                    found = True
                    spans += [(at, stop, group) for group in self._names[form]]
                if not found_kind and form in self._kinds:
                    found_kind = True
                    kinds.update(self._kinds[form])
        senses: list[set[int]] = [set() for _ in words]
        for start, stop, group in spans:
            for at in range(start, stop):
                senses[at].add(group)
        each = tuple(frozenset(sense) if sense else NOTHING for sense in senses)
        return Meaning(
            keys,
            each,
            frozenset(group for _, _, group in spans),
            frozenset(kinds),
            tuple(spans),
            dict(zip(keys, each, strict=True)),
            {key: weight_of(word) for key, word in zip(keys, words, strict=True)},
        )


def form_of(words: Sequence[str]) -> str:
    """How a name is compared: one word with its marks, several without ("so do" can only be "sổ đỏ")."""
    return words[0] if len(words) == 1 else " ".join(key_of(word) for word in words)


def parse_synonyms(source: str) -> Synonyms:
    """The staff's table. Raises Refused, naming what is wrong."""
    try:
        parts = yaml.safe_load(source) or {}
    except yaml.YAMLError as error:
        raise Refused(problem=f"Bảng từ đồng nghĩa không đọc được: {error}") from error
    if not isinstance(parts, dict):
        raise Refused(problem="Bảng từ đồng nghĩa phải gồm các mục, mỗi mục là danh sách các nhóm.")
    groups: list[list[tuple[str, ...]]] = []
    kinds: list[list[tuple[str, ...]]] = []
    for part, held in parts.items():
        lists = list(held.values()) if isinstance(held, dict) and part == KINDS_GROUP else held
        if not isinstance(lists, list) or not all(isinstance(names, list) for names in lists):
            raise Refused(problem=f"Mục “{part}” của bảng từ đồng nghĩa: mỗi dòng phải là một danh sách trong [].")
        for names in lists:
            read = dict.fromkeys(tuple(words_of(str(name))) for name in names)
            (kinds if part == KINDS_GROUP else groups).append([name for name in read if name])
    return Synonyms(groups, kinds)


@lru_cache(maxsize=4)
def load_synonyms(path: Path = SYNONYMS_FILE) -> Synonyms:
    """The table in that file, read once. Raises Refused."""
    return parse_synonyms(path.read_text(encoding="utf-8"))


def _by_form(groups: Sequence[Sequence[tuple[str, ...]]]) -> Mapping[str, tuple[int, ...]]:
    found: defaultdict[str, dict[int, None]] = defaultdict(dict)
    for number, group in enumerate(groups):
        for name in group:
            found[form_of(name)][number] = None
    return {form: tuple(numbers) for form, numbers in found.items()}
