"""What a message leans on, what it corrects, and whether it is only a subject."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faq.clauses import loose_questions_of
from faq.follow import asks_about_it, meant_instead, named_in, names_office, place_in, subject_of
from faq.normalise import words_of
from faq.topic import topic_of
from kb_import.samples.content import labelled_questions, load_samples


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("à không, ý em là đăng ký kết hôn", "đăng ký kết hôn"),
        ("không phải, tôi hỏi đăng ký khai sinh cho cháu mới đẻ", "đăng ký khai sinh cho cháu mới đẻ"),
        ("nhầm, ý tôi là giấy khai tử", "giấy khai tử"),
        ("khong y toi la doi giay phep lai xe", "doi giay phep lai xe"),
        ("sai rồi, tôi hỏi mất thẻ căn cước cơ mà", "mất thẻ căn cước"),
        ("ý mình là moderna cơ", "moderna"),
        ("nói lộn, chợ phiên ấy", "chợ phiên"),
        ("em hỏi khai tử chứ không phải khai sinh", "khai tử"),
        ("không phải", None),
        ("không, cảm ơn em", None),
        ("tôi hỏi đăng ký kết hôn ở đâu", None),
        ("không đeo khẩu trang phạt bao nhiêu", None),
        ("xin lỗi em, cho hỏi chợ phiên họp chưa", None),
        ("không đồng ý cách ly thì khiếu nại ở đâu", None),
    ],
)
def test_corrections(said: str, meant: str | None) -> None:
    assert meant_instead(said) == meant


def test_no_question_of_the_sample_banks_corrects_anything() -> None:
    assert [one.text for one in labelled_questions(load_samples()) if meant_instead(one.text)] == []


@pytest.mark.parametrize(
    "said",
    [
        "CẦN MANG GIẤY TỜ GÌ",
        "con phi bao nhieu",
        "bao lâu thì lấy được",
        "nộp ở chỗ nào ạ",
        "có mất tiền không",
        "hết mấy ngày",
        "ra đâu làm vậy ạ",
    ],
)
def test_what_names_no_thing_asks_about_the_one_before(said: str) -> None:
    assert asks_about_it(words_of(said))


@pytest.mark.parametrize(
    "said",
    [
        "cách ly bao lâu",
        "kết hôn cần giấy tờ gì",
        "cảm ơn em",
        "gì",
        "tiêm có mất tiền không",
        "xe buýt chạy chưa",
        "mất thẻ làm sao",
    ],
)
def test_what_names_a_thing_stands_by_itself(said: str) -> None:
    assert not asks_about_it(words_of(said))


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("ở Sầm Sơn thì sao?", ("sầm", "sơn")),
        ("tôi ở Tĩnh Gia", ("tĩnh", "gia")),
        ("thế ở nghi sơn", ("nghi", "sơn")),
        ("quán em ở Bỉm Sơn thì sao", ("bỉm", "sơn")),
        ("quán em bán gì ở Bỉm Sơn", None),
        ("còn bên Hoằng Hóa thì thế nào ạ", ("hoằng", "hóa")),
        ("ở đâu", None),
        ("nộp ở đâu", None),
        ("ở Sầm Sơn chợ phiên có họp không", None),
    ],
)
def test_places(said: str, place: tuple[str, ...] | None) -> None:
    assert place_in(words_of(said)) == place


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ("Đăng ký tại UBND cấp xã nơi cư trú.", True),
        ("Đến nơi cấp căn cước gần nhất.", True),
        ("Miễn phí cho mọi người.", False),
        ("Hai mũi cách nhau 4 tuần.", False),
    ],
)
def test_answers_that_say_where(answer: str, names: bool) -> None:
    assert names_office(answer) is names


@pytest.mark.parametrize(
    ("asked", "subject"),
    [
        ("tiêm vắc xin có mất tiền không", "tiêm vắc xin"),
        ("đăng ký kết hôn ở đâu", "đăng ký kết hôn"),
        ("mất căn cước làm lại thế nào", "mất căn cước làm lại"),
        ("ở đâu", "ở đâu"),
    ],
)
def test_subjects(asked: str, subject: str) -> None:
    assert " ".join(subject_of(asked.split())) == subject


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("chợ phiên có họp không và xe buýt chạy chưa", 2),
        ("tiem vac xin co mat tien khong, dang ky o dau", 2),
        ("siêu thị mở chưa ạ, chợ họp chưa, quán ăn bán được chưa", 3),
        ("con tôi 3 tuổi và 7 tuổi có phải xét nghiệm không", 0),
        ("em ở hà nội về có phải cách ly không hay chỉ theo dõi tại nhà", 0),
        ("có phải cách ly không ạ", 0),
    ],
)
def test_questions_in_one_breath(said: str, parts: int) -> None:
    assert len(loose_questions_of(said)) == parts


@pytest.mark.parametrize("read", ["cách ly", "em hỏi về giấy đi đường", "tiêm vắc xin ạ", "chợ"])
def test_a_bare_subject(read: str) -> None:
    assert topic_of(read)


@pytest.mark.parametrize(
    "read", ["cách ly bao lâu", "phải cách ly", "bị sốt", "khai sinh con giấy gì", "", "mất căn cước làm lại"]
)
def test_more_than_a_subject(read: str) -> None:
    assert not topic_of(read)


@given(st.text(max_size=80))
def test_any_text_can_be_looked_at(text: str) -> None:
    words = words_of(text)
    meant = meant_instead(text)
    assert meant is None or words_of(meant)
    assert set(subject_of(words)) <= set(words)
    assert set(place_in(words) or ()) <= set(words)
    assert all(part in text for part in loose_questions_of(text))


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ("làm căn cước cần gì", {"can", "cuoc"}),
        ("làm căn cước cần giấy tờ gì", {"can", "cuoc"}),
        ("ở đâu", set()),
        ("bảo hiểm thất nghiệp nộp ở đâu", {"bao", "hiem", "that", "nghiep"}),
    ],
)
def test_words_that_name_what_a_question_is_about(said: str, keys: set[str]) -> None:
    assert named_in(words_of(said)) == keys
