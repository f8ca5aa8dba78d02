"""Staff's changes to the table of short forms: checked, kept with their history, in force in every engine."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from bot.base.db import Database
from bot.contracts.errors import NotFound, Refused
from bot.contracts.ids import AccountId, UnitCode
from faq.abbreviations import (
    Effect,
    Source,
    StaffTable,
    add_short_form,
    check_short_form,
    load_short_form_history,
    load_short_forms,
    load_staff_table,
    merged,
    remove_short_form,
)
from faq.decide import Answer
from faq.embed import load_embedder
from faq.engine import FaqEngine
from faq.entry import EntryDraft
from faq.normalise import parse_abbreviations
from faq.settings import FaqSettings
from faq.store import add_entry, ensure_bank, publish
from faq.tables import ShortFormRow

FILE = parse_abbreviations("chung:\n  không: [ko, k]\n  thủ tục: [tt]\n  thông tin: [tt]\n")
LAN, MINH = AccountId(1), AccountId(2)


async def test_added_listed_removed_and_remembered(database: Database) -> None:
    async with database.transaction() as session:
        await add_short_form(session, FILE, "GKS", "giấy khai sinh", by=LAN, why="người dân hay viết")
    async with database.transaction() as session:
        line = next(one for one in await load_short_forms(session, FILE) if one.short == "gks")
        assert (line.meaning, line.source, line.in_use, line.by) == ("giấy khai sinh", Source.STAFF, True, LAN)
        assert merged(FILE, await load_staff_table(session)).certain["gks"] == ("giấy", "khai", "sinh")
        await remove_short_form(session, FILE, "gks", "giấy khai sinh", by=MINH, why="nhầm")
    async with database.transaction() as session:
        assert "gks" not in [one.short for one in await load_short_forms(session, FILE)]
        assert merged(FILE, await load_staff_table(session)) == FILE
        (step,) = await load_short_form_history(session)
        assert (step.effect, step.by, step.why, step.ended_by, step.ended_why) == (
            Effect.ADDED,
            LAN,
            "người dân hay viết",
            MINH,
            "nhầm",
        )


async def test_a_shipped_short_form_is_dropped_and_taken_back(database: Database) -> None:
    async with database.transaction() as session:
        await remove_short_form(session, FILE, "tt", "thông tin", by=LAN)
        assert merged(FILE, await load_staff_table(session)).of("tt") == ("thủ tục",)
        dropped = [one for one in await load_short_forms(session, FILE) if not one.in_use]
        assert [(one.short, one.meaning, one.source) for one in dropped] == [("tt", "thông tin", Source.FILE)]
        with pytest.raises(NotFound):
            await remove_short_form(session, FILE, "tt", "thông tin", by=LAN)
        await add_short_form(session, FILE, "tt", "thông tin", by=LAN)
        assert merged(FILE, await load_staff_table(session)).of("tt") == FILE.of("tt")


@pytest.mark.parametrize(
    ("short", "meaning", "said"),
    [
        ("", "giấy khai sinh", "Cách viết tắt"),
        ("!!!", "giấy khai sinh", "Cách viết tắt"),
        ("một cách viết rất dài", "giấy khai sinh", "Cách viết tắt"),
        ("cho", "chợ", "từ thường dùng"),
        ("gks", "", "Nghĩa đầy đủ"),
        ("gks", "115", "phải có chữ"),
        ("gks", "cap giay khai sinh", "có dấu"),
        ("gks", "GKS", "giống nhau"),
    ],
)
def test_what_can_not_be_a_short_form_is_refused(short: str, meaning: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        check_short_form(short, meaning)
    assert said in refused.value.message_vi


@pytest.mark.parametrize(("short", "meaning"), [("VNeID", "vneid mức 2"), ("đt zalo", "số điện thoại Zalo")])
def test_names_and_numbers_may_be_in_a_meaning(short: str, meaning: str) -> None:
    assert check_short_form(short, meaning) == (short.lower(), meaning.lower())


async def test_known_ones_are_refused(database: Database) -> None:
    async with database.transaction() as session:
        await add_short_form(session, FILE, "gks", "giấy khai sinh", by=LAN)
        for short, meaning in (("ko", "Không"), ("GKS", "giấy  khai sinh")):
            with pytest.raises(Refused, match="đã có nghĩa"):
                await add_short_form(session, FILE, short, meaning, by=LAN)
        assert await session.scalar(select(func.count()).select_from(ShortFormRow)) == 1


WORDS = st.sampled_from(["ko", "tt", "gks", "bh"])
FULLS = st.sampled_from(["không", "thủ tục", "bây giờ"])


@given(st.lists(st.tuples(WORDS, FULLS), unique=True), st.frozensets(st.tuples(WORDS, FULLS)))
def test_merging_adds_what_was_added_and_drops_what_was_dropped(
    added: list[tuple[str, str]], dropped: frozenset[tuple[str, str]]
) -> None:
    table = merged(FILE, StaffTable(tuple(added), dropped - set(added)))
    have = {(short, full) for short, fulls in table.meanings.items() for full in fulls}
    shipped = {(short, full) for short, fulls in FILE.meanings.items() for full in fulls}
    assert have == (shipped - (dropped - set(added))) | set(added)
    assert all(table.meanings[short] == (" ".join(full),) for short, full in table.certain.items())


async def test_an_engine_reads_by_the_new_table(database: Database) -> None:
    asked, told = "qzx cần mang gì", "Mang giấy chứng sinh."
    async with database.transaction() as session:
        bank = await ensure_bank(session, UnitCode("STP"), "Hộ tịch")
        await add_entry(session, bank, EntryDraft("Làm giấy khai sinh cần mang gì?", told), by=None, why="")
        await add_entry(session, bank, EntryDraft("Nuôi tôm cần giống gì?", "Tôm sú."), by=None, why="")
        await publish(session)
    settings = FaqSettings()
    engine = FaqEngine(database, load_embedder(settings), settings)
    await engine.start()
    today = date(2026, 11, 24)
    before = await engine.ask(asked, today=today)
    assert "giấy khai sinh" not in before.evidence.normalised
    async with database.transaction() as session:
        await add_short_form(session, engine.file_abbreviations, "qzx", "làm giấy khai sinh", by=LAN)
    await engine.refresh()
    assert engine.abbreviations.of("qzx") == ("làm giấy khai sinh",)
    after = await engine.ask(asked, today=today)
    assert after.evidence.normalised == "làm giấy khai sinh cần mang gì"
    assert isinstance(after, Answer)
    assert after.entry.draft.answer == told
