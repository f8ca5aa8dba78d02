"""The engine over the real PostgreSQL: what is published is answered, what is withdrawn is not."""

from datetime import date

import pytest

from bot.base.db import Database
from bot.contracts.ids import EntryId, UnitCode
from faq.decide import Answer, Answers, HandOver, OfferChoices, Reason
from faq.embed import Embedder, load_embedder
from faq.engine import FaqEngine
from faq.entry import EntryDraft
from faq.settings import FaqSettings
from faq.store import (
    add_entry,
    add_phrasing,
    change_entry,
    ensure_bank,
    load_live_entries,
    load_versions,
    publish,
    restore_entry,
    retire_entry,
)
from faq.tuning import set_target

TODAY = date(2026, 11, 24)
DRAFTS = (
    EntryDraft("Đăng ký kết hôn cần mang theo giấy tờ gì?", "Hai bên mang căn cước và tờ khai đến UBND cấp xã."),
    EntryDraft("Thủ tục đăng ký khai sinh cho trẻ em như thế nào?", "Cha hoặc mẹ nộp giấy chứng sinh tại UBND cấp xã."),
    EntryDraft("Người về từ vùng dịch có phải cách ly không?", "Khai báo với trạm y tế và làm theo hướng dẫn."),
)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder(FaqSettings())


async def fill(database: Database, *drafts: EntryDraft) -> list[EntryId]:
    async with database.transaction() as session:
        bank = await ensure_bank(session, UnitCode("STP"), "Hộ tịch")
        entries = [await add_entry(session, bank, draft, by=None, why="thử") for draft in drafts]
        await publish(session)
    return entries


async def started(database: Database, embedder: Embedder) -> FaqEngine:
    engine = FaqEngine(database, embedder, FaqSettings(), unit_names={UnitCode("STP"): "Sở Tư pháp"})
    await engine.start()
    return engine


async def test_a_published_entry_answers_its_own_question(database: Database, embedder: Embedder) -> None:
    entries = await fill(database, *DRAFTS)
    engine = await started(database, embedder)
    decision = await engine.ask("dang ky ket hon can giay to gi", today=TODAY)
    assert isinstance(decision, Answer)
    assert decision.entry.id == entries[0]
    assert decision.entry.unit_name == "Sở Tư pháp"
    assert decision.evidence.as_json()["candidates"][0]["entry"] == entries[0]


async def test_a_short_question_that_several_entries_could_mean_gets_choices(
    database: Database, embedder: Embedder
) -> None:
    cards = [
        EntryDraft("Mất thẻ căn cước thì xin cấp lại thế nào?", "Đến công an cấp xã, mang theo giấy tờ tùy thân khác."),
        EntryDraft("Trẻ dưới 14 tuổi có bắt buộc phải có thẻ căn cước không?", "Không bắt buộc; làm nếu cha mẹ muốn."),
        EntryDraft("Sáp nhập xã rồi có phải đổi căn cước không?", "Không phải đổi, thẻ vẫn dùng được."),
    ]
    entries = await fill(database, *DRAFTS, *cards)
    engine = await started(database, embedder)
    decision = await engine.ask("lam can cuoc can gi", today=TODAY)
    assert isinstance(decision, OfferChoices)
    assert {one.id for one in decision.entries} == set(entries[-3:])


async def test_a_correction_to_what_no_entry_has_is_not_answered_with_the_old_question(
    database: Database, embedder: Embedder
) -> None:
    entries = await fill(database, *DRAFTS)
    engine = await started(database, embedder)
    asked = "dang ky ket hon can giay to gi"
    decision = await engine.ask("nham y em la hộ chiếu", today=TODAY, previous=asked)
    assert isinstance(decision, HandOver)
    decision = await engine.ask("nham y em la khai sinh", today=TODAY, previous=asked)
    assert isinstance(decision, Answer | OfferChoices)
    first = decision.entry if isinstance(decision, Answer) else decision.entries[0]
    assert first.id == entries[1]


async def test_a_follow_up_does_away_with_what_it_replaces(database: Database, embedder: Embedder) -> None:
    """Of "quán ăn có được bán tại chỗ không" the entry on karaoke bars has no "ăn", "bán" and "tại chỗ"."""
    drafts = [
        EntryDraft("Nhà hàng, quán ăn được bán tại chỗ ở những cấp độ dịch nào?", "Ở cấp 1 và cấp 2."),
        EntryDraft("Quán karaoke, mát-xa, internet, tiệm cắt tóc đã được mở lại chưa?", "Tiệm cắt tóc đã được mở."),
        EntryDraft("Cơ sở karaoke bị tạm dừng mà vẫn lén hoạt động thì báo ở đâu?", "Báo công an cấp xã."),
    ]
    entries = await fill(database, *DRAFTS, *drafts)
    engine = await started(database, embedder)
    asked = "quán ăn có được bán tại chỗ không"
    decision = await engine.ask("thế quán karaoke", today=TODAY, previous=asked)
    assert isinstance(decision, Answer)
    assert decision.entry.id == entries[4]
    assert isinstance(await engine.ask("thế còn hộ chiếu thì sao", today=TODAY, previous=asked), HandOver)


async def test_an_empty_bank_hands_over(database: Database, embedder: Embedder) -> None:
    engine = await started(database, embedder)
    decision = await engine.ask("Đăng ký kết hôn?", today=TODAY)
    assert isinstance(decision, HandOver)
    assert decision.reason is Reason.EMPTY_BANK


async def test_changes_are_live_after_refresh(database: Database, embedder: Embedder) -> None:
    first, *_ = await fill(database, *DRAFTS)
    engine = await started(database, embedder)
    async with database.transaction() as session:
        await change_entry(
            session, first, EntryDraft("Xin xác nhận độc thân ở đâu?", "Tại UBND cấp xã."), by=None, why=""
        )
        generation = await publish(session)
    await engine.refresh()
    assert engine.generation == generation
    decision = await engine.ask("xin xác nhận độc thân ở đâu", today=TODAY)
    assert isinstance(decision, Answer)
    assert decision.entry.version == 2
    async with database.transaction() as session:
        await retire_entry(session, first, by=None, why="sai")
        await publish(session)
    await engine.refresh()
    decision = await engine.ask("xin xác nhận độc thân ở đâu", today=TODAY)
    assert not (isinstance(decision, Answer) and decision.entry.id == first)
    async with database.transaction() as session:
        await restore_entry(session, first, by=None, why="đúng")
        await add_phrasing(session, first, "giấy chứng nhận chưa vợ chưa chồng", by=None)
        await publish(session)
    await engine.refresh()
    decision = await engine.ask("giấy chứng nhận chưa vợ chưa chồng", today=TODAY)
    assert isinstance(decision, Answer)
    assert decision.entry.id == first


@pytest.mark.parametrize(
    "draft",
    [
        EntryDraft(DRAFTS[0].question, "Cũ.", valid_until=date(2026, 11, 23)),
        EntryDraft(DRAFTS[0].question, "Mai.", valid_from=date(2026, 11, 25)),
    ],
)
async def test_what_is_not_in_force_is_never_sent(database: Database, embedder: Embedder, draft: EntryDraft) -> None:
    entry, *_ = await fill(database, draft, *DRAFTS[1:])
    engine = await started(database, embedder)
    decision = await engine.ask(draft.question, today=TODAY)
    assert entry not in [one.entry for one in decision.evidence.candidates]


async def test_a_second_start_embeds_nothing(database: Database, embedder: Embedder) -> None:
    await fill(database, *DRAFTS)
    await started(database, embedder)
    done: list[tuple[int, int]] = []
    engine = FaqEngine(database, embedder, FaqSettings())
    await engine.start(progress=lambda at, total: done.append((at, total)))
    assert engine.size == len(DRAFTS)
    assert done == []


async def test_two_questions_give_two_answers(database: Database, embedder: Embedder) -> None:
    entries = await fill(database, *DRAFTS)
    engine = await started(database, embedder)
    text = "Chào anh chị! Đăng ký kết hôn cần mang theo giấy tờ gì? Người về từ vùng dịch có phải cách ly không?"
    decision = await engine.ask(text, today=TODAY)
    assert isinstance(decision, Answers)
    assert [part.entry.id for part in decision.parts] == [entries[0], entries[2]]


async def test_asked_again_after_a_bad_answer_goes_to_a_person(database: Database, embedder: Embedder) -> None:
    entries = await fill(database, *DRAFTS)
    engine = await started(database, embedder)
    decision = await engine.ask(DRAFTS[0].question, today=TODAY, exclude=frozenset({entries[0]}))
    assert isinstance(decision, HandOver)
    assert decision.reason is Reason.ASKED_AGAIN


FEES = EntryDraft(
    "Đăng ký khai sinh cho trẻ em ở đâu?",
    "Hồ sơ gồm tờ khai và giấy chứng sinh, nộp tại UBND cấp xã. Không mất lệ phí; thời hạn giải quyết trong ngày.",
)
COPY = EntryDraft("Xin bản sao giấy khai sinh khi bị mất thì làm thế nào?", "Nộp tờ khai tại UBND cấp xã nơi đăng ký.")


async def test_what_names_no_thing_is_asked_of_the_entry_that_answered_if_it_deals_with_it(
    database: Database, embedder: Embedder
) -> None:
    birth, *_ = await fill(database, FEES, DRAFTS[0], DRAFTS[2])
    engine = await started(database, embedder)
    for said in ("lệ phí hết bao nhiêu", "mất mấy ngày ạ", "CAN MANG GIAY TO GI"):
        decision = await engine.ask(said, today=TODAY, previous=FEES.question)
        assert isinstance(decision, Answer), said
        assert decision.entry.id == birth
        assert decision.evidence.leans
        assert decision.evidence.as_json()["leans"] is True
    alone = await engine.ask("lệ phí hết bao nhiêu", today=TODAY)
    assert not isinstance(alone, Answer)
    other = await engine.ask("lệ phí hết bao nhiêu", today=TODAY, previous=DRAFTS[2].question)
    assert not (isinstance(other, Answer) and other.entry.draft.question == DRAFTS[2].question), (
        "it says nothing of fees"
    )


async def test_another_place_alone_gets_the_same_answer(database: Database, embedder: Embedder) -> None:
    entries = await fill(database, *DRAFTS)
    engine = await started(database, embedder)
    for said in ("ở Sầm Sơn thì sao?", "toi o Tinh Gia", "thế bên Nghi Sơn ạ"):
        decision = await engine.ask(said, today=TODAY, previous=DRAFTS[2].question)
        assert isinstance(decision, Answer), said
        assert decision.entry.id == entries[2]


async def test_a_correction_is_searched_without_what_it_takes_back(database: Database, embedder: Embedder) -> None:
    entries = await fill(database, *DRAFTS)
    engine = await started(database, embedder)
    decision = await engine.ask(
        "à không, ý em là đăng ký kết hôn cần mang theo giấy tờ gì", today=TODAY, previous=DRAFTS[1].question
    )
    assert isinstance(decision, Answer)
    assert decision.entry.id == entries[0]
    assert not decision.evidence.leans


async def test_a_bare_subject_offers_what_is_about_it(database: Database, embedder: Embedder) -> None:
    entries = await fill(database, FEES, COPY, DRAFTS[0], DRAFTS[2])
    engine = await started(database, embedder)
    decision = await engine.ask("khai sinh", today=TODAY)
    assert isinstance(decision, OfferChoices)
    assert {one.id for one in decision.entries} == set(entries[:2])


async def test_two_questions_in_one_breath_are_told_apart_if_both_can_be_answered(
    database: Database, embedder: Embedder
) -> None:
    entries = await fill(database, *DRAFTS)
    engine = await started(database, embedder)
    text = "đăng ký kết hôn cần mang theo giấy tờ gì và người về từ vùng dịch có phải cách ly không"
    decision = await engine.ask(text, today=TODAY)
    assert isinstance(decision, Answers)
    assert [part.entry.id for part in decision.parts] == [entries[0], entries[2]]
    one = await engine.ask("người từ vùng dịch về và chưa tiêm có phải cách ly không", today=TODAY)
    assert not isinstance(one, Answers)


async def test_a_stricter_target_raises_the_threshold(database: Database, embedder: Embedder) -> None:
    await fill(database, *DRAFTS)
    engine = await started(database, embedder)
    before = engine.thresholds.answer
    async with database.transaction() as session:
        await set_target(session, 0.97)
    await engine.refresh()
    assert engine.thresholds.target == 0.97
    assert engine.thresholds.answer > before
    assert engine.coverage_at(0.97).coverage < engine.coverage_at(0.9).coverage


async def test_history_keeps_what_an_entry_said(database: Database) -> None:
    first, *_ = await fill(database, *DRAFTS)
    async with database.transaction() as session:
        await change_entry(session, first, EntryDraft("Mới?", "Mới."), by=None, why="cập nhật")
        await retire_entry(session, first, by=None, why="hết hiệu lực")
        await retire_entry(session, first, by=None, why="lần nữa")
        versions = await load_versions(session, first)
    assert [(one.version, one.change) for one in versions] == [(3, "retired"), (2, "changed"), (1, "added")]
    assert versions[-1].draft == DRAFTS[0]


async def test_more_entries_than_a_statement_has_parameters_can_be_read(database: Database) -> None:
    entries = await fill(database, *DRAFTS, EntryDraft("Bốn?", "Bốn.", phrasings=("Tư?",)))
    many = [*entries, *(EntryId(number) for number in range(1_000_000, 1_070_000))]
    async with database.transaction() as session:
        found = await load_live_entries(session, ids=many)
    assert [one.id for one in found] == entries
    assert found[-1].draft.phrasings == ("Tư?",)
