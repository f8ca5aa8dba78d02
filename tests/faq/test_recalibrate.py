"""The calibration is looked at again when enough has changed, and replaced only by a better founded one."""

import random
from datetime import date

import pytest

import faq.engine
import faq.recalibrate
from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.ids import BankId, EntryId, UnitCode
from faq.calibrate import Calibration, Judged, fit
from faq.embed import Embedder, load_embedder
from faq.engine import FaqEngine
from faq.entry import EntryDraft, EntryRecord
from faq.normalise import load_abbreviations
from faq.recalibrate import (
    CalibrationState,
    Check,
    Outcome,
    Practice,
    choose,
    is_due,
    least_trust,
    load_taught,
    plan_practice,
    take_turn,
)
from faq.settings import FaqSettings
from faq.store import add_entry, add_phrasing, ensure_bank, publish
from kb_import.samples.content import load_samples

TODAY = date(2026, 11, 24)
SAMPLES = [entry for bank in load_samples() for entry in bank.entries][::12]
DRAFTS = tuple(EntryDraft(one.question, one.answer, phrasings=one.asked[:1]) for one in SAMPLES)
TABLE = load_abbreviations(FaqSettings().abbreviations)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder(FaqSettings())


async def filled(database: Database, embedder: Embedder) -> tuple[FaqEngine, list[EntryId]]:
    async with database.transaction() as session:
        bank = await ensure_bank(session, UnitCode("STP"), "Hộ tịch")
        entries = [await add_entry(session, bank, draft, by=None, why="thử") for draft in DRAFTS]
        await publish(session)
    engine = FaqEngine(database, embedder, FaqSettings())
    await engine.start()
    return engine, entries


def decided(seed: int, *, real: int, made_up: int, hard: float = 0.0) -> tuple[list[Practice], list[Judged]]:
    """Questions and how a search decided them: trust tells right from wrong, less well if it is `hard`."""
    chance = random.Random(seed)
    questions, judged = [], []
    for at in range(real + made_up):
        answerable = chance.random() < 0.6
        right = answerable and chance.random() < 0.85
        trust = chance.gauss(2.5 if right else -2.5 + hard, 1.5)
        questions.append(Practice("", "", EntryId(at), answerable, real=at < real))
        judged.append(Judged(trust, right, right, answerable, 1.0 if at < real else 0.3))
    return questions, judged


def test_made_up_questions_make_it_stricter_but_never_bolder() -> None:
    lax, strict = fit(decided(1, real=400, made_up=0)[1]), fit(decided(1, real=400, made_up=0, hard=3.0)[1])
    assert least_trust(lax, 0.95) < least_trust(strict, 0.95)
    harder = decided(2, real=0, made_up=300, hard=3.0)
    outcome, new, before, after = choose(*harder, lax, 0.95)
    assert outcome is Outcome.REPLACED
    assert new is not None
    assert least_trust(new, 0.95) > least_trust(lax, 0.95)
    assert after < before
    easier = decided(3, real=0, made_up=300)
    assert choose(*easier, strict, 0.95)[:2] == (Outcome.NOT_BOLDER, None)
    judged = decided(3, real=100, made_up=200)
    assert choose(*judged, strict, 0.95)[0] is Outcome.REPLACED


def test_what_foretells_as_well_stays() -> None:
    questions, judged = decided(4, real=300, made_up=0)
    assert choose(questions, judged, fit(judged), 0.95)[:2] == (Outcome.KEPT, None)


@pytest.mark.parametrize("count", [0, 1, 20])
def test_too_few_questions_change_nothing(count: int) -> None:
    current = fit(decided(5, real=200, made_up=0)[1])
    assert choose(*decided(6, real=count, made_up=0), current, 0.95)[:2] == (Outcome.TOO_FEW, None)


def test_an_unreachable_target_is_the_strictest_of_all() -> None:
    assert least_trust(Calibration(1.0, 0.0, (), 0.5, 0), 0.95) == float("inf")


@pytest.mark.parametrize(("live", "changed", "due"), [(200, 20, True), (200, 19, False), (99, 99, False)])
def test_when_it_is_due(live: int, changed: int, due: bool) -> None:
    assert is_due(CalibrationState(None, 1, None, changed, live)) is due


def test_practice_is_the_same_for_the_same_bank() -> None:
    entries = [
        EntryRecord(EntryId(at), BankId(1), UnitCode("STP"), "Sở", 1, draft) for at, draft in enumerate(DRAFTS, 1)
    ]
    taught = {EntryId(1): [DRAFTS[0].phrasings[0], "đã bỏ"]}
    questions = plan_practice(entries, taught, TABLE, 7)
    assert questions == plan_practice(entries, taught, TABLE, 7)
    assert [one.asked for one in questions if one.real] == [DRAFTS[0].phrasings[0]]
    assert {one.answerable for one in questions} == {True, False}


async def test_a_check_is_kept_and_seen_by_staff(database: Database, embedder: Embedder) -> None:
    engine, entries = await filled(database, embedder)
    taught = "tổng đài này hỏi được những chuyện chi"
    async with database.transaction() as session:
        await add_phrasing(session, entries[0], taught, by=None)
        await publish(session)
    await engine.refresh()
    state = await engine.calibration_state()
    assert (state.calibrated_at, state.check, state.live, state.changed) == (None, None, len(DRAFTS), len(DRAFTS))
    check = await engine.recalibrate(today=TODAY, pause_s=0)
    assert check is not None
    assert check.judged == 1
    assert check.synthetic > len(DRAFTS)
    state = await engine.calibration_state()
    assert state.check == Check.from_json(check.as_json())
    assert state.changed == 0
    assert not is_due(state, fewest=1)
    assert (state.calibrated_at is not None) is (check.outcome is Outcome.REPLACED)
    async with database.transaction() as session:
        assert await load_taught(session) == {entries[0]: [taught]}


async def test_a_held_out_phrasing_is_not_found_by_itself(database: Database, embedder: Embedder) -> None:
    """The practice index must not hold what is asked: every question would be right."""
    engine, _ = await filled(database, embedder)
    live = engine._live
    assert live is not None
    questions = [
        Practice(one.phrasings[0], one.phrasings[0], number, True, False)
        for one, number in zip(DRAFTS, live.index.ids.tolist(), strict=True)
    ]
    practice = faq.recalibrate.without_what_is_asked(live.index, questions)
    assert len(practice.pieces) == len(live.index.pieces) - len(DRAFTS)
    assert not {piece.text for piece in practice.pieces} & {one.asked for one in questions}
    assert len(live.index.pieces) == 3 * len(DRAFTS)


async def test_one_process_at_a_time(database: Database, embedder: Embedder) -> None:
    engine, _ = await filled(database, embedder)
    async with database.transaction() as other:
        assert await take_turn(other)
        assert await engine.recalibrate(today=TODAY, pause_s=0) is None
    assert await engine.recalibrate(today=TODAY, pause_s=0) is not None


async def test_it_is_looked_at_by_itself_once_enough_has_changed(
    database: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faq.engine, "FEWEST_ENTRIES", len(DRAFTS))
    monkeypatch.setattr(faq.engine, "QUIET_S", 0.0)
    engine, entries = await filled(database, embedder)

    await engine.settled()
    first = (await engine.calibration_state()).check
    assert first is not None
    assert first.generation == 1
    async with database.transaction() as session:  # too little to look again
        await add_phrasing(session, entries[0], "một cách hỏi mới", by=None)
        await publish(session)
    await engine.refresh()
    await engine.settled()
    assert (await engine.calibration_state()).check == first


def test_a_check_as_json_and_back() -> None:
    check = Check(now(), 3, Outcome.KEPT, 1, 2, 0.25, 0.5)
    assert Check.from_json(check.as_json()) == check
