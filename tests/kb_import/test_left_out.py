"""A sheet can be left out, on the command line and by the console's word, and stays left out until it is asked for."""

import io

import openpyxl
import pytest

from bot.contracts.ids import UnitCode
from kb_import.columns import Mapping, MappingRefused, Word, parse_mapping
from kb_import.plan import ImportPlan, Status
from kb_import.service import ImportService
from tests.kb_import.conftest import BANK, HEADER

SYT = UnitCode("SYT")
ODD = ("STT", "Điều dân muốn biết", "Cơ quan nói gì", "Căn cứ", "Cập nhật ngày")


def two_sheets(second: tuple[str, ...] = ODD) -> bytes:
    """A clear sheet, and one whose header must be asked about."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, header, rows in (("Chính thức", HEADER, BANK[:2]), ("Nháp 2", second, BANK[2:])):
        page = book.create_sheet(name)
        page.append(list(header))
        for row in rows:
            page.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


async def plan(service: ImportService, word: str = "", content: bytes | None = None) -> ImportPlan:
    return await service.plan(
        content or two_sheets(), unit=SYT, name="bo.xlsx", mapping=parse_mapping(word), near=False
    )


def test_both_spellings_of_skip() -> None:
    wanted = Mapping((), None, "Nháp 2", Word.SKIP)
    assert parse_mapping("Nháp 2=skip") == parse_mapping("Nháp 2=bỏ qua") == parse_mapping("Nháp 2!=skip") == (wanted,)
    assert parse_mapping(wanted.say()) == (wanted,)
    both = parse_mapping("Nháp 2=skip; Chính thức!question=B,answer=C")
    assert [one.sheet for one in both] == ["Nháp 2", "Chính thức"]
    with pytest.raises(MappingRefused):
        parse_mapping("Nháp 2=thôi")


async def test_an_uncertain_sheet_is_left_out_once_and_remembered(service: ImportService) -> None:
    asked = await plan(service)
    assert (asked.status, len(asked.reading.proposals)) == (Status.NEEDS_MAPPING, 1)
    assert len(asked.reading.proposals[0].preview) == 2

    settled = await plan(service, "Nháp 2=skip")
    assert (settled.status, len(settled.adds)) == (Status.READY, 2)
    assert [one.code for one in settled.problems] == ["skipped_sheet"]
    await service.apply(settled, by=None)

    later = await plan(service)
    assert (later.status, later.unchanged) == (Status.NOTHING, 2)
    assert "như lần trước" in later.problems[0].message
    other = await service.plan(two_sheets(), unit=UnitCode("CDC"), name="bo.xlsx", near=False)
    assert other.status is Status.NEEDS_MAPPING


async def test_a_left_out_sheet_can_be_read_again(service: ImportService) -> None:
    await service.apply(await plan(service, "Nháp 2=skip"), by=None)
    assert (await plan(service, "Nháp 2=read")).status is Status.NEEDS_MAPPING
    mapped = await plan(service, "Nháp 2!question=B,answer=C")
    await service.apply(mapped, by=None)
    again = await plan(service)
    assert (again.status, again.unchanged) == (Status.NOTHING, 4)


async def test_a_clear_sheet_can_be_left_out_and_its_twin_is_not(service: ImportService) -> None:
    content = two_sheets(second=HEADER)
    first = await plan(service, "Nháp 2=skip", content)
    assert [one.draft.question for one in first.adds] == [row[1] for row in BANK[:2]]
    await service.apply(first, by=None)
    assert [one.sheet for one in (await plan(service, content=content)).reading.skipped] == ["Nháp 2"]


async def test_what_was_settled_is_kept_though_nothing_changes(service: ImportService) -> None:
    content = two_sheets(second=HEADER)
    await service.apply(await plan(service, content=content), by=None)
    skipped = await plan(service, "Nháp 2=skip", two_sheets())
    await service.remember(skipped, by=None)
    assert (await plan(service)).reading.skipped


async def test_leaving_out_everything_is_no_empty_bank(service: ImportService) -> None:
    await service.apply(await plan(service, content=two_sheets(second=HEADER)), by=None)
    nothing = await plan(service, "Nháp 2=skip;Chính thức=skip")
    assert nothing.status is Status.REFUSED
    assert "Mọi trang" in " ".join(one.message for one in nothing.problems)
