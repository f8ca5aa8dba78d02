"""Ways to ask that a unit's file no longer holds go; those that editors added stay."""

import importlib
import io

from rich.console import Console
from sqlalchemy import text

from bot.base.db import Database
from bot.contracts.ids import UnitCode
from faq import store
from kb_import.plan import ImportPlan, Status
from kb_import.service import ImportService
from kb_import.show import show_plan
from tests.kb_import.conftest import xls

SYT = UnitCode("SYT")
HEADER = ("Câu hỏi", "Trả lời", "Câu hỏi tương tự")
QUESTION, ANSWER = "Gọi tổng đài bằng số nào?", "Bấm 1022."


def bank(phrasings: str | None) -> bytes:
    row = (QUESTION, ANSWER) if phrasings is None else (QUESTION, ANSWER, phrasings)
    return xls([row], header=HEADER[: len(row)])


async def plan(service: ImportService, phrasings: str | None) -> ImportPlan:
    return await service.plan(bank(phrasings), unit=SYT, name="bo.xls", near=False)


async def put(service: ImportService, phrasings: str | None) -> int:
    return (await service.apply(await plan(service, phrasings), by=None)).id


async def ways(database: Database) -> list[str]:
    async with database.transaction() as session:
        (entry,) = await store.load_live_entries(session)
        return list(entry.draft.phrasings)


async def teach(database: Database, text: str) -> None:
    async with database.transaction() as session:
        (entry,) = await store.load_live_entries(session)
        await store.add_phrasing(session, entry.id, text, by=None)


async def test_what_the_file_dropped_goes_and_what_editors_added_stays(
    service: ImportService, database: Database
) -> None:
    await put(service, "Số tổng đài?\n1022 gọi sao?")
    await teach(database, "cho xin số tổng đài")
    change = await plan(service, "Số tổng đài?")
    assert change.changes[0].removed_phrasings == ("1022 gọi sao?",)
    assert change.changes[0].added_phrasings == ()
    out = io.StringIO()
    show_plan(change, Console(file=out, width=200, no_color=True))
    assert "Bỏ cách hỏi mà tệp không còn: 1022 gọi sao?" in out.getvalue()
    await service.apply(change, by=None)
    assert await ways(database) == ["Số tổng đài?", "cho xin số tổng đài"]


async def test_an_emptied_cell_drops_all_of_the_file_s_ways(service: ImportService, database: Database) -> None:
    await put(service, "Số tổng đài?\n1022 gọi sao?")
    await teach(database, "cho xin số tổng đài")
    await put(service, "")
    assert await ways(database) == ["cho xin số tổng đài"]


async def test_a_file_without_the_column_says_nothing_about_ways(service: ImportService, database: Database) -> None:
    await put(service, "Số tổng đài?")
    assert (await plan(service, None)).status is Status.NOTHING
    assert await ways(database) == ["Số tổng đài?"]


async def test_undo_brings_the_ways_back_and_their_origin(service: ImportService, database: Database) -> None:
    await put(service, "Số tổng đài?\n1022 gọi sao?")
    number = await put(service, "Số tổng đài?")
    await service.undo(number, by=None)
    assert await ways(database) == ["Số tổng đài?", "1022 gọi sao?"]
    assert (await plan(service, "Số tổng đài?")).changes[0].removed_phrasings == ("1022 gọi sao?",)


async def test_a_way_that_files_before_and_after_hold_is_the_file_s(service: ImportService, database: Database) -> None:
    await put(service, "Số tổng đài?\n1022 gọi sao?")
    await put(service, "Số tổng đài?\n1022 gọi sao?\nGọi số mấy?")
    await put(service, "Gọi số mấy?")
    assert await ways(database) == ["Gọi số mấy?"]


async def test_entries_from_before_the_migration_know_what_their_file_held(
    service: ImportService, database: Database
) -> None:
    await put(service, "Số tổng đài?\n1022 gọi sao?")
    await teach(database, "cho xin số tổng đài")
    module = importlib.import_module("bot.migrations.versions.0004_import_phrasings")
    async with database.transaction() as session:
        await session.execute(text("delete from import_phrasings"))
        await session.execute(text(module.FROM_FIRST_VERSIONS))
    assert (await plan(service, "Số tổng đài?")).changes[0].removed_phrasings == ("1022 gọi sao?",)
