"""Many entries at once leave the same behind as one after the other, over the real PostgreSQL."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from bot.base.db import Database
from bot.contracts.errors import NotFound, Refused
from bot.contracts.ids import BankId, EntryId, UnitCode
from faq import bulk, store
from faq.entry import EntryDraft

DRAFTS = (
    EntryDraft("Kết hôn cần gì?", "Căn cước.", ("Cưới cần gì?", "Giấy tờ cưới?"), valid_from=date(2026, 1, 1)),
    EntryDraft("  Khai sinh ở đâu? ", "Ở xã.", ("Làm khai sinh", "Làm khai sinh", " "), legal_basis="Luật Hộ tịch"),
    EntryDraft("Nuôi tôm cần giống gì?", "Tôm sú.", place="16093"),
)
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
STEPS = st.lists(
    st.tuples(st.sampled_from(("change", "retire", "restore")), st.sets(st.integers(0, 2), min_size=1), WORDS),
    max_size=6,
)


async def bank_of(database: Database, name: str) -> BankId:
    async with database.transaction() as session:
        return await store.ensure_bank(session, UnitCode("STP"), name)


async def said(database: Database, entries: list[EntryId]) -> list[object]:
    """All that is kept of these entries, but for their numbers and the time."""
    async with database.transaction() as session:
        live = await store.load_live_versions(session)
        return [
            (
                (await store.get_entry(session, one)).draft,
                live.get(one),
                [(past.version, past.change, past.draft, past.why) for past in await store.load_versions(session, one)],
            )
            for one in entries
        ]


async def test_they_stand_in_their_order_at_the_end_of_the_bank(database: Database) -> None:
    bank = await bank_of(database, "Hộ tịch")
    async with database.transaction() as session:
        first = await store.add_entry(session, bank, EntryDraft("Có trước?", "Vâng."), by=None, why="thử")
        added = await bulk.add_entries(session, bank, DRAFTS, by=None, why="thử")
        last = await store.add_entry(session, bank, EntryDraft("Có sau?", "Vâng."), by=None, why="thử")
        assert [one.id for one in await store.load_live_entries(session, bank)] == [first, *added, last]


@given(STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_steps_leave_the_same_as_one_by_one(
    database: Database, steps: list[tuple[str, set[int], str]]
) -> None:
    together, alone = await bank_of(database, "cùng lúc"), await bank_of(database, "từng mục")
    async with database.transaction() as session:
        many = await bulk.add_entries(session, together, DRAFTS, by=None, why="thử")
        single = [await store.add_entry(session, alone, one, by=None, why="thử") for one in DRAFTS]
    for kind, which, word in steps:
        drafts = {place: replace(DRAFTS[place], answer=word, phrasings=(word, "Cũ")) for place in which}
        async with database.transaction() as session:
            match kind:
                case "change":
                    await bulk.change_entries(session, {many[at]: drafts[at] for at in which}, by=None, why="sửa")
                    for at in which:
                        await store.change_entry(session, single[at], drafts[at], by=None, why="sửa")
                case "retire":
                    await bulk.retire_entries(session, [many[at] for at in which], by=None, why="bỏ")
                    for at in which:
                        await store.retire_entry(session, single[at], by=None, why="bỏ")
                case _:
                    await bulk.restore_entries(session, [many[at] for at in which], by=None, why="dùng")
                    for at in which:
                        await store.restore_entry(session, single[at], by=None, why="dùng")
    assert await said(database, many) == await said(database, single)


async def test_versions_are_those_of_after(database: Database) -> None:
    bank = await bank_of(database, "Hộ tịch")
    async with database.transaction() as session:
        first, second, third = await bulk.add_entries(session, bank, DRAFTS, by=None, why="thử")
        assert await bulk.change_entries(session, {first: DRAFTS[2]}, by=None, why="sửa") == {first: 2}
        assert await bulk.retire_entries(session, [first, second], by=None, why="bỏ") == {first: 3, second: 2}
        assert await bulk.retire_entries(session, [second, third], by=None, why="bỏ") == {second: 2, third: 2}
        assert await bulk.restore_entries(session, [second], by=None, why="dùng") == {second: 3}
        assert (await store.get_entry(session, second)).version == 3


async def test_one_bad_entry_and_none_is_written(database: Database) -> None:
    bank = await bank_of(database, "Hộ tịch")
    crossed = EntryDraft("Ngày?", "Ngược.", valid_from=date(2026, 2, 1), valid_until=date(2026, 1, 1))
    for bad in (EntryDraft(" ", "Trống."), crossed):
        with pytest.raises(Refused):
            async with database.transaction() as session:
                await bulk.add_entries(session, bank, [*DRAFTS, bad], by=None, why="thử")
    async with database.transaction() as session:
        assert await store.load_live_entries(session, bank) == []
        with pytest.raises(NotFound):
            await bulk.retire_entries(session, [EntryId(1_000_000)], by=None, why="bỏ")


async def test_a_thousand_take_no_more_statements_than_three(database: Database) -> None:
    bank = await bank_of(database, "Hộ tịch")
    statements: list[str] = []
    event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda _c, _k, statement, *_: statements.append(statement)
    )
    counts = []
    for count in (3, 1000):
        drafts = [EntryDraft(f"Hỏi {number}?", "Đáp.", (f"Nói {number}",)) for number in range(count)]
        async with database.transaction() as session:
            statements.clear()
            entries = await bulk.add_entries(session, bank, drafts, by=None, why="thử")
            await bulk.change_entries(session, dict(zip(entries, drafts, strict=True)), by=None, why="sửa")
            await bulk.retire_entries(session, entries, by=None, why="bỏ")
            counts.append(len(statements))
    assert counts[0] == counts[1] <= 15
