"""What each error code of Zalo's OA API asks of us. Meanings and sources: PROTOCOLS 1.9, restated in README.md.

Zalo answers errors with HTTP 200 and a negative `error`. An unknown code is a matter for the operator, never a retry.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from bot.base.clock import in_vietnam
from bot.contracts.errors import Action, ChannelError, GiveUp, NotYet, RetryLater


class Remedy(StrEnum):
    """What the connector does about a code before, or instead of, telling the outbox."""

    RETRY = "retry"
    NEXT_MINUTE = "next_minute"
    """Calls are counted by the minute."""
    REFRESH = "refresh"
    """Replace the access token and repeat once."""
    UPLOAD_AGAIN = "upload_again"
    PLAIN = "plain"
    """Repeat once without buttons, as numbered text."""
    MORNING = "morning"
    """Not at night: again at 06:05 in Việt Nam."""
    NEXT_DAY = "next_day"
    """A daily quota is used up: again at 00:05 in Việt Nam."""
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


MORNING = time(6, 5)
NEW_DAY = time(0, 5)
R = Remedy
TEMPLATE = Meaning(R.FIX, "Mẫu tin ZBS hoặc dữ liệu của mẫu không đúng")
NO_RECIPIENT = Meaning(R.STOP, "Tài khoản Zalo của số điện thoại này không nhận được tin")
NO_MONEY = Meaning(R.OPERATOR, "Tài khoản ZBS không đủ số dư")
NOT_APPROVED = Meaning(R.OPERATOR, "Chưa được Zalo cho phép hoặc duyệt để gửi tin mẫu (ZBS)")
DEVELOPMENT = Meaning(R.OPERATOR, "Tin mẫu (ZBS) còn ở chế độ thử nghiệm, chỉ gửi được cho quản trị viên")
DAILY = Meaning(R.NEXT_DAY, "Đã hết hạn mức tin mẫu (ZBS) trong ngày")
CODES: dict[int, Meaning] = {
    -32: Meaning(R.NEXT_MINUTE, "Vượt số lời gọi mỗi phút của Zalo"),
    -100: Meaning(R.UPLOAD_AGAIN, "Tệp tải lên Zalo đã hết hạn"),
    -200: Meaning(R.RETRY, "Zalo báo gửi không thành công", 10.0, tries=4),
    -201: Meaning(R.FIX, "Zalo không nhận nội dung tin (tham số sai)"),
    -202: Meaning(R.FIX, "Zalo không nhận nội dung tin (tham số sai)"),
    -204: Meaning(R.OPERATOR, "Official Account đã bị khoá"),
    -205: Meaning(R.OPERATOR, "Official Account không tồn tại"),
    -209: Meaning(R.OPERATOR, "Ứng dụng Zalo chưa được kích hoạt"),
    -210: Meaning(R.FIX, "Tin vượt giới hạn độ dài của Zalo"),
    -211: Meaning(R.OPERATOR, "Đã hết hạn mức tính năng của Official Account"),
    -212: Meaning(R.OPERATOR, "Ứng dụng chưa đăng ký API này với Zalo"),
    -213: Meaning(R.STOP, "Người dân chưa quan tâm Official Account"),
    -214: Meaning(R.RETRY, "Zalo đang xử lý bài viết", 30.0),
    -215: Meaning(R.FIX, "Zalo không nhận nội dung tin (tham số sai)"),
    -216: Meaning(R.REFRESH, "Mã truy cập Zalo không hợp lệ"),
    -217: Meaning(R.STOP, "Người dân đã chặn lời mời của Official Account"),
    -218: Meaning(R.STOP, "Người dân đã nhận đủ số tin trong ngày"),
    -219: Meaning(R.OPERATOR, "Ứng dụng Zalo đã bị gỡ hoặc bị khoá"),
    -220: Meaning(R.REFRESH, "Mã truy cập Zalo đã hết hạn hoặc bị thu hồi"),
    -221: Meaning(R.OPERATOR, "Official Account chưa được xác thực"),
    -223: Meaning(R.OPERATOR, "Official Account chưa cấp quyền này cho ứng dụng, cần cấp quyền lại"),
    -224: Meaning(R.OPERATOR, "Gói dịch vụ của Official Account không đủ"),
    -227: Meaning(R.STOP, "Tài khoản Zalo của người dân bị khoá hoặc không hoạt động hơn 45 ngày"),
    -230: Meaning(R.WINDOW, "Người dân không nhắn trong 7 ngày qua"),
    -231: Meaning(R.WINDOW, "Người dân chưa từng nhắn cho Official Account"),
    -232: Meaning(R.WINDOW, "Đã quá hạn tương tác với người dân"),
    -233: Meaning(R.PLAIN, "Zalo không hỗ trợ loại tin này"),
    -234: Meaning(R.MORNING, "Zalo không cho gửi loại tin này ban đêm (22:00–06:00)"),
    -235: Meaning(R.OPERATOR, "Loại Official Account này không dùng được API"),
    -237: Meaning(R.OPERATOR, "Nhóm trò chuyện đã tắt vì hết hạn gói"),
    -238: Meaning(R.OPERATOR, "Mã tài nguyên đã được dùng"),
    -240: Meaning(R.FIX, "Zalo đã ngừng API gửi tin phiên bản cũ"),
    -241: Meaning(R.OPERATOR, "Tài nguyên miễn phí đã được dùng"),
    -242: Meaning(R.OPERATOR, "Zalo không nhận appsecret_proof, kiểm tra ZALO_APP_SECRET và ZALO_REQUIRE_PROOF"),
    -244: Meaning(R.STOP, "Người dân hạn chế loại tin này từ Official Account"),
    -248: Meaning(R.OPERATOR, "Nội dung tin vi phạm quy định của Zalo"),
    -249: Meaning(R.FIX, "Mẫu tin này không gửi theo người dùng được"),
    -305: Meaning(R.WINDOW, "Đã quá 48 giờ kể từ tin cuối của người dân"),
    -311: Meaning(R.WINDOW, "Đã hết lượt trả lời miễn phí cho người dân này"),
    -320: Meaning(R.OPERATOR, "Cần liên kết ứng dụng với Zalo Cloud Account"),
    -321: Meaning(R.OPERATOR, "Tài khoản Zalo Cloud Account không đủ tiền"),
    -403: Meaning(R.FIX, "Official Account không ở trong nhóm trò chuyện"),
    -1340: Meaning(R.FIX, "Không tìm thấy biểu mẫu"),
    -1341: Meaning(R.FIX, "Không có quyền dùng biểu mẫu"),
    # tin mẫu (ZBS/ZNS), máy chủ business.openapi
    -108: Meaning(R.FIX, "Số điện thoại không hợp lệ"),
    **dict.fromkeys((-109, -111, -112, -1121, -1122, -1124, -132), TEMPLATE),
    **dict.fromkeys((-114, -118, -119, -139, -141), NO_RECIPIENT),
    **dict.fromkeys((-115, -137), NO_MONEY),
    **dict.fromkeys((-117, -120, -131, -135, -136, -138), NOT_APPROVED),
    -124: Meaning(R.REFRESH, "Mã truy cập Zalo không hợp lệ"),
    **dict.fromkeys((-126, -127), DEVELOPMENT),
    -133: Meaning(R.MORNING, "Zalo không cho gửi tin mẫu ban đêm (22:00–06:00)"),
    **dict.fromkeys((-144, -147), DAILY),
    # trang cấp quyền
    -14002: Meaning(R.OPERATOR, "Ứng dụng Zalo chưa kích hoạt, người cấp quyền phải là quản trị viên"),
    -14003: Meaning(R.OPERATOR, "Địa chỉ quay về không trùng địa chỉ đã đăng ký với Zalo"),
}
ACTIONS = {
    Remedy.REFRESH: Action.OPERATOR,
    Remedy.OPERATOR: Action.OPERATOR,
    Remedy.UPLOAD_AGAIN: Action.FIX,
    Remedy.PLAIN: Action.FIX,
    Remedy.FIX: Action.FIX,
    Remedy.STOP: Action.STOP,
    Remedy.WINDOW: Action.WINDOW,
}


def meaning_of(code: int, message: str = "") -> Meaning:
    """The row for `code`. -201 is also how Zalo says that it knows no such person."""
    if code in (-201, -202, -215) and "user" in message.lower():
        return Meaning(Remedy.STOP, "Zalo không tìm thấy người dùng này")
    return CODES.get(code, Meaning(Remedy.OPERATOR, "Zalo báo lỗi chưa rõ, xem mã lỗi"))


def failure_for(code: int, message: str, now: datetime) -> ChannelError:
    """What the outbox is told once the remedies at hand (refresh, upload again, plain text) are used up."""
    meaning = meaning_of(code, message)
    reason = f"{meaning.vi} (mã {code})"
    match meaning.remedy:
        case Remedy.RETRY:
            return RetryLater(reason, after_s=meaning.after_s, tries=meaning.tries)
        case Remedy.NEXT_MINUTE:
            return NotYet(reason, now.replace(second=0, microsecond=0) + timedelta(minutes=1))
        case Remedy.MORNING:
            return NotYet(reason, next_time(now, MORNING))
        case Remedy.NEXT_DAY:
            return NotYet(reason, next_time(now, NEW_DAY))
        case remedy:
            return GiveUp(f"{reason}.", ACTIONS[remedy], code=str(code))


def next_time(now: datetime, at: time) -> datetime:
    """When it is next `at` in Việt Nam, where no clock is ever moved."""
    local = in_vietnam(now)
    found = datetime.combine(local.date(), at, tzinfo=local.tzinfo)
    return found if found > local else found + timedelta(days=1)
