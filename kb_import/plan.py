"""What an import would do to the bank: pure. Rows are matched to live entries by key, then by likeness."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import StrEnum

from rapidfuzz import fuzz, process

from bot.contracts.ids import EntryId, SubjectId, UnitCode
from faq.entry import EntryDraft, EntryRecord
from kb_import.columns import Role
from kb_import.difference import Piece, differ
from kb_import.found import FoundRow
from kb_import.keys import keys_of
from kb_import.problem import Problem, Severity
from kb_import.reading import Reading

ALIKE = 0.80
"""Likeness of two questions, 0..1, from which a row is a new wording of a live entry."""
ALIKE_WITH_SAME_ANSWER = 0.55
"""The same when the answers are the same to the letter: the answer says that it is the same matter."""
_COLUMNS: Mapping[str, AbstractSet[Role]] = {
    "legal_basis": {Role.LEGAL_BASIS},
    "confirmed_on": {Role.CONFIRMED_ON},
    "valid_from": {Role.VALID_FROM, Role.VALIDITY},
    "valid_until": {Role.VALID_UNTIL, Role.VALIDITY},
    "place": {Role.PLACE},
}
"""Fields of an entry by the columns that speak of them."""
_MAX_PAIRS = 4_000_000

Likeness = Callable[[str, str], float]
"""How alike two questions are, 0..1."""


@dataclass(frozen=True, slots=True)
class Add:
    """A new entry."""

    row: FoundRow
    draft: EntryDraft


@dataclass(frozen=True, slots=True)
class Change:
    """A live entry that gets new content."""

    row: FoundRow
    draft: EntryDraft
    entry: EntryRecord

    @property
    def answer_difference(self) -> tuple[Piece, ...]:
        """Word by word, old answer to new."""
        return differ(self.entry.draft.answer, self.draft.answer)

    @property
    def question_difference(self) -> tuple[Piece, ...]:
        """Word by word, old question to new."""
        return differ(self.entry.draft.question, self.draft.question)

    @property
    def added_phrasings(self) -> tuple[str, ...]:
        """Ways to ask that the file brings."""
        return tuple(one for one in self.draft.phrasings if one not in self.entry.draft.phrasings)

    @property
    def removed_phrasings(self) -> tuple[str, ...]:
        """Ways to ask that an earlier file brought and this one no longer holds, or that are now the question."""
        return tuple(one for one in self.entry.draft.phrasings if one not in self.draft.phrasings)

    @property
    def changed_fields(self) -> tuple[str, ...]:
        """Names of the draft's fields that differ."""
        names = EntryDraft.__dataclass_fields__
        return tuple(one for one in names if getattr(self.draft, one) != getattr(self.entry.draft, one))


@dataclass(frozen=True, slots=True)
class Source:
    """The file an import comes from."""

    file_name: str
    sha256: str
    size: int


class Status(StrEnum):
    """What may be done with a plan."""

    REFUSED = "refused"
    """There are errors: mend the file."""
    NEEDS_MAPPING = "needs_mapping"
    """A layout is not certain: confirm or correct the proposal."""
    READY = "ready"
    NOTHING = "nothing"
    """The bank says the same already."""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The whole report of an import before it happens. Nothing is changed by making one."""

    source: Source
    unit: UnitCode
    bank: str
    reading: Reading
    adds: tuple[Add, ...]
    changes: tuple[Change, ...]
    retirements: tuple[EntryRecord, ...]
    """Live entries that the file no longer holds."""
    unchanged: int
    problems: tuple[Problem, ...]
    live: Mapping[EntryId, int]
    """Version of every live entry of the bank when the plan was made: applying checks that it still holds."""
    settled: bool = False
    """True when a person settled the mapping in this very import: it is then remembered."""
    phrasings: Mapping[EntryId, tuple[str, ...]] = field(default_factory=dict)
    """What the file says of the ways to ask for entries that are live, where it has a column for them."""
    place_names: Mapping[UnitCode, str] = field(default_factory=dict)
    subject_names: Mapping[SubjectId, str] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """What may be done with it."""
        if any(one.severity is Severity.ERROR for one in self.problems):
            return Status.REFUSED
        if self.reading.proposals:
            return Status.NEEDS_MAPPING
        return Status.READY if self.adds or self.changes or self.retirements else Status.NOTHING

    @property
    def retires_most(self) -> bool:
        """Would it take more than half of the bank out of use? Then a plain yes is not enough."""
        return len(self.retirements) * 2 > len(self.live)

    @property
    def drafts(self) -> tuple[EntryDraft, ...]:
        """What must be embedded before it can be applied."""
        return (*(one.draft for one in self.adds), *(one.draft for one in self.changes))


@dataclass(frozen=True, slots=True)
class Matched:
    """Rows against live entries."""

    adds: tuple[Add, ...]
    changes: tuple[Change, ...]
    retirements: tuple[EntryRecord, ...]
    unchanged: int
    phrasings: Mapping[EntryId, tuple[str, ...]]


def plan_matches(
    drafts: Sequence[tuple[FoundRow, EntryDraft]],
    live: Sequence[EntryRecord],
    alike: Likeness,
    told: Mapping[str, AbstractSet[Role]],
    from_files: Mapping[EntryId, tuple[str, ...]] | None = None,
) -> Matched:
    """Pair each row with at most one live entry: first by the question's key, then the likeliest first.

    `told`: by sheet, what it has columns for. Of anything else the file says nothing, and the live entry keeps it.
    `from_files`: the ways to ask that the unit's last file held for an entry; what editors added is not among them.
    """
    held = from_files or {}
    by_key: dict[str, list[int]] = {}
    for index, key in enumerate(keys_of([one.draft.question for one in live])):
        by_key.setdefault(key, []).append(index)
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for number, key in enumerate(keys_of([draft.question for _, draft in drafts])):
        if waiting := by_key.get(key):
            pairs[number] = waiting.pop(0)
            taken.add(pairs[number])
    rest_rows = [number for number in range(len(drafts)) if number not in pairs]
    rest_live = [index for index in range(len(live)) if index not in taken]
    for number, index in _likely_pairs(drafts, live, rest_rows, rest_live, alike):
        if number not in pairs and index not in taken:
            pairs[number] = index
            taken.add(index)
    adds, changes, unchanged = [], [], 0
    phrasings: dict[EntryId, tuple[str, ...]] = {}
    for number, (row, draft) in enumerate(drafts):
        if number not in pairs:
            adds.append(Add(row, draft))
            continue
        entry = live[pairs[number]]
        columns = told.get(row.sheet, frozenset())
        gone: set[str] = set()
        if row.phrasings or Role.PHRASINGS in columns:
            phrasings[entry.id] = draft.phrasings
            gone = set(held.get(entry.id, ())) - set(draft.phrasings)
        merged = _merged(draft, entry.draft, gone, columns)
        if merged == entry.draft:
            unchanged += 1
        else:
            changes.append(Change(row, merged, entry))
    retirements = tuple(live[one] for one in rest_live if one not in taken)
    return Matched(tuple(adds), tuple(changes), retirements, unchanged, phrasings)


def _merged(draft: EntryDraft, live: EntryDraft, gone: set[str], columns: AbstractSet[Role]) -> EntryDraft:
    """The file's word, and what only the live entry knows: phrasings that editors added from what citizens asked, and
    what the file has no column for.

    `gone`: phrasings that came from a file and are no longer in it.
    """
    silent = {name: getattr(live, name) for name, roles in _COLUMNS.items() if not roles & columns}

    kept = (one for one in live.phrasings if one not in gone)
    phrasings = tuple(dict.fromkeys((*kept, *draft.phrasings)))
    merged = replace(
        draft,
        phrasings=tuple(one for one in phrasings if one != draft.question),
        subject=draft.subject if draft.subject is not None else live.subject,
        **{name: value for name, value in silent.items() if not getattr(draft, name)},
    )
    if merged.valid_from and merged.valid_until and merged.valid_from > merged.valid_until:
        return replace(merged, valid_from=draft.valid_from, valid_until=draft.valid_until)  # the file's own, alone
    return merged


def _likely_pairs(
    drafts: Sequence[tuple[FoundRow, EntryDraft]],
    live: Sequence[EntryRecord],
    rows: Sequence[int],
    entries: Sequence[int],
    alike: Likeness,
) -> list[tuple[int, int]]:
    """(row, entry) pairs that are alike enough, the likeliest first."""
    if not rows or not entries or len(rows) * len(entries) > _MAX_PAIRS:
        return []
    questions = keys_of([drafts[one][1].question for one in rows])
    known = keys_of([live[one].draft.question for one in entries])
    spelt = process.cdist(questions, known, scorer=fuzz.ratio, score_cutoff=40.0, workers=1)
    found: list[tuple[float, int, int]] = []
    for at, number in enumerate(rows):
        answer = drafts[number][1].answer
        for beside in spelt[at].nonzero()[0]:
            index = entries[int(beside)]
            entry = live[index]
            likeness = max(float(spelt[at][beside]) / 100.0, alike(drafts[number][1].question, entry.draft.question))
            least = ALIKE_WITH_SAME_ANSWER if answer == entry.draft.answer else ALIKE
            if likeness >= least and _same_numbers(questions[at], known[int(beside)]):
                found.append((likeness, number, index))
    found.sort(key=lambda one: (-one[0], one[1], one[2]))
    return [(number, index) for _, number, index in found]


def _same_numbers(one: str, other: str) -> bool:
    """ "Tiêm mũi 2 khi nào" and "Tiêm mũi 3 khi nào" are alike in letters and not in matter."""
    return [word for word in one.split() if word.isdecimal()] == [word for word in other.split() if word.isdecimal()]
