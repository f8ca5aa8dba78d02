"""What the browser is given to draw: values only."""

from datetime import UTC, datetime, timedelta

from bot.contracts.ids import Channel, ConversationId, MessageId, TicketCode, TicketId
from bot.contracts.messages import Author, DeliveryState
from bot.conversation.overview import MessageView
from console.parts.asking import next_working_morning
from console.parts.history import line_of
from console.parts.waiting_list import row_of
from console.wording import has_words, say_age, say_clock, shorten
from handoff.ticket import Priority, Reason, State, TicketKind
from handoff.views import TicketView

NOON = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)


def message(**fields: object) -> MessageView:
    given: dict[str, object] = {
        "id": MessageId(1), "conversation": ConversationId(1), "channel": Channel("zalo"),
        "author": Author.CITIZEN, "by": None, "kind": "text", "text": "xin chào", "choices": (),
        "attachments": (), "location": None, "ticket": None, "entry": None, "helpful": None, "created_at": NOON,
        "status": None, "failure": None, "outside": False, "outcome": None,
    }  # fmt: skip
    return MessageView(**given | fields)  # type: ignore[arg-type]


def ticket(**fields: object) -> TicketView:
    given: dict[str, object] = {
        "id": TicketId(1), "code": TicketCode("TH-7K3P9"), "kind": TicketKind.QUESTION, "state": State.WAITING,
        "priority": Priority.NORMAL, "reason": Reason.NOTHING_CLOSE, "conversation": ConversationId(1),
        "question": "Làm lại sổ hộ nghèo ở đâu?", "subject": None, "subject_name": None, "unit": None,
        "unit_name": None, "forwarded_to": None, "forwarded_to_name": None, "taken_by": None, "taken_by_name": None,
        "place": None, "created_at": NOON, "promised_at": NOON, "due_at": NOON + timedelta(hours=1),
        "is_overdue": False,
    }  # fmt: skip
    return TicketView(**given | fields)  # type: ignore[arg-type]


def test_a_message_that_did_not_arrive_says_why_and_offers_another_try() -> None:
    line = line_of(message(author=Author.OPERATOR, by="Lan", status=DeliveryState.FAILED, failure="Đã chặn trang"))
    assert (line["who"], line["delivery"], line["failure"], line["stuck"]) == (
        "Lan (cán bộ)", "chưa gửi được", "Đã chặn trang", True,
    )  # fmt: skip


def test_a_message_that_waits_for_too_long_says_why_and_offers_the_phone_but_no_other_try() -> None:
    waits = message(author=Author.BOT, status=DeliveryState.QUEUED, failure="Chờ gửi từ 21:00: trang bị cấm", late=True)
    line = line_of(waits)
    assert (line["delivery"], line["failure"]) == ("chờ gửi quá lâu", "Chờ gửi từ 21:00: trang bị cấm")
    assert (line["stuck"], line["phone"], line["again"]) == (True, True, False)
    on_its_way = line_of(message(author=Author.BOT, status=DeliveryState.QUEUED, failure="hụt một lần"))
    assert (on_its_way["delivery"], on_its_way["failure"], on_its_way["phone"]) == ("đang gửi", None, False)


def test_a_message_that_was_seen_offers_nothing() -> None:
    line = line_of(message(author=Author.BOT, status=DeliveryState.SEEN))
    assert (line["delivery"], line["stuck"]) == ("đã xem", False)


def test_an_attachment_is_a_link_only_if_it_is_a_web_address() -> None:
    files = line_of(
        message(attachments=({"kind": "image", "url": "javascript:alert(1)"}, {"kind": "image", "url": "https://x/1"}))
    )["files"]
    assert [one["url"] for one in files] == [None, "https://x/1"]


def test_only_what_is_open_can_be_late() -> None:
    late = row_of(ticket(due_at=NOON - timedelta(hours=1), is_overdue=True), Channel("zalo"), NOON)
    done = row_of(ticket(state=State.CLOSED, due_at=NOON - timedelta(hours=1)), Channel("zalo"), NOON)
    assert late["due"] < NOON.timestamp() < done["due"]
    assert late["channel"] == "Zalo"


def test_ages_and_clocks_are_short() -> None:
    assert [say_age(timedelta(minutes=one)) for one in (0, 5, 125, 3000)] == ["vừa xong", "5 phút", "2 giờ", "2 ngày"]
    assert say_clock(NOON, NOON) == "12:00"
    assert say_clock(NOON - timedelta(days=1), NOON) == "12:00 23/11"
    assert shorten("một hai ba bốn", 9) == "một hai…"


def test_a_friday_promise_is_for_monday() -> None:
    friday = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    assert next_working_morning(friday).strftime("%a %H:%M") == "Mon 10:00"


def test_every_search_box_finds_words_with_and_without_marks() -> None:
    assert has_words("giay phep", "Thủ tục xin giấy phép nuôi chim yến", None)
    assert has_words("phép GIẤY", "Thủ tục xin giấy phép")
    assert has_words("", "gì cũng được")
    assert not has_words("giấy khai sinh", "Thủ tục xin giấy phép")
