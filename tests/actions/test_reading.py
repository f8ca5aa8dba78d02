"""What words mean while a report is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.form import kind_of
from actions.reading import (
    SKIPPED,
    SLOTS,
    Adds,
    Corrects,
    Fills,
    Interrupts,
    Slot,
    Unusable,
    Words,
    find_phone,
    find_ticket_code,
    first_values,
    read_turn,
)
from actions.refusal import is_refusal, is_skip
from actions.services import ReportKind


def words(text: str, intent: str = "ask_question", confidence: float = 0.9, **entities: str) -> Words:
    return Words(text, intent, confidence, entities)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0912345678", "0912345678"),
        ("gọi 0912.345.678 nhé", "0912345678"),
        ("+84 912 345 678", "0912345678"),
        ("84912345678", "0912345678"),
        ("02373 852 246", "02373852246"),
        ("số em: 0387-123-456 ạ", "0387123456"),
        ("012345678", None),
        ("tôi sinh năm 1985", None),
        ("0112345678", None),
        ("cccd 038085001234", None),
    ],
)
def test_phone_numbers(text: str, number: str | None) -> None:
    assert find_phone(text) == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("TH-7K3P9", "TH-7K3P9"),
        ("mã phiếu th-7k3p9 ạ", "TH-7K3P9"),
        ("th 7k3p9", "TH-7K3P9"),
        ("TH7K3P9 đến đâu rồi", "TH-7K3P9"),
        ("th – abcde", "TH-ABCDE"),
        ("th abcde", None),
        ("thanhha", None),
        ("TH-7K3P", None),
        ("TH-7K3P90", None),
        ("TH-7K1P9", None),
        ("ETH-7K3P9", None),
    ],
)
def test_ticket_codes(text: str, code: str | None) -> None:
    assert find_ticket_code(text) == code


@given(st.text("23456789ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=5, max_size=5), st.booleans())
def test_every_printed_code_is_read_back(code: str, lower: bool) -> None:
    printed = f"TH-{code}"
    assert find_ticket_code(f"phiếu {printed.lower() if lower else printed} xong chưa") == printed


@pytest.mark.parametrize(
    "text", ["bỏ qua", "Bo qua nhe", "không ạ", "ko có ảnh", "k", "dạ không tiện ạ", "k nhớ rõ", "skip"]
)
def test_skips(text: str) -> None:
    assert is_skip(text)


@pytest.mark.parametrize(
    "text", ["không khí ô nhiễm", "không có ai dọn rác", "không biết bơi bị ngã xuống hồ", "khu chợ", ""]
)
def test_not_skips(text: str) -> None:
    assert not is_skip(text)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("report_photo", "cháu không có máy ảnh"),
        ("report_photo", "máy hỏng"),
        ("report_photo", "thôi khỏi ảnh"),
        ("report_photo", "dt cui ko chup dc"),
        ("report_photo", "lúc đấy không kịp chụp"),
        ("report_photo", "điện thoại hết pin rồi"),
        ("report_photo", "điện thoại cục gạch, chụp sao được"),
        ("report_photo", "em sợ nên không dám chụp"),
        ("report_phone", "không muốn cho số"),
        ("report_phone", "bà không có điện thoại"),
        ("report_phone", "ngại cho số lắm"),
        ("report_phone", "cứ trả lời ở đây là được"),
        ("report_phone", "thôi khỏi"),
    ],
)
@pytest.mark.parametrize("intent", ["nlu_fallback", "help", "photo", "deny"])
def test_a_photo_or_a_number_can_be_refused_in_other_words(asked: Slot, said: str, intent: str) -> None:
    assert read_turn(words(said, intent), asked) == Fills({asked: SKIPPED})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("report_photo", "người ta không có máy xúc đến dọn"),
        ("report_photo", "chưa có ai đến sửa đèn"),
        ("report_photo", "cây đổ làm hỏng máy biến áp"),
        ("report_photo", "em gửi ảnh đây"),
        ("report_phone", "gọi điện lực mãi không ai bắt máy"),
        ("report_phone", "nhà tôi không có nước ba ngày rồi"),
        ("report_phone", "số nhà 15 đường Lê Lợi"),
        ("report_where", "máy hỏng"),
    ],
)
def test_what_only_sounds_like_a_refusal_is_kept(asked: Slot, said: str) -> None:
    turn = read_turn(words(said, "report"), asked)
    assert not isinstance(turn, Fills) or SKIPPED not in turn.values.values()


@pytest.mark.parametrize("said", ["091234", "số 0912 34 567", "09123456789", "sdt 0112345678", "098 765 432"])
@pytest.mark.parametrize("intent", ["ticket_status", "ask_question", "nlu_fallback"])
def test_a_wrong_number_is_told_what_is_wrong(said: str, intent: str) -> None:
    assert read_turn(words(said, intent), "report_phone") == Unusable("utter_report_phone_wrong")


@given(st.text(max_size=60))
def test_a_refused_step_is_refused_whatever_the_spelling(text: str) -> None:
    assert is_refusal(text.upper(), "report_photo") is is_refusal(text.upper().lower(), "report_photo")
    assert not is_refusal(text, "report_what")


@pytest.mark.parametrize(
    ("asked", "said", "turn"),
    [
        ("report_what", words("ok", "affirm"), Unusable("utter_report_what_unusable")),
        ("report_what", words("đường ngập nước", "report"), Fills({"report_what": "đường ngập nước"})),
        (
            "report_what",
            words("rác ở chợ từ hôm qua, gọi 0912345678", "report", place="chợ", date="hôm qua"),
            Fills(
                {
                    "report_what": "rác ở chợ từ hôm qua, gọi 0912345678",
                    "report_where": "chợ",
                    "report_when": "hôm qua",
                    "report_phone": "0912345678",
                }
            ),
        ),
        ("report_where", words("tiêm mũi 3 ở đâu ạ?"), Interrupts("ask_question")),
        (
            "report_where",
            words("TH-7K3P9 xong chưa?", "ticket_status", ticket_code="TH-7K3P9"),
            Interrupts("ticket_status"),
        ),
        ("report_where", words("giá đất nền năm nay thế nào?", "nlu_fallback"), Interrupts("nlu_fallback")),
        ("report_what", words("sao rác để cả tuần?", "nlu_fallback"), Fills({"report_what": "sao rác để cả tuần?"})),
        ("report_where", words("công an xã", "unit_contact"), Fills({"report_where": "công an xã"})),
        ("report_when", words("không nhớ rõ", "skip"), Fills({"report_when": SKIPPED})),
        ("report_when", words("lúc 9h tối qua"), Fills({"report_when": "lúc 9h tối qua"})),
        ("report_when", words("à nhầm, ở phường Hàm Rồng"), Corrects("report_where", "ở phường Hàm Rồng")),
        ("report_phone", words("sửa lại thời gian thành sáng nay"), Corrects("report_when", "sáng nay")),
        ("report_phone", words("sua dia diem: cho Vuon Hoa"), Corrects("report_where", "cho Vuon Hoa")),
        ("report_photo", words("bỏ qua", "skip"), Fills({"report_photo": SKIPPED})),
        ("report_photo", words("có ảnh", "affirm"), Unusable("utter_report_photo_unusable")),
        ("report_photo", words("https://anh.example/1.jpg"), Fills({"report_photo": "https://anh.example/1.jpg"})),
        ("report_photo", words("nhà đó đêm nào cũng ồn", "report"), Adds("nhà đó đêm nào cũng ồn")),
        ("report_phone", words("12345", "report"), Unusable("utter_report_phone_wrong")),
        ("report_phone", words("không", "deny"), Fills({"report_phone": SKIPPED})),
    ],
)
def test_turns(asked: Slot, said: Words, turn: object) -> None:
    assert read_turn(said, asked) == turn


POINT = "vị trí 19.806700, 105.776400"


@pytest.mark.parametrize(
    ("asked", "said", "values"),
    [
        ("report_where", Words(POINT, "", 0.0, place=POINT), {"report_where": POINT}),
        ("report_when", Words(POINT, "", 0.0, place=POINT), {"report_where": POINT}),
        ("report_where", Words("cổng chợ", "", 0.0, place=POINT), {"report_where": f"cổng chợ; {POINT}"}),
        ("report_phone", Words("84912345678", "", 0.0, phone="84912345678"), {"report_phone": "0912345678"}),
        ("report_what", Words("+84912345678", "", 0.0, phone="+84912345678"), {"report_phone": "0912345678"}),
        (
            "report_where",
            Words("1 Lê Lợi, Hạc Thành", "", 0.0, phone="84912345678"),
            {"report_where": "1 Lê Lợi, Hạc Thành", "report_phone": "0912345678"},
        ),
        ("report_phone", Words("1 Lê Lợi, Hạc Thành", "", 0.0, phone="84912345678"), {"report_phone": "0912345678"}),
    ],
)
def test_what_is_shared_counts_at_any_step(asked: Slot, said: Words, values: dict[Slot, str]) -> None:
    """The address beside a shared number is where the person lives: the place only if that was asked."""
    assert read_turn(said, asked) == Fills(values)


def test_a_shared_number_that_is_none_is_asked_for_again() -> None:
    assert read_turn(Words("12", "", 0.0, phone="12"), "report_phone") == Unusable("utter_report_phone_unusable")


def test_a_picture_counts_at_any_step_and_its_caption_answers() -> None:
    picture = Words("ngay cổng chợ", "report", 0.9, photo="17")
    assert read_turn(picture, "report_where") == Fills({"report_photo": "17", "report_where": "ngay cổng chợ"})
    assert read_turn(Words("", "", 0.0, photo="17"), "report_phone") == Fills({"report_photo": "17"})


@given(
    st.text(max_size=80),
    st.sampled_from(SLOTS),
    st.sampled_from(["ask_question", "report", "skip", "affirm", "nlu_fallback"]),
)
def test_every_text_means_something_and_only_the_forms_slots_are_touched(text: str, asked: Slot, intent: str) -> None:
    turn = read_turn(words(text, intent), asked)
    if isinstance(turn, Fills):
        assert set(turn.values) <= set(SLOTS)
        assert all(turn.values.values()), "an empty value would be asked for for ever"


@pytest.mark.parametrize(
    "text", ["tôi muốn phản ánh", "Em muốn gửi phản ánh ạ", "phan anh", "toi muon phan anh mot viec", "kiến nghị"]
)
def test_a_bare_opening_tells_nothing(text: str) -> None:
    assert first_values(words(text, "report")) == {}


def test_a_full_opening_is_kept_whole() -> None:
    text = "Tôi xin phản ánh quán karaoke mở nhạc to quá nửa đêm"
    assert first_values(words(text, "report", place="phường Hàm Rồng")) == {
        "report_what": text,
        "report_where": "phường Hàm Rồng",
    }


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("tôi muốn phản ánh", ReportKind.REPORT),
        ("toi xin kien nghi", ReportKind.PROPOSAL),
        ("đề nghị xã phun thuốc", ReportKind.PROPOSAL),
        ("xin hỗ trợ lương thực", ReportKind.HELP),
    ],
)
def test_kinds(text: str, kind: ReportKind) -> None:
    assert kind_of(text) is kind
