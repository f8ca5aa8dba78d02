"""An index that was changed is the index that would have been built, and the one before it stays as it was."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.contracts.ids import BankId, EntryId, UnitCode
from faq.dense import Graph, VectorIndex
from faq.embed import FloatArray, load_embedder
from faq.entry import EntryDraft, EntryRecord
from faq.index import Index, pieces_of
from faq.search import Searcher, load_searcher
from faq.settings import FaqSettings
from kb_import.samples.content import load_samples

TODAY = date(2026, 11, 24)
SETTINGS = FaqSettings()
SAMPLES = [entry for bank in load_samples() for entry in bank.entries][::9][:24]
DRAFTS = (
    *(EntryDraft(one.question, one.answer, one.phrasings or one.asked[:1]) for one in SAMPLES),
    EntryDraft("???", "Không có chữ nào trong câu hỏi."),
    EntryDraft(SAMPLES[0].question, "", valid_until=date(2026, 11, 23)),
    replace(EntryDraft(SAMPLES[1].question, SAMPLES[1].answer), place="16282"),
)
ASKED = (
    *(asked for one in SAMPLES[::3] for asked in one.asked[-1:]),
    "xin chao",
    "gia vang hom nay",
    SAMPLES[1].question,
)


@lru_cache
def searcher() -> Searcher:
    return load_searcher(SETTINGS, load_embedder(SETTINGS))


@lru_cache
def vectors() -> Mapping[str, FloatArray]:
    texts = list({piece.dense for draft in DRAFTS for piece in pieces_of(draft, searcher().abbreviations)})
    return dict(zip(texts, searcher().embedder.embed(texts), strict=True))


def record(number: int, version: int, draft: int) -> EntryRecord:
    return EntryRecord(EntryId(number), BankId(1), UnitCode("STP"), "Sở", version, DRAFTS[draft])


def built(live: Mapping[int, EntryRecord], generation: int, limit: int = 100_000) -> Index:
    """An index made at once."""
    held = list(live.values())
    return Index(
        held,
        [pieces_of(one.draft, searcher().abbreviations) for one in held],
        vectors(),
        dim=searcher().embedder.dim,
        generation=generation,
        exact_limit=limit,
        ordinary=searcher().ranker.ordinary,
        centre=searcher().ranker.centres.get(searcher().embedder.name),
    )


def results(index: Index) -> list[Any]:
    """What a search over it says to every question, to the last bit."""
    found = [searcher().search(index, text, today=TODAY, place=place) for text in ASKED for place in (None, "16282")]
    return [(one.normalised, one.candidates, one.trust.tolist()) for one in found]


STEP = st.dictionaries(st.integers(1, 9), st.none() | st.integers(0, len(DRAFTS) - 1), max_size=6)
"""By entry: what it says from now on; None: retired."""


@settings(max_examples=40, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=5))
def test_any_row_of_changes_gives_what_a_fresh_build_gives(steps: list[dict[int, int | None]]) -> None:
    live: dict[int, EntryRecord] = {}
    index = built(live, 0)
    passed = []
    for generation, step in enumerate(steps, 1):
        gone = [EntryId(number) for number, draft in step.items() if draft is None]
        came = [record(number, generation, draft) for number, draft in step.items() if draft is not None]
        live = {number: one for number, one in live.items() if step.get(number, 0) is not None}
        live.update({one.id: one for one in came})
        fresh = [(one, pieces_of(one.draft, searcher().abbreviations)) for one in came]
        index = index.changed(fresh, gone, vectors(), generation=generation)
        passed.append((index, results(index)))
        assert passed[-1][1] == results(built(live, generation))
        assert {one.id: one for one in index.entries} == live
    for before, said in passed:  # what came after has not touched the earlier ones
        assert results(before) == said


def test_an_entry_without_a_readable_question_is_never_offered() -> None:
    index = built({1: record(1, 1, len(DRAFTS) - 3), 2: record(2, 1, 0)}, 1)
    found = searcher().search(index, "Không có chữ nào trong câu hỏi", today=TODAY)
    assert [one.entry for one in found.candidates] == [2]


def unit(count: int, seed: int) -> FloatArray:
    drawn = np.random.default_rng(seed).standard_normal((count, 16)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def test_beyond_the_limit_a_graph_is_wanted_and_exact_search_bridges_the_time() -> None:
    index = VectorIndex(unit(300, 1), exact_limit=200)
    assert index.wants_graph
    assert index.exact
    index.attach(Graph(index.centred))
    assert not index.wants_graph
    assert not index.exact
    assert not VectorIndex(unit(200, 1), exact_limit=200).wants_graph


@pytest.mark.parametrize("seed", range(5))
def test_a_graph_finds_what_came_later_and_never_what_has_gone(seed: int) -> None:
    first, later = unit(300, seed), unit(10, seed + 100)
    index = VectorIndex(first, exact_limit=200)
    index.attach(Graph(index.centred))
    gone = set(np.random.default_rng(seed).choice(300, 10, replace=False).tolist())
    origin = np.array([at for at in range(300) if at not in gone] + [300 + at for at in range(10)])
    changed = index.changed(origin, later)
    assert not changed.exact
    assert not changed.wants_graph  # 20 of 300 are out of step
    everything = np.concatenate([first, later])[origin]
    assert np.array_equal(changed.vectors, everything)
    for at in (0, 289, 290, 299):  # kept ones and new ones find themselves
        rows, likeness = changed.nearest(changed.centred[at], 5)
        assert rows[0] == at
        assert len(set(rows.tolist())) == 5
        assert np.all(np.diff(likeness) <= 0)
        assert np.allclose(likeness, changed.centred[rows] @ changed.centred[at], atol=1e-5)


def test_a_graph_made_beside_changes_fits_the_index_of_now() -> None:
    live = {number: record(number, 1, number) for number in range(1, 8)}
    old = built(live, 1, limit=5)
    graph = Graph(old.dense.centred)
    fresh = [(one, pieces_of(one.draft, searcher().abbreviations)) for one in (record(3, 2, 20), record(9, 1, 21))]
    new = old.changed(fresh, [EntryId(5)], vectors(), generation=2)
    new.attach_graph(graph, old)
    assert not new.dense.exact
    for row in range(len(new.pieces)):
        assert new.pieces[int(new.dense.nearest(new.dense.centred[row], 1)[0][0])].dense == new.pieces[row].dense
