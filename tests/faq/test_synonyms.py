"""What citizens call a thing and what the administration calls it."""

import numpy as np
import pytest

from bot.contracts.errors import Refused
from bot.contracts.ids import BankId, EntryId, UnitCode
from faq.embed import load_embedder
from faq.entry import EntryDraft, EntryRecord
from faq.features import PAIR_FEATURES, View, knows, meant
from faq.index import Index, pieces_of
from faq.lexicon import Counts
from faq.normalise import load_abbreviations, words_of
from faq.search import load_searcher
from faq.settings import ABBREVIATIONS_FILE, FaqSettings
from faq.synonyms import Synonyms, load_synonyms, parse_synonyms

TABLE = """
đất:
  - [sổ đỏ, bìa đỏ, giấy chứng nhận quyền sử dụng đất]
  - [mất, thất lạc]
loại câu hỏi:
  bao nhiêu tiền: [lệ phí, tốn, bao nhiêu tiền]
  bao lâu: [bao lâu, mấy ngày]
"""
MEANT = PAIR_FEATURES[PAIR_FEATURES.index("asked_meant") :]


@pytest.fixture(scope="module")
def small() -> Synonyms:
    return parse_synonyms(TABLE)


def bank(*questions: str) -> Index:
    """An index of these questions; vectors play no part."""
    table = load_abbreviations(ABBREVIATIONS_FILE)
    entries = [
        EntryRecord(EntryId(at), BankId(1), UnitCode("X"), "X", 1, EntryDraft(question, ""))
        for at, question in enumerate(questions, 1)
    ]
    pieces = [pieces_of(entry.draft, table) for entry in entries]
    vectors = {piece.dense: np.full(4, 0.5, np.float32) for group in pieces for piece in group}
    return Index(entries, pieces, vectors, dim=4, generation=1, exact_limit=100, ordinary=Counts())


def evidence(small: Synonyms, question: str, *entries: str) -> list[dict[str, float]]:
    """The evidence with synonyms of each entry."""
    index = bank(*entries)
    texts = [piece.words for piece in index.pieces]
    found = meant(index, View(tuple(words_of(question)), 0.0), small, texts, np.arange(len(texts)))
    return [dict(zip(MEANT, row.tolist(), strict=True)) for row in found]


def test_a_name_is_found_with_and_without_marks(small: Synonyms) -> None:
    marked, bare = (small.meaning(tuple(text.split())) for text in ("làm sổ đỏ", "lam so do"))
    assert marked.named == bare.named == small.meaning(("bìa", "đỏ")).named
    assert marked.senses[0] == frozenset()
    assert marked.senses[1] == marked.senses[2] == marked.named


def test_one_word_without_marks_names_nothing(small: Synonyms) -> None:
    assert small.meaning(("mất",)).named
    assert not small.meaning(("mát",)).named
    assert not small.meaning(("mat",)).named


def test_the_longest_name_counts(small: Synonyms) -> None:
    found = small.meaning(("giấy", "chứng", "nhận", "quyền", "sử", "dụng", "đất"))
    assert found.spans == ((0, 7, 0),)


def test_a_synonym_covers_the_word(small: Synonyms) -> None:
    right, wrong = evidence(
        small, "mất bìa đỏ", "thất lạc giấy chứng nhận quyền sử dụng đất", "đăng ký khai sinh cho trẻ em"
    )
    assert right["asked_meant"] == pytest.approx(1.0)
    assert right["missing_meant"] == pytest.approx(0.0)
    assert wrong["asked_meant"] == pytest.approx(0.0)


def test_what_all_likely_entries_have_tells_nothing_apart(small: Synonyms) -> None:
    plain, special = evidence(small, "khai tử", "đăng ký khai tử", "đăng ký khai tử có yếu tố nước ngoài")
    assert plain["missing_here"] == pytest.approx(0.0)
    assert special["missing_here"] > 0.2
    assert plain["entry_here"] == pytest.approx(0.0)  # nothing that tells apart is left to cover


def test_what_is_asked_about_a_thing(small: Synonyms) -> None:
    fee, time, neither = evidence(small, "làm sổ đỏ tốn không", "lệ phí làm sổ đỏ", "làm sổ đỏ bao lâu", "làm sổ đỏ")
    assert (fee["kind_same"], fee["kind_other"]) == (1.0, 0.0)
    assert (time["kind_same"], time["kind_other"]) == (0.0, 1.0)
    assert neither["kind_asked"] == 1.0


def test_words_the_bank_uses_side_by_side() -> None:
    index = bank("cấp sổ mới", "tờ giấy đỏ")
    assert knows(index, ("sổ", "mới"))
    assert not knows(index, ("sổ", "đỏ"))
    assert knows(index, ("đỏ",))


def test_a_name_the_bank_never_uses_is_put_in_its_own_term() -> None:
    settings = FaqSettings()
    searcher = load_searcher(settings, load_embedder(settings))
    index = bank("cấp lại giấy chứng nhận quyền sử dụng đất", "đăng ký khai sinh")
    words = searcher.in_terms_of(index, ("làm", "sổ", "đỏ"))
    assert words is not None
    assert " ".join(words).endswith("quyền sử dụng đất")
    assert searcher.in_terms_of(index, ("đăng", "ký", "khai", "sinh")) is None
    views, scores = searcher.choose_views(index, [("làm", "sổ", "đỏ")], 0.0)
    assert [view.replaced for view in views] == [False, True]
    assert len(scores) == len(views)


@pytest.mark.parametrize("source", ["[a", "- a", "đất: một", "đất:\n  - sổ đỏ"])
def test_a_table_that_is_none_is_refused(source: str) -> None:
    with pytest.raises(Refused):
        parse_synonyms(source)


def test_the_shipped_table_has_no_group_of_one() -> None:
    shipped = load_synonyms()
    assert len(shipped.groups) > 200
    assert all(len(group) > 1 for group in shipped.groups)
