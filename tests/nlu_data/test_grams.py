"""What an intent is recognised by: terms of a message's words."""

from hypothesis import given
from hypothesis import strategies as st

from nlu_data.vi_nlu.grams import BLOCKS, NUMBER, PERSON, WEIGHTS, terms_of
from nlu_data.vi_nlu.text import fold

words = st.lists(
    st.sampled_from(["bố", "mẹ", "em", "cháu", "ngã", "tiêm", "vắc", "xin", "115", "khó", "thở", "?", "ở", "đâu"]),
    max_size=12,
)


def blocks(text: str) -> dict[str, list[str]]:
    written = text.lower().split()
    return dict(zip(BLOCKS, terms_of(written, [fold(one) or one for one in written]), strict=True))


def test_a_scene_is_the_same_with_another_person() -> None:
    one, other = blocks("Bố em ngã 2 lần"), blocks("ông nội nhà tôi ngã 3 lần")
    assert f"{PERSON} nga {NUMBER}" in one["classes"]
    assert f"{PERSON} nga {NUMBER}" in other["classes"]
    assert one["words"] != other["words"]


def test_marks_count_only_in_the_words_as_written() -> None:
    marked, bare = blocks("tiêm ở đâu"), blocks("tiem o dau")
    assert marked["written"] != bare["written"]
    assert {name: terms for name, terms in marked.items() if name != "written"} == {
        name: terms for name, terms in bare.items() if name != "written"
    }


def test_ends_tell_a_yes_from_a_question() -> None:
    assert "$khong" in blocks("có được không")["ends"]
    assert blocks("có")["ends"][:3] == ["^co", "^co", "$co"]


@given(words)
def test_every_message_has_every_block(said: list[str]) -> None:
    plain = [fold(one) or one for one in said]
    terms = terms_of(said, plain)
    assert len(terms) == len(BLOCKS) == len(WEIGHTS)
    assert set(plain) <= set(terms[0])
    assert all(len(one.strip()) <= 5 for one in terms[2])


@given(words, words)
def test_letters_do_not_reach_over_words(first: list[str], second: list[str]) -> None:
    letters = [terms_of(each, [fold(one) or one for one in each])[2] for each in (first, second, [*first, *second])]
    assert sorted(letters[0] + letters[1]) == sorted(letters[2])
