"""Every file of the corpus gives exactly what it must, or is refused for the right reason."""

from datetime import date

import pytest

from kb_import.isolated import read_isolated
from kb_import.problem import FileRefused
from kb_import.reading import ReadingOrder, read_file
from kb_import.validate import MAX_MESSAGE_CHARS
from tests.kb_import.conftest import BANK, xls
from tests.kb_import.corpus import CASES, LONG, Case, zip_bomb

ORDER = ReadingOrder(date(2026, 11, 24))


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_corpus(one: Case) -> None:
    content = one.build()
    if one.refused:
        with pytest.raises(FileRefused) as refused:
            read_file(content, ORDER)
        assert refused.value.reason.startswith(one.refused)
        assert refused.value.message_vi.count(".") >= 2, "says what is wrong and what to do"
        return
    reading = read_file(content, ORDER)
    if one.proposed:
        assert reading.proposals
        assert not reading.rows
        assert reading.proposals[0].preview[0].question == BANK[0][1]
        return
    assert not reading.proposals
    if one.pairs is not None:
        assert [(row.question, row.answer) for row in reading.rows] == list(one.pairs)
    if one.fields is not None:
        assert [row.field for row in reading.rows] == list(one.fields)
    if one.phrasings is not None:
        assert [row.phrasings for row in reading.rows] == list(one.phrasings)
    assert {problem.code for problem in reading.problems} == one.codes, reading.problems
    for cell in one.cells:
        assert cell in {problem.cell for problem in reading.problems}
    if one.check:
        assert one.check(reading)


def test_corpus_is_large_enough() -> None:
    assert len({one.name for one in CASES}) >= 40


async def test_process_of_its_own_gives_the_same() -> None:
    content = xls(BANK)
    assert await read_isolated(content, ORDER) == read_file(content, ORDER)
    with pytest.raises(FileRefused) as refused:
        await read_isolated(zip_bomb(lying=True), ORDER)
    assert refused.value.reason.split(":")[0] in {"damaged", "too_large", "too_slow"}


def far_cell(row: int, column: int) -> bytes:
    return xls(BANK, edit=lambda page: page.write(row, column, "x"))


async def test_a_cell_far_from_the_table_is_read_or_refused() -> None:
    assert len((await read_isolated(far_cell(50_000, 50), ORDER)).rows) == len(BANK)
    with pytest.raises(FileRefused) as refused:
        await read_isolated(far_cell(65_535, 255), ORDER)
    assert "sang một tệp mới" in refused.value.message_vi


async def test_a_mistake_of_the_reader_is_a_refusal_that_blames_nobody_else() -> None:
    order = ReadingOrder("no date at all")  # type: ignore[arg-type]
    rows = [("Ai được tiêm?", "Mọi người.", "31/12/2030")]
    with pytest.raises(FileRefused) as refused:
        await read_isolated(xls(rows, header=("Câu hỏi", "Trả lời", "Hiệu lực đến")), order)
    assert refused.value.reason.startswith("reader_failed: TypeError validate.py:")
    assert "không phải do đơn vị" in refused.value.message_vi


def test_long_answer_is_shown_as_it_will_be_split() -> None:
    reading = read_file(xls([("Cần giấy tờ gì?", LONG)], header=("Câu hỏi", "Trả lời")), ORDER)
    (problem,) = reading.problems
    assert f"{len(LONG.strip())} ký tự" in problem.message
    assert "2 tin" in problem.message
    assert str(MAX_MESSAGE_CHARS) in problem.message
