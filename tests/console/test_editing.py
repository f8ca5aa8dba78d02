"""Editors teach the bot: over the real PostgreSQL and the real embedder."""

import pytest

from bot.base.db import Database
from bot.contracts.errors import NotAllowed, Refused
from bot.contracts.ids import BankId
from console.editing import Editing, NotYourBank
from faq.decide import Answer
from faq.embed import Embedder, load_embedder
from faq.engine import FaqEngine
from faq.entry import EntryDraft
from faq.settings import FaqSettings
from faq.store import get_entry, load_versions
from handoff.reading import load_unanswered
from handoff.role import Role
from tests.console.house import House

QUESTION = "Làm lại sổ hộ nghèo ở đâu?"
MEASLES = EntryDraft("Tiêm vắc xin sởi cho trẻ ở đâu?", "Tại trạm y tế xã, miễn phí.")


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder(FaqSettings())


@pytest.fixture
async def house(database: Database) -> House:
    one = House(database)
    await one.furnish()
    return one


@pytest.fixture
async def editing(house: House, embedder: Embedder) -> Editing:
    engine = FaqEngine(house.database, embedder, FaqSettings())
    await engine.start()
    return Editing(house.database, engine)


async def test_a_new_entry_answers_the_question_it_was_written_for(house: House, editing: Editing) -> None:
    editor = await house.person("bt", Role.EDITOR, "SYT")
    await house.entries("SYT", "Y tế", MEASLES)
    ticket = await house.ticket(await house.citizen(), QUESTION)
    bank = (await editing.load_banks_for(editor))[0].id
    entry = await editing.teach_entry(editor, ticket.id, bank, EntryDraft("Cấp lại sổ", "Tại UBND xã."), QUESTION)
    decision = await editing.ask(QUESTION)
    assert isinstance(decision, Answer)
    assert decision.entry.id == entry
    async with house.database.transaction() as session:
        assert await load_unanswered(session, editor) == []


async def test_a_phrasing_makes_an_old_entry_answer_new_words(house: House, editing: Editing) -> None:
    editor = await house.person("bt", Role.EDITOR, "SYT")
    (entry,) = await house.entries("SYT", "Y tế", MEASLES)
    words = "be nha em chich ngua ban do o cho mo"
    ticket = await house.ticket(await house.citizen(), words)
    await editing.teach_phrasing(editor, ticket.id, entry, words)
    decision = await editing.ask(words)
    assert isinstance(decision, Answer)
    assert decision.entry.id == entry


async def test_an_editor_edits_the_own_unit_only(house: House, editing: Editing) -> None:
    editor = await house.person("bt", Role.EDITOR, "SYT")
    (entry,) = await house.entries("CA", "Công an", MEASLES)
    ticket = await house.ticket(await house.citizen(), QUESTION)
    with pytest.raises(NotYourBank):
        await editing.teach_phrasing(editor, ticket.id, entry, QUESTION)
    with pytest.raises(NotYourBank):
        await editing.change(editor, entry, MEASLES, "")
    with pytest.raises(NotYourBank):
        await editing.retire(editor, entry, "")
    assert await editing.load_banks_for(editor) == []
    assert not await editing.may_edit_entry(editor, entry)
    async with house.database.transaction() as session:
        assert (await get_entry(session, entry)).version == 1
        assert len(await load_unanswered(session, editor)) == 1


async def test_an_operator_edits_nothing(house: House, editing: Editing) -> None:
    (entry,) = await house.entries("SYT", "Y tế", MEASLES)
    with pytest.raises(NotAllowed):
        await editing.change(await house.person("lan"), entry, MEASLES, "")


async def test_an_entry_without_an_answer_is_refused(house: House, editing: Editing) -> None:
    admin = await house.person("qt", Role.ADMIN)
    await house.entries("SYT", "Y tế", MEASLES)
    bank: BankId = (await editing.load_banks_for(admin))[0].id
    with pytest.raises(Refused, match="refused"):
        await editing.add(admin, bank, EntryDraft("Câu hỏi?", "  "))


async def test_old_versions_are_kept_through_change_retirement_and_return(house: House, editing: Editing) -> None:
    admin = await house.person("qt", Role.ADMIN)
    (entry,) = await house.entries("SYT", "Y tế", MEASLES)
    await editing.change(admin, entry, EntryDraft(MEASLES.question, "Tại trạm y tế phường."), "đổi nơi tiêm")
    await editing.retire(admin, entry, "hết chiến dịch")
    assert not isinstance(await editing.ask(MEASLES.question), Answer)
    await editing.restore(admin, entry)
    decision = await editing.ask(MEASLES.question)
    assert isinstance(decision, Answer)
    assert decision.entry.draft.answer == "Tại trạm y tế phường."
    async with house.database.transaction() as session:
        versions = await load_versions(session, entry)
    assert [one.version for one in versions] == [4, 3, 2, 1]
    assert versions[-1].draft.answer == MEASLES.answer
