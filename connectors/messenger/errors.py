"""What each error code of the Graph API asks of us. Meanings and sources: PROTOCOLS 2.8, restated in README.md."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.contracts.errors import Action, ChannelError, GiveUp, NotYet, RetryLater


class Remedy(StrEnum):
    """What is done about a code."""

    RETRY = "retry"
    UPLOAD_AGAIN = "upload_again"
    """The attachment could not be taken: once more, then the operator is told."""
    BARRED = "barred"
    """The page may not send for a while: nothing is tried until then."""
    STOP = "stop"
    WINDOW = "window"
    FIX = "fix"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the table."""

    remedy: Remedy
    vi: str
    after_s: float = 5.0
    tries: int | None = None
    """After how many failed tries it is hopeless; None: the outbox's own limit."""


R = Remedy
ANY = None
"""Stands for every subcode that has no row of its own."""
PERMISSION = Meaning(R.OPERATOR, "Ứng dụng thiếu quyền trên trang Facebook (pages_messaging)")
AWAY = Meaning(R.STOP, "Người dân hiện không nhận được tin trên Messenger")
CLOSED = Meaning(R.WINDOW, "Đã quá khung được nhắn tin của Messenger")
NO_ATTACHMENT = Meaning(R.UPLOAD_AGAIN, "Facebook không nhận được tệp đính kèm")
CODES: dict[tuple[int, int | None], Meaning] = {
    (1, ANY): Meaning(R.RETRY, "Facebook tạm thời lỗi", 5.0, tries=5),
    (2, ANY): Meaning(R.RETRY, "Facebook tạm thời lỗi, hoặc người dân đã chặn trang", 10.0, tries=5),
    (1200, ANY): Meaning(R.RETRY, "Facebook tạm thời lỗi", 10.0, tries=5),
    (4, ANY): Meaning(R.RETRY, "Vượt số lời gọi của ứng dụng", 60.0),
    (32, ANY): Meaning(R.RETRY, "Vượt số lời gọi của trang", 60.0),
    (80006, ANY): Meaning(R.RETRY, "Vượt số lời gọi Messenger của trang", 60.0),
    (613, ANY): Meaning(R.RETRY, "Gửi quá nhanh", 30.0),
    (9, 2018352): AWAY,
    (10, 2018278): CLOSED,
    (10, 2018065): CLOSED,
    (10, 2534022): CLOSED,
    (10, 2018108): AWAY,
    (200, 2018108): AWAY,
    (10, 1893063): Meaning(R.BARRED, "Trang Facebook đang tạm bị cấm gửi tin", 1800.0),
    (10, ANY): PERMISSION,
    (200, ANY): PERMISSION,
    (100, 2018001): Meaning(R.STOP, "Facebook không tìm thấy người dùng này"),
    (100, 33): Meaning(R.STOP, "Facebook không tìm thấy người dùng này"),
    (100, 2018109): Meaning(R.FIX, "Tệp đính kèm quá lớn với Messenger"),
    (100, 2018008): NO_ATTACHMENT,
    (100, 2018047): NO_ATTACHMENT,
    (100, 2018294): NO_ATTACHMENT,
    (100, 2018074): NO_ATTACHMENT,
    (100, ANY): Meaning(R.FIX, "Facebook không nhận nội dung tin (tham số sai)"),
    (190, 463): Meaning(R.OPERATOR, "Mã truy cập trang Facebook đã hết hạn, cần kết nối lại trang"),
    (190, 460): Meaning(R.OPERATOR, "Mật khẩu tài khoản quản trị đã đổi, cần kết nối lại trang Facebook"),
    (190, ANY): Meaning(R.OPERATOR, "Mã truy cập trang Facebook không hợp lệ, cần kết nối lại trang"),
    (230, ANY): PERMISSION,
    (551, ANY): AWAY,
    (200, 1545041): AWAY,
    (368, ANY): Meaning(R.OPERATOR, "Facebook chặn trang vì vi phạm chính sách"),
}
ACTIONS = {
    Remedy.STOP: Action.STOP,
    Remedy.WINDOW: Action.WINDOW,
    Remedy.FIX: Action.FIX,
    Remedy.UPLOAD_AGAIN: Action.FIX,
    Remedy.OPERATOR: Action.OPERATOR,
    Remedy.BARRED: Action.OPERATOR,
}


def meaning_of(code: int, subcode: int | None) -> Meaning:
    """The row for this pair, else for the code, else: an operator must look."""
    found = CODES.get((code, subcode)) or CODES.get((code, ANY))
    return found or Meaning(Remedy.OPERATOR, "Facebook báo lỗi chưa rõ, xem mã lỗi")


def failure_for(code: int, subcode: int | None, *, until: datetime | None = None) -> ChannelError:
    """What the outbox is told; `until`: when Meta says that access is regained."""
    meaning = meaning_of(code, subcode)
    label = f"{code}/{subcode}" if subcode else str(code)
    if meaning.remedy in (Remedy.RETRY, Remedy.BARRED):
        reason = f"{meaning.vi} (mã {label})"
        if until is not None:
            return NotYet(reason, until)
        return RetryLater(reason, after_s=meaning.after_s, tries=meaning.tries)
    return GiveUp(f"{meaning.vi} (mã {label}).", ACTIONS[meaning.remedy], code=label)
