"""Properties that hold for any table and any text."""

import io
import re
import unicodedata
from datetime import date

import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb_import.annotate import annotated_copy, template
from kb_import.bank_name import bank_name_of
from kb_import.columns import Mapping, Role, parse_mapping
from kb_import.difference import Kind, differ
from kb_import.keys import key_of, keys_of
from kb_import.plan import ImportPlan, Source
from kb_import.problem import column_index, column_letter
from kb_import.read import read
from kb_import.reading import ReadingOrder, read_file
from kb_import.repair import repair_text
from kb_import.split import split_answer
from kb_import.viqr import convert
from tests.kb_import.conftest import BANK, HEADER, xls

WORDS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs", "Cc", "Cn")), max_size=40)
DAYS = st.dates(date(1900, 3, 1), date(2100, 1, 1))
CELLS = st.one_of(
    st.just(""), WORDS, st.integers(-(2**29), 2**29 - 1), st.floats(-1e9, 1e9, width=32), st.booleans(), DAYS
)
TABLES = st.lists(st.lists(CELLS, min_size=1, max_size=6), min_size=1, max_size=12)
DAY_STYLE = xlwt.easyxf(num_format_str="DD/MM/YYYY")
ORDER = ReadingOrder(date(2026, 11, 24))


@given(TABLES)
@settings(max_examples=150, deadline=None)
def test_any_table_written_by_xlwt_comes_back_identical(table: list[list[object]]) -> None:
    book = xlwt.Workbook()
    page = book.add_sheet("Bảng")
    for down, row in enumerate(table):
        for across, value in enumerate(row):
            if isinstance(value, date):
                page.write(down, across, value, DAY_STYLE)
            elif value != "":
                page.write(down, across, value)
    stream = io.BytesIO()
    book.save(stream)
    (sheet,) = read(stream.getvalue()).sheets
    back = {
        (sheet.top + down, sheet.left + across): cell
        for down, row in enumerate(sheet.rows)
        for across, cell in enumerate(row)
        if cell != ""
    }
    sent = {(down, across): cell for down, row in enumerate(table) for across, cell in enumerate(row) if cell != ""}
    assert back == sent


@given(st.text(max_size=6000), st.integers(5, 2000))
@settings(deadline=None)
def test_split_loses_nothing_and_fits(text: str, most: int) -> None:
    parts = split_answer(text, most)
    assert all(0 < len(one) <= most for one in parts)
    assert re.sub(r"\s+", "", "".join(parts)) == re.sub(r"\s+", "", text)


@given(st.text(max_size=300), st.text(max_size=300))
@settings(deadline=None)
def test_difference_spells_both_texts(before: str, after: str) -> None:
    pieces = differ(before, after)
    assert "".join(one.text for one in pieces if one.kind is not Kind.ADDED) == before
    assert "".join(one.text for one in pieces if one.kind is not Kind.REMOVED) == after


@given(st.text(max_size=200))
def test_repair_is_done_once(text: str) -> None:
    repaired = repair_text(text)
    assert unicodedata.is_normalized("NFC", repaired)
    assert repair_text(repaired) == repaired


@given(st.lists(st.text(max_size=60).map(repair_text), max_size=20))
def test_keys_together_are_keys_apart(texts: list[str]) -> None:
    assert keys_of(texts) == [key_of(one) for one in texts]


@given(st.integers(0, 18_000))
def test_column_letters(index: int) -> None:
    assert column_index(column_letter(index)) == index


@given(
    st.dictionaries(st.integers(0, 700), st.sampled_from([one for one in Role if one is not Role.IGNORED]), max_size=5),
    st.one_of(st.none(), st.integers(0, 99)),
)
def test_mapping_says_what_it_parses(columns: dict[int, Role], header: int | None) -> None:
    columns = {**columns, 701: Role.QUESTION, 702: Role.ANSWER}
    one = Mapping(tuple(sorted(columns.items())), header, "Trang 1")
    assert parse_mapping(one.say()) == (one,)


@given(st.text(max_size=80))
def test_bank_name_is_never_empty(name: str) -> None:
    assert bank_name_of(name)


def test_bank_name_drops_dates_and_versions() -> None:
    for name in (
        "Bộ câu hỏi SYT.xls",
        "Bộ câu hỏi SYT_v2 (22.10.2021) final.xls",
        "Bộ câu hỏi SYT 22-10-2021.xlsx",
        "Bộ câu hỏi SYT lần 3 (1).xls",
        "Bộ_câu_hỏi_SYT_20211022.xls",
    ):
        assert bank_name_of(name) == "Bộ câu hỏi SYT", name


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(BANK), min_size=1, max_size=4, unique=True))
def test_annotated_copy_keeps_every_row_and_reads_back(rows: list[tuple[object, ...]]) -> None:
    content = xls([*rows, (9, "Câu hỏi chưa có trả lời?", None)])
    reading = read_file(content, ORDER)
    plan = ImportPlan(Source("a.xls", "", 0), "SYT", "a", reading, (), (), (), 0, reading.problems, {})  # type: ignore[arg-type]
    copy = read(annotated_copy(read(content), plan))
    page, original = copy.sheets[0], read(content).sheets[0]
    width = max(len(row) for row in original.rows)
    assert [list(row[:width]) for row in page.rows] == [list(row) + [""] * (width - len(row)) for row in original.rows]
    assert page.rows[2][width] == "Kết quả"
    assert "chưa có câu trả lời" in str(page.rows[-1][width])


def test_annotated_copy_never_makes_a_formula() -> None:
    content = xls([(1, "=HYPERLINK(1)", "+cmd|' /C calc'!A0")], header=HEADER)
    reading = read_file(content, ORDER)
    plan = ImportPlan(Source("a.xls", "", 0), "SYT", "a", reading, (), (), (), 0, reading.problems, {})  # type: ignore[arg-type]
    (sheet,) = read(annotated_copy(read(content), plan)).sheets
    assert sheet.rows[3][1:3] == ["=HYPERLINK(1)", "+cmd|' /C calc'!A0"]


def test_template_is_a_bank_itself() -> None:
    reading = read_file(template(), ORDER)
    assert len(reading.rows) == 2
    assert not reading.problems
    assert reading.rows[0].phrasings == ("Tổng đài 1022 gọi số mấy?", "Số điện thoại 1022 là gì?")


def test_well_known_lines_in_old_encodings() -> None:
    from viparse.normalize.tables import convert as convert_by
    from viparse.normalize.tcvn3 import TCVN3

    from kb_import.repair import VNI_COMPLETE

    line = "Cộng hòa xã hội chủ nghĩa Việt Nam"
    assert convert_by("Céng hßa x· héi chñ nghÜa ViÖt Nam", TCVN3) == line
    assert convert_by("Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam", VNI_COMPLETE) == line
    assert convert("Co^.ng ho`a xa~ ho^.i chu? nghi~a Vie^.t Nam") == line
