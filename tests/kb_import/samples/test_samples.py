"""The sample question banks: complete, unambiguous, and the same in the .xls files as in their sources."""

import re
import unicodedata
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from kb_import.samples.build import build
from kb_import.samples.content import (
    FIELD_SLUGS,
    SampleBank,
    SampleRefused,
    labelled_questions,
    load_samples,
)
from kb_import.samples.layouts import Column, layout_of

BANKS = load_samples()
each_bank = pytest.mark.parametrize("bank", BANKS, ids=lambda bank: bank.file_name)


def without_marks_of_style(text: str) -> str:
    """What is left of a question when case, punctuation and blanks don't count."""
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())


def cells(path: Path) -> list[list[object]]:
    """Every cell of the only sheet of a workbook, as Excel shows it, from A1 on."""
    book = CalamineWorkbook.from_path(str(path))
    assert len(book.sheet_names) == 1
    return [list(row) for row in book.get_sheet_by_index(0).to_python(skip_empty_area=False)]


def rows_in(path: Path, bank: SampleBank) -> list[tuple[object, ...]]:
    """Question, answer, legal basis and day of each row of the table in `path`."""
    headers = layout_of(bank).headers
    grid = cells(path)
    top = next(row for row, line in enumerate(grid) if headers[Column.QUESTION] in line)
    wanted = [
        grid[top].index(headers[one]) for one in (Column.QUESTION, Column.ANSWER, Column.LEGAL_BASIS, Column.UPDATED)
    ]
    table = [tuple(line[at] for at in wanted) for line in grid[top + 1 :]]
    return [line for line in table if line[1] != ""]  # a section heading has no answer


def as_day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    return datetime.strptime(str(value), "%d/%m/%Y").date()  # noqa: DTZ007 - a calendar day has no zone


def test_one_bank_for_each_subject_field() -> None:
    assert [bank.field for bank in BANKS] == sorted(FIELD_SLUGS)


def test_enough_questions() -> None:
    assert all(len(bank.entries) >= 20 for bank in BANKS)
    assert sum(len(bank.entries) for bank in BANKS) >= 220
    assert all(len(bank.unanswerable) >= 8 for bank in BANKS)


def test_no_question_is_asked_twice_and_no_wording_has_two_answers() -> None:
    questions = [entry.question for bank in BANKS for entry in bank.entries]
    wordings = [one.text for one in labelled_questions(BANKS)]
    phrasings = [text for bank in BANKS for entry in bank.entries for text in entry.phrasings]
    counts = Counter(map(without_marks_of_style, questions + wordings + phrasings))
    assert [text for text, times in counts.items() if times > 1] == []


@each_bank
def test_a_bank_is_complete(bank: SampleBank) -> None:
    assert any("MẪU" in row.upper() for row in bank.rows_above_header), "not marked as sample data"
    for entry in bank.entries:
        assert entry.question
        assert 40 <= len(entry.answer) <= 900, entry.question
        assert entry.legal_basis, entry.question
        assert date(2021, 1, 1) <= entry.updated <= date(2026, 12, 31), entry.question
        assert 2 <= len(entry.asked) <= 3, entry.question


@each_bank
def test_text_is_nfc_without_stray_characters(bank: SampleBank) -> None:
    for entry in bank.entries:
        for text in (entry.question, entry.answer, entry.legal_basis, *entry.asked, *entry.phrasings):
            assert text == unicodedata.normalize("NFC", text)
            assert text == text.strip()
            assert all(sign == "\n" or unicodedata.category(sign)[0] != "C" for sign in text), text


@each_bank
def test_citizens_ask_without_diacritics_too(bank: SampleBank) -> None:
    assert any(text.isascii() for entry in bank.entries for text in entry.asked)


@each_bank
def test_the_xls_says_what_the_source_says(bank: SampleBank) -> None:
    found = rows_in(bank.path, bank)
    assert [line[:3] for line in found] == [(one.question, one.answer, one.legal_basis) for one in bank.entries]
    assert [as_day(line[3]) for line in found] == [one.updated for one in bank.entries]


@each_bank
def test_the_xls_is_binary_biff8_with_its_titles_on_top(bank: SampleBank) -> None:
    assert bank.path.read_bytes().startswith(bytes.fromhex("d0cf11e0a1b11ae1"))  # an OLE2 compound file
    grid = cells(bank.path)
    at = layout_of(bank).first_column
    assert tuple(line[at] for line in grid[: len(bank.rows_above_header)]) == bank.rows_above_header


@each_bank
def test_labelled_wordings_stay_out_of_the_xls(bank: SampleBank) -> None:
    written = {line for row in cells(bank.path) for cell in row for line in str(cell).split("\n")}
    assert written.isdisjoint(text for entry in bank.entries for text in entry.asked)
    assert written.isdisjoint(bank.unanswerable)


def test_phrasings_stand_in_the_layout_that_has_their_column() -> None:
    (bank,) = (one for one in BANKS if Column.PHRASINGS in layout_of(one).headers)
    grid = cells(bank.path)
    top = next(row for row, line in enumerate(grid) if "Câu hỏi tương tự" in line)
    at = grid[top].index("Câu hỏi tương tự")
    kept = [tuple(str(line[at]).split("\n")) if line[at] else () for line in grid[top + 1 :]]
    assert kept == [entry.phrasings for entry in bank.entries]
    assert any(kept)


def test_the_ten_files_show_the_differences_that_real_files_have() -> None:
    by_field = {bank.field: bank for bank in BANKS}
    assert any(entry.section for entry in by_field[1].entries)
    sections = [entry.section for entry in by_field[1].entries if entry.section]
    assert [line[0] for line in cells(by_field[1].path) if line[0] in sections] == sections
    assert all(isinstance(line[3], date) for line in rows_in(by_field[2].path, by_field[2]))
    assert all(isinstance(line[3], str) for line in rows_in(by_field[3].path, by_field[3]))


def test_committed_files_are_what_the_builder_makes(tmp_path: Path) -> None:
    built = build(tmp_path)
    assert {path.name for path in built} == {path.name for path in BANKS[0].path.parent.glob("*.xls")}
    for bank, path in zip(BANKS, built, strict=True):
        assert cells(path) == cells(bank.path), f"{bank.file_name}: run python -m kb_import.samples.build"


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    assert [one.read_bytes() for one in build(first)] == [one.read_bytes() for one in build(second)]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("unit: SYT\nfield: 2\nentries: []\nunanswerable: []\nowner: x\n", "owner"),
        ("unit: SYT\nfield: 11\nentries: []\nunanswerable: []\n", "field 11"),
        ("unit: [\n", "broken.yml"),
    ],
)
def test_a_wrong_source_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "broken.yml").write_text(text, encoding="utf-8")
    with pytest.raises(SampleRefused, match=named):
        load_samples(tmp_path)
