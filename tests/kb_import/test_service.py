"""The import from file to live bank and back, against the real PostgreSQL and the real embedder."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from bot.base.db import Database
from bot.contracts.ids import EntryId, UnitCode
from faq import store
from faq.entry import EntryDraft, EntryRecord
from kb_import.apply import CannotUndo, PlanOutdated
from kb_import.columns import parse_mapping
from kb_import.command import run_import
from kb_import.plan import Status
from kb_import.service import ForeignImport, ImportService
from tests.kb_import.conftest import BANK, xls

SYT = UnitCode("SYT")
SAMPLES = Path(__file__).parents[2] / "kb_import" / "samples"


async def live(database: Database) -> list[EntryRecord]:
    async with database.transaction() as session:
        return await store.load_live_entries(session)


async def put(
    service: ImportService, content: bytes, unit: str = "SYT", name: str = "bo.xls", retire: bool = True
) -> int:
    plan = await service.plan(content, unit=UnitCode(unit), name=name)
    return (await service.apply(plan, by=None, retire=retire)).id


async def test_same_file_twice_changes_nothing(service: ImportService, database: Database) -> None:
    await put(service, xls(BANK))
    before = await live(database)
    assert [one.draft.question for one in before] == [row[1] for row in BANK]
    again = await service.plan(xls(BANK), unit=SYT, name="bo.xls")
    assert (again.status, again.unchanged, len(again.live)) == (Status.NOTHING, 4, 4)


async def test_plan_alone_changes_nothing(service: ImportService, database: Database) -> None:
    plan = await service.plan(xls(BANK), unit=SYT, name="bo.xls")
    assert (plan.status, len(plan.adds)) == (Status.READY, 4)
    assert await live(database) == []
    assert await service.history() == []


async def test_corrected_typo_is_a_change_and_the_rest_is_told_apart(
    service: ImportService, database: Database
) -> None:
    await put(service, xls(BANK))
    rows = [list(row) for row in BANK]
    rows[0][1] = "Người dân gọi Tổng đài 1022 bằng số mấy?"
    rows[1][2] = "Tiêm vắc xin phòng Covid-19 được miễn phí hoàn toàn."
    rows[3] = [4, "Quán ăn có được bán tại chỗ không?", "Được bán tại chỗ ở địa bàn cấp 1.", "NQ 128", "22/10/2021"]
    plan = await service.plan(xls(rows), unit=SYT, name="bo.xls")
    assert (len(plan.adds), len(plan.changes), len(plan.retirements), plan.unchanged) == (1, 2, 1, 1)
    ids = {one.id for one in await live(database)}
    await service.apply(plan, by=None, retire=True)
    after = await live(database)
    assert {one.id for one in after} & ids == {one.entry.id for one in plan.changes} | {
        one for one in plan.live if one not in {r.id for r in plan.retirements}
    }
    assert {one.draft.question for one in after} == {row[1] for row in rows}


async def test_not_confirmed_retirements_stay_live(service: ImportService, database: Database) -> None:
    await put(service, xls(BANK))
    await put(service, xls(BANK[:3]), retire=False)
    assert len(await live(database)) == 4


async def test_undo_restores_everything(service: ImportService, database: Database) -> None:
    first = await put(service, xls(BANK))
    before = {one.id: one.draft for one in await live(database)}
    rows = [list(row) for row in BANK[:3]]
    rows[0][2] = "Bấm 1022."
    rows.append([9, "Câu hỏi hoàn toàn khác về điện lực?", "Gọi 19006769.", "", "22/10/2021"])
    second = await put(service, xls(rows))
    with pytest.raises(CannotUndo, match="cannot_undo"):
        await service.undo(first, by=None)
    await service.undo(second, by=None)
    assert {one.id: one.draft for one in await live(database)} == before
    with pytest.raises(CannotUndo):
        await service.undo(second, by=None)
    assert [one.undone_at is None for one in await service.history(SYT)] == [False, True]


async def test_imports_are_undone_one_after_the_other(service: ImportService, database: Database) -> None:
    states: list[dict[EntryId, EntryDraft]] = [{}]
    numbers: list[int] = []
    for answer in ("Bấm 1022.", "Gọi 1022.", "Quay số 1022."):
        rows = [list(row) for row in BANK[: len(BANK) - len(numbers)]]
        rows[0][2] = answer
        numbers.append(await put(service, xls(rows)))
        states.append({one.id: one.draft for one in await live(database)})
    for number in reversed(numbers):
        states.pop()
        await service.undo(number, by=None)
        assert {one.id: one.draft for one in await live(database)} == states[-1]


async def test_an_edit_between_two_imports_protects_the_earlier(service: ImportService, database: Database) -> None:
    first = await put(service, xls(BANK))
    entry = (await live(database))[0]
    async with database.transaction() as session:
        await store.change_entry(session, entry.id, EntryDraft("Bấm số nào?", "1022."), by=None, why="sửa")
    second = await put(service, xls(BANK))
    await service.undo(second, by=None)
    with pytest.raises(CannotUndo) as refused:
        await service.undo(first, by=None)
    assert "Bấm số nào?" in refused.value.message_vi


async def test_undo_is_refused_after_an_edit(service: ImportService, database: Database) -> None:
    number = await put(service, xls(BANK))
    entry = (await live(database))[0]
    async with database.transaction() as session:
        await store.add_phrasing(session, entry.id, "Gọi số nào?", by=None)
    with pytest.raises(CannotUndo) as refused:
        await service.undo(number, by=None)
    assert "đã được sửa" in refused.value.message_vi


async def test_other_unit_is_never_touched(service: ImportService, database: Database) -> None:
    await put(service, xls(BANK), unit="SYT")
    number = await put(service, xls(BANK[2:]), unit="CDC")
    by_unit = [one.unit for one in await live(database)]
    assert (by_unit.count(SYT), by_unit.count(UnitCode("CDC"))) == (4, 2)
    with pytest.raises(ForeignImport):
        await service.undo(number, by=None, unit=SYT)


async def test_near_duplicate_names_the_other_unit(service: ImportService) -> None:
    await put(service, xls(BANK), unit="SYT")
    rows = [(1, "Tiêm vắc xin phòng bệnh có mất tiền không ạ?", "Có mất tiền với vắc xin dịch vụ.", "", "22/10/2021")]
    plan = await service.plan(xls(rows), unit=UnitCode("CDC"), name="cdc.xls")
    found = [one for one in plan.problems if one.code == "near_duplicate"]
    assert len(found) == 1
    assert (found[0].cell, "thống nhất" in found[0].message) == ("B4", True)
    assert "Sở Y tế" in found[0].message or "SYT" in found[0].message


async def test_editors_phrasings_survive_the_next_file(service: ImportService, database: Database) -> None:
    await put(service, xls(BANK))
    entry = (await live(database))[0]
    async with database.transaction() as session:
        await store.add_phrasing(session, entry.id, "1022 gọi sao?", by=None)
    plan = await service.plan(xls(BANK), unit=SYT, name="bo.xls")
    assert plan.status is Status.NOTHING


async def test_outdated_plan_is_not_applied(service: ImportService, database: Database) -> None:
    plan = await service.plan(xls(BANK), unit=SYT, name="bo.xls")
    await put(service, xls(BANK[:1]))
    with pytest.raises(PlanOutdated):
        await service.apply(plan, by=None)
    assert len(await live(database)) == 1


async def test_mapping_is_asked_for_once_and_remembered(service: ImportService) -> None:
    header = ("STT", "Điều dân muốn biết", "Cơ quan nói gì", "Căn cứ", "Cập nhật ngày")
    content = xls(BANK, header=header)
    plan = await service.plan(content, unit=SYT, name="bo.xls")
    assert plan.status is Status.NEEDS_MAPPING
    proposed = plan.reading.proposals[0]
    assert proposed.preview[0].question == BANK[0][1]
    settled = await service.plan(
        content, unit=SYT, name="bo.xls", mapping=parse_mapping(proposed.layout.as_mapping().say())
    )
    assert (settled.status, len(settled.adds)) == (Status.READY, 4)
    await service.apply(settled, by=None)
    rows = [*BANK, (5, "Cơ sở nào được xét nghiệm nhanh?", "Các trạm y tế xã.", "", "22/10/2021")]
    later = await service.plan(xls(rows, header=header), unit=SYT, name="bo.xls")
    assert (later.status, len(later.adds), later.unchanged) == (Status.READY, 1, 4)
    other = await service.plan(content, unit=UnitCode("CDC"), name="bo.xls")
    assert other.status is Status.NEEDS_MAPPING


async def command(service: ImportService, *files: Path, **options: object) -> tuple[int, str]:
    out = io.StringIO()
    console = Console(file=out, width=200, no_color=True)
    code = await run_import(service, files, SYT, console=console, interactive=False, **options)  # type: ignore[arg-type]
    return code, out.getvalue()


async def test_command_exit_codes(service: ImportService, database: Database, tmp_path: Path) -> None:
    good, less, broken = tmp_path / "bo.xls", tmp_path / "bo v2.xls", tmp_path / "hong.xls"
    good.write_bytes(xls(BANK))
    less.write_bytes(xls(BANK[:1]))
    broken.write_bytes(xls([(1, "Có câu trả lời chưa?", "", "", "")]))
    assert (await command(service, good))[0] == 3
    assert (await command(service, good, plan_only=True))[0] == 0
    assert await live(database) == []
    code, text = await command(service, good, broken, yes=True, as_json=True)
    report = json.loads(text)
    assert (code, report["add"], await live(database)) == (2, 4, [])
    problem = next(one for one in report["problems"] if one["severity"] == "error")
    assert (problem["sheet"], problem["row"], problem["column"], problem["file"]) == ("Sheet1", 4, "C", "hong.xls")
    assert (await command(service, good, yes=True))[0] == 0
    assert (await command(service, good, yes=True))[0] == 0
    assert len(await live(database)) == 4
    assert (await command(service, less, yes=True))[0] == 3, "three of four would go: more than a plain yes"
    assert len(await live(database)) == 4
    assert (await command(service, less, yes=True, retire=True))[0] == 0
    assert len(await live(database)) == 1
    assert (await command(service, tmp_path / "khong-co.xls", yes=True))[0] == 2


async def test_report_json_has_the_promised_keys(service: ImportService, tmp_path: Path) -> None:
    path = tmp_path / "bo.xls"
    path.write_bytes(xls(BANK))
    code, text = await command(service, path, plan_only=True, as_json=True)
    report = json.loads(text)
    assert code == 0
    assert {"add", "change", "retire", "unchanged", "problems", "entries"} <= report.keys()
    assert {"question", "phrasings", "answer", "field", "valid_from", "valid_until", "legal_basis"} <= report[
        "entries"
    ][0].keys()


@pytest.mark.slow
async def test_sample_banks_come_in_without_a_finding(service: ImportService) -> None:
    for path in sorted(SAMPLES.glob("*.xls")):
        unit = UnitCode(path.name.split("_")[1])
        plan = await service.plan(path, unit=unit, near=False)
        assert len(plan.adds) >= 20, path.name
        assert not plan.problems, plan.problems
        await service.apply(plan, by=None)
        again = await service.plan(path, unit=unit, near=False)
        assert again.status is Status.NOTHING
