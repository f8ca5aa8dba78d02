"""The banks of wordings: how they are read, and that what is in the project fits for training."""

import unicodedata
from pathlib import Path

import pytest

from faq.training.wordings import UNANSWERED, is_kept_back, load_practice, load_wordings, read_banks
from kb_import.samples.content import labelled_questions, load_samples

WORDINGS = load_wordings()


def test_banks_entries_and_what_nothing_answers(tmp_path: Path) -> None:
    one, two = tmp_path / "một.txt", tmp_path / "hai.txt"
    one.write_text("# lời dẫn\n# bộ: đất đai\ncấp sổ lần đầu | làm bìa đỏ | xin sổ mới\n\n! giá vàng\n", "utf-8")
    two.write_text("# bộ: y tế\nđặt lịch khám|hẹn bác sĩ\n", "utf-8")
    assert read_banks([one, two]) == {
        "đất đai": [("cấp sổ lần đầu", "làm bìa đỏ", "xin sổ mới"), ("! giá vàng",)],
        "y tế": [("đặt lịch khám", "hẹn bác sĩ")],
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("câu hỏi | cách hỏi\n", "line 1: no bank"),
        ("# bộ: a\nmột | hai\n# bộ: a\nba | bốn\n", "line 3: bank 'a' comes twice"),
    ],
)
def test_a_line_out_of_place_is_named(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "hỏng.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=why):
        read_banks([path])


def test_every_entry_has_enough_wordings_and_none_says_the_same_twice() -> None:
    assert sum(len(rows) for rows in WORDINGS.values()) > 5000
    for name, rows in WORDINGS.items():
        said = [text.lower().strip(" .?!") for row in rows for text in row]
        assert all(said), name
        assert len(said) == len(set(said)), (name, sorted(one for one in set(said) if said.count(one) > 1))
        assert all(len(row) >= 4 for row in rows if not row[0].startswith(UNANSWERED)), name
        assert all(unicodedata.is_normalized("NFC", text) for text in said), name


def test_some_banks_are_kept_back_for_the_ranker() -> None:
    kept = sum(is_kept_back(name) for name in WORDINGS)
    assert len(WORDINGS) / 12 < kept < len(WORDINGS) / 5
    assert not WORDINGS.keys() & load_practice().keys()


def test_what_the_vectors_are_judged_on_is_not_among_what_they_learn() -> None:
    taught = {
        text.lower().strip(" .?!")
        for name, rows in WORDINGS.items()
        if not is_kept_back(name)
        for row in rows
        for text in row[1:]
    }
    judged = {one.text.lower().strip(" .?!") for one in labelled_questions(load_samples())}
    assert len(judged) > 400
    assert len(judged & taught) < len(judged) / 50
