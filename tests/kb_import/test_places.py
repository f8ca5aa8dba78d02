"""The column "Địa bàn": which commune or former district a row means, and what happens when it can't be told."""

import io
from collections.abc import Sequence
from datetime import date

import openpyxl
import pytest
from rich.console import Console

from bot.base.db import Database
from bot.contracts.ids import UnitCode
from faq import store
from handoff.seed import seed
from handoff.units import load_units
from kb_import.annotate import annotated_copy
from kb_import.places import PlaceNames, find_place, place_names
from kb_import.plan import Status
from kb_import.read import read
from kb_import.service import ImportService
from kb_import.show import show_plan
from tests.kb_import.conftest import xls

SYT = UnitCode("SYT")
HEADER = ("Câu hỏi", "Trả lời", "Địa bàn")
QUESTION = "Điểm tiêm ở đâu?"
HAC_THANH, HA_TRUNG, OLD_HA_TRUNG = "14797", "15271", "392"


@pytest.fixture
async def known(database: Database) -> PlaceNames:
    async with database.transaction() as session:
        await seed(session)
        return place_names((await load_units(session)).values(), date(2026, 11, 24))


async def test_a_place_is_known_by_name_code_and_short_words(known: PlaceNames) -> None:
    for text in ("Phường Hạc Thành", "phuong hac thanh", "P. Hạc Thành", "UBND phường Hạc Thành", "Hạc Thành", "14797"):
        assert find_place(text, known) == (HAC_THANH, ""), text
    assert find_place("Hà Trung", known)[0] == HA_TRUNG, "the commune in force, not the former district"
    assert find_place("H. Hà Trung", known)[0] == OLD_HA_TRUNG
    assert find_place("huyện Tĩnh Gia", known)[0] == "407"
    assert find_place("TP Thanh Hóa", known)[0] == "380"


async def test_the_whole_province_is_no_place(known: PlaceNames) -> None:
    for text in ("", "Toàn tỉnh", "Tỉnh Thanh Hoá", "Trên địa bàn tỉnh", "Chung", "tất cả", "-"):
        assert find_place(text, known) == (None, ""), text


async def test_what_can_not_be_told_says_what_to_do(known: PlaceNames) -> None:
    for text, words in (
        ("Xã Hà Trug", "Có phải là Xã Hà Trung"),
        ("Quận Ba Đình", "không có trong danh mục"),
        ("Xã Hà Trung, xã Tống Sơn", "Mỗi dòng chỉ ghi một nơi"),
    ):
        code, advice = find_place(text, known)
        assert code is None
        assert words in advice, (text, advice)


async def test_every_commune_is_found_by_its_own_name(known: PlaceNames) -> None:
    assert len(known.names) > 190
    for code, name in known.names.items():
        assert find_place(name, known) == (code, ""), name


async def plan_and_apply(service: ImportService, place: str) -> None:
    plan = await service.plan(xls([(QUESTION, "Ở trạm.", place)], header=HEADER), unit=SYT, name="bo.xls", near=False)
    await service.apply(plan, by=None)


async def places(database: Database) -> Sequence[str | None]:
    async with database.transaction() as session:
        return [one.draft.place for one in await store.load_live_entries(session)]


async def test_the_place_is_kept_and_shown(service: ImportService, database: Database, known: PlaceNames) -> None:
    content = xls([(QUESTION, "Ở trạm.", "P. Hạc Thành")], header=HEADER)
    plan = await service.plan(content, unit=SYT, name="bo.xls", near=False)
    assert "Phường Hạc Thành" in shown(plan)
    copy = openpyxl.load_workbook(io.BytesIO(annotated_copy(read(content), plan)))
    assert copy.worksheets[0].cell(4, 4).value == "Thêm mới (địa bàn: Phường Hạc Thành)"
    await service.apply(plan, by=None)
    assert await places(database) == [HAC_THANH]

    moved = await service.plan(
        xls([(QUESTION, "Ở trạm.", "Hà Trung")], header=HEADER), unit=SYT, name="bo.xls", near=False
    )
    assert "Địa bàn: Phường Hạc Thành → Xã Hà Trung" in shown(moved)
    await service.apply(moved, by=None)
    assert await places(database) == [HA_TRUNG]


async def test_an_emptied_cell_means_the_whole_province(
    service: ImportService, database: Database, known: PlaceNames
) -> None:
    await plan_and_apply(service, "Hạc Thành")
    await plan_and_apply(service, "")
    assert await places(database) == [None]


async def test_a_file_without_the_column_leaves_the_place(
    service: ImportService, database: Database, known: PlaceNames
) -> None:
    await plan_and_apply(service, "Hạc Thành")
    content = xls([(QUESTION, "Ở trạm.")], header=HEADER[:2])
    assert (await service.plan(content, unit=SYT, name="bo.xls", near=False)).status is Status.NOTHING


async def test_what_a_file_has_no_column_for_stays(service: ImportService, database: Database) -> None:
    header = ("Câu hỏi", "Trả lời", "Căn cứ", "Cập nhật ngày", "Hiệu lực đến")
    full = xls([(QUESTION, "Ở trạm.", "QĐ 1", "22/10/2021", "31/12/2030")], header=header)
    await service.apply(await service.plan(full, unit=SYT, name="bo.xls", near=False), by=None)
    short = xls([(QUESTION, "Ở trạm y tế.")], header=header[:2])
    plan = await service.plan(short, unit=SYT, name="bo.xls", near=False)
    assert plan.changes[0].changed_fields == ("answer",)
    emptied = xls([(QUESTION, "Ở trạm.", "", "", "")], header=header)
    plan = await service.plan(emptied, unit=SYT, name="bo.xls", near=False)
    assert plan.changes[0].changed_fields == ("legal_basis", "confirmed_on", "valid_until")


async def test_an_unknown_place_stops_the_file_and_names_the_cell(service: ImportService, known: PlaceNames) -> None:
    content = xls([(QUESTION, "Ở trạm.", "Xã Không Có")], header=HEADER)
    plan = await service.plan(content, unit=SYT, name="bo.xls", near=False)
    (problem,) = plan.problems
    assert (plan.status, problem.code, problem.cell) == (Status.REFUSED, "unknown_place", "C4")
    former = await service.plan(
        xls([(QUESTION, "Ở trạm.", "huyện Hà Trung")], header=HEADER), unit=SYT, name="bo.xls", near=False
    )
    (problem,) = former.problems
    assert (former.status, problem.code) == (Status.READY, "former_place")
    assert "30/06/2025" in problem.message


def shown(plan: object) -> str:
    out = io.StringIO()
    show_plan(plan, Console(file=out, width=200, no_color=True))  # type: ignore[arg-type]
    return out.getvalue()
