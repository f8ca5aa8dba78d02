"""Words and times as people in the console read them. Pure."""

from datetime import datetime, timedelta
from typing import Final

from bot.base.clock import in_vietnam
from bot.contracts.ids import Channel
from bot.contracts.messages import DeliveryState
from bot.conversation.open_channels import OpenElsewhere
from faq.store import Change
from nlu_data.vi_nlu.text import strip_diacritics

CHANNELS_VI: Final = {"webchat": "Web chat", "zalo": "Zalo", "messenger": "Messenger"}
DELIVERY_VI: Final = {
    DeliveryState.QUEUED: "đang gửi",
    DeliveryState.SENDING: "đang gửi",
    DeliveryState.UNCERTAIN: "chưa rõ đã đến chưa",
    DeliveryState.SENT: "đã gửi",
    DeliveryState.DELIVERED: "đã nhận",
    DeliveryState.SEEN: "đã xem",
    DeliveryState.HELD: "chưa gửi được",
    DeliveryState.FAILED: "chưa gửi được",
}
DECIDED_VI: Final = {
    "answer": "Bot trả lời",
    "choose": "Bot đưa lựa chọn",
    "handover": "Bot chuyển cán bộ",
    "dialogue": "Bot trò chuyện",
    "emergency": "Khẩn cấp",
    "advert": "Tin quảng cáo",
    "received": "Đã ghi nhận",
    "silent": "Bot im lặng",
}
INTENTS_VI: Final = {
    "greet": "chào hỏi",
    "thanks": "cảm ơn",
    "goodbye": "tạm biệt",
    "ask_question": "hỏi",
    "ask_person": "muốn gặp cán bộ",
    "ticket_status": "tra cứu phiếu",
    "unit_contact": "hỏi cách liên hệ đơn vị",
    "report": "phản ánh",
    "emergency": "khẩn cấp",
    "affirm": "đồng ý",
    "deny": "không đồng ý",
    "stop": "dừng lại",
    "skip": "bỏ qua",
    "helped": "đã được giúp",
    "not_helped": "chưa được giúp",
    "help": "cần hướng dẫn",
    "insult": "lời xúc phạm",
    "out_of_scope": "ngoài phạm vi",
    "photo": "gửi ảnh",
}
ENTITIES_VI: Final = {
    "place": "nơi",
    "date": "thời gian",
    "phone": "điện thoại",
    "unit": "đơn vị",
    "ticket_code": "mã phiếu",
}
EVENTS_VI: Final = {
    "opened": "Mở phiếu",
    "question_added": "Người dân hỏi thêm",
    "take_over": "Tiếp quản",
    "replied": "Trả lời trong hội thoại",
    "hand_back": "Trả lại cho bot",
    "forward": "Chuyển đơn vị",
    "send_back": "Đơn vị trả lại",
    "promise": "Hẹn trả lời",
    "answer": "Trả lời phiếu",
    "close": "Đóng phiếu",
    "reopen": "Mở lại",
    "triaged": "Phân loại",
    "noted": "Ghi chú nội bộ",
    "taught": "Đã bổ sung bộ câu hỏi",
    "reassigned": "Giao cho người khác",
}
CHANGES_VI: Final = {
    Change.ADDED: "Thêm mới",
    Change.CHANGED: "Sửa",
    Change.PHRASING: "Thêm cách hỏi",
    Change.RETIRED: "Thu hồi",
    Change.RESTORED: "Dùng lại",
}


def say_delivery(status: DeliveryState, *, late: bool = False) -> str:
    """How far a message of ours came. `late`: it has been waiting for too long."""
    return "chờ gửi quá lâu" if late else DELIVERY_VI[status]


def say_channel(channel: Channel | None) -> str:
    """The channel's name; a channel that a site added shows its own."""
    return CHANNELS_VI.get(channel, channel) if channel else "—"


def say_elsewhere(open_: OpenElsewhere) -> str:
    """What an operator can do about a shut channel, beside the phone; empty if there is nothing."""
    if open_.linked:
        name = say_channel(open_.linked)
        return f"Còn nhắn được qua {name}: câu trả lời mới tự đi qua đó; tin đang giữ thì bấm “Gửi lại”."
    if open_.alike:
        return (
            f"Có hội thoại {say_channel(open_.alike)} cùng số điện thoại còn nhắn được: "
            "ghép ở mục “Cùng một người?”, rồi bấm “Gửi lại”."
        )
    return ""


def say_age(age: timedelta) -> str:
    """How long ago, in one unit: "vừa xong", "5 phút", "3 giờ", "2 ngày"."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "vừa xong"
    if minutes < 60:
        return f"{minutes} phút"
    return f"{minutes // 60} giờ" if minutes < 48 * 60 else f"{minutes // (24 * 60)} ngày"


def say_clock(moment: datetime, now: datetime) -> str:
    """The time of day in Vietnam, with the day unless it is today: "14:05", "14:05 23/11"."""
    here = in_vietnam(moment)
    return here.strftime("%H:%M" if here.date() == in_vietnam(now).date() else "%H:%M %d/%m")


def say_percent(share: float) -> str:
    """0.873 as "87%"."""
    return f"{share * 100:.0f}%"


def say_share(share: float) -> str:
    """0.873 as "87,3%", 0.95 as "95%"."""
    return f"{share * 100:.1f}".removesuffix(".0").replace(".", ",") + "%"


def shorten(text: str, chars: int) -> str:
    """At most `chars` signs, cut between words."""
    flat = " ".join(text.split())
    return flat if len(flat) <= chars else flat[: chars - 1].rsplit(" ", 1)[0] + "…"


def has_words(words: str, *texts: str | None) -> bool:
    """Every word somewhere in the texts, with or without its marks: what each list's search box means."""
    shown = strip_diacritics(" ".join(filter(None, texts))).casefold()
    return all(strip_diacritics(word).casefold() in shown for word in words.split())
