"""Entries of the citizen's own place go first; entries of other places are never sent to them."""

from datetime import date

import pytest

from bot.base.db import Database
from bot.contracts.ids import EntryId, UnitCode
from faq.decide import Answer
from faq.embed import Embedder, load_embedder
from faq.engine import FaqEngine, place_code
from faq.entry import EntryDraft
from faq.settings import FaqSettings
from faq.store import add_entry, ensure_bank, publish

TODAY = date(2026, 11, 24)
ASKED = "Đăng ký tiêm vắc xin ở đâu?"
NAMES = {
    UnitCode("14797"): "UBND phường Hạc Thành",
    UnitCode("16282"): "UBND xã Hà Long",
    UnitCode("393"): "Huyện Hà Trung (trước 7/2025)",
    UnitCode("14800"): "UBND phường Hà Long",
}
DRAFTS = (
    EntryDraft(ASKED, "Tại trạm y tế nơi cư trú."),
    EntryDraft(ASKED, "Tại nhà văn hóa phường Hạc Thành.", place="14797"),
    EntryDraft(ASKED, "Tại trạm y tế xã Hà Long.", place="16282"),
    EntryDraft("Mất nước sinh hoạt thì gọi số điện thoại nào?", "Gọi 1022."),
    EntryDraft("Đăng ký kết hôn cần mang theo giấy tờ gì?", "Căn cước và tờ khai."),
)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder(FaqSettings())


async def started(database: Database, embedder: Embedder) -> tuple[FaqEngine, list[EntryId]]:
    async with database.transaction() as session:
        bank = await ensure_bank(session, UnitCode("SYT"), "Tiêm chủng")
        entries = [await add_entry(session, bank, draft, by=None, why="thử") for draft in DRAFTS]
        await publish(session)
    engine = FaqEngine(database, embedder, FaqSettings(), unit_names=NAMES)
    await engine.start()
    return engine, entries


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("Hạc Thành", DRAFTS[1].answer),
        ("phuong Hac Thanh", DRAFTS[1].answer),
        ("14797", DRAFTS[1].answer),
        ("xã Hà Long", DRAFTS[2].answer),
        ("Nghi Sơn", DRAFTS[0].answer),
    ],
)
async def test_the_own_place_goes_first_and_others_are_never_sent(
    database: Database, embedder: Embedder, place: str, told: str
) -> None:
    engine, entries = await started(database, embedder)
    decision = await engine.ask("đăng ký tiêm vắc xin ở đâu", today=TODAY, place=place)
    assert isinstance(decision, Answer)
    assert decision.entry.draft.answer == told
    others = {entry for entry, draft in zip(entries, DRAFTS, strict=True) if draft.place and draft.answer != told}
    assert not others & {one.entry for one in decision.evidence.candidates}


async def test_another_question_is_not_bent_to_the_own_place(database: Database, embedder: Embedder) -> None:
    engine, entries = await started(database, embedder)
    decision = await engine.ask("mất nước thì gọi số nào", today=TODAY, place="Hạc Thành")
    assert decision.evidence.candidates[0].entry == entries[3]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("14797", "14797"),
        ("ở phường Hạc Thành", "14797"),
        ("HẠC THÀNH", "14797"),
        ("Hà Long", "Hà Long"),  # a commune and a ward: which one is not said
        ("Hà Trung", "Hà Trung"),  # no entry holds for it
        ("", ""),
    ],
)
def test_which_place_is_meant(said: str, code: str) -> None:
    assert place_code(said, {"14797", "16282", "14800"}, NAMES) == code
