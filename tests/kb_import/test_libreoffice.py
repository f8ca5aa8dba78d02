"""Files that LibreOffice itself wrote: BIFF8, .ods, .xlsx with computed formulas, and HTML."""

import datetime
import shutil
import subprocess
from pathlib import Path

import pytest
import xlwt

from kb_import.reading import ReadingOrder, read_file
from kb_import.sheet import FileKind
from tests.kb_import.conftest import BANK, xls

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("soffice") is None and shutil.which("libreoffice") is None, reason="no LibreOffice"
    ),
]
ORDER = ReadingOrder(datetime.date(2026, 11, 24))
PAIRS = [(row[1], row[2]) for row in BANK]
FILTERS = {
    "xls": "xls:MS Excel 97",
    "ods": "ods",
    "xlsx": "xlsx",
    "html": "html:HTML (StarCalc)",
    "csv": "csv:Text - txt - csv (StarCalc):59,34,76",
}


def by_libreoffice(folder: Path, content: bytes, kind: str) -> bytes:
    """`content` opened and saved again by LibreOffice."""
    source, out = folder / "bo.xls", folder / "out"
    source.write_bytes(content)
    program = shutil.which("soffice") or "libreoffice"
    command = [program, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", FILTERS[kind]]
    subprocess.run([*command, "--outdir", str(out), str(source)], check=True, capture_output=True, timeout=400)
    return (out / f"bo.{kind}").read_bytes()


@pytest.mark.parametrize("kind", list(FILTERS))
def test_what_libreoffice_writes(tmp_path: Path, kind: str) -> None:
    day = xlwt.easyxf(num_format_str="DD/MM/YYYY")

    def edit(page: xlwt.Worksheet) -> None:
        for row in range(3, 7):
            page.write(row, 4, datetime.date(2021, 10, 22), day)
        if kind not in {"html", "csv"}:
            page.write(7, 1, "Câu hỏi ẩn?")
            page.write(7, 2, "Không được nạp.")
            page.row(7).hidden = True

    reading = read_file(by_libreoffice(tmp_path, xls([row[:4] for row in BANK], edit=edit), kind), ORDER)
    assert reading.kind is FileKind(kind)
    rows = [row for row in reading.rows if row.question != "Câu hỏi ẩn?"]
    assert [(row.question, row.answer) for row in rows] == PAIRS
    assert {row.confirmed_on for row in rows} == {datetime.date(2021, 10, 22)}
    if kind in {"xls", "ods", "xlsx"}:
        assert [one.code for one in reading.problems] == ["hidden_row"]
        assert len(reading.rows) == len(PAIRS)


@pytest.mark.parametrize("kind", ["ods", "xlsx"])
def test_formulas_by_the_value_that_libreoffice_computed(tmp_path: Path, kind: str) -> None:
    def edit(page: xlwt.Worksheet) -> None:
        page.write(3, 2, xlwt.Formula('"Gọi "&"1022"'))

    rows = [(1, "Gọi số nào?", None, "", "22/10/2021"), *BANK[1:]]
    reading = read_file(by_libreoffice(tmp_path, xls(rows, edit=edit), kind), ORDER)
    assert (reading.rows[0].question, reading.rows[0].answer) == ("Gọi số nào?", "Gọi 1022")


@pytest.mark.parametrize("kind", ["xls", "xlsx"])
def test_formulas_that_failed_are_named(tmp_path: Path, kind: str) -> None:
    def edit(page: xlwt.Worksheet) -> None:
        page.write(3, 3, xlwt.Formula("1/0"))

    rows = [(1, *PAIRS[0], None, "22/10/2021"), *BANK[1:]]
    # by way of .ods, so that LibreOffice computes the formula anew
    middle = tmp_path / "middle"
    middle.mkdir()
    computed = by_libreoffice(middle, xls(rows, edit=edit), "ods")
    reading = read_file(by_libreoffice(tmp_path, computed, kind), ORDER)
    assert [(one.code, one.cell) for one in reading.problems] == [("error_cell", "D4")]
    assert [(row.question, row.answer) for row in reading.rows] == PAIRS
