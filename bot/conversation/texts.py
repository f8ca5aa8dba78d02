"""The bot's own sentences: calm, short, polite. Answers never come from here; they are the departments' words."""

from datetime import date, datetime

from bot.base.clock import say_moment
from bot.contracts.ids import TicketCode
from bot.contracts.messages import Kind

GREETING = (
    "Xin chào! Đây là trợ lý tự động của Tổng đài 1022 Thanh Hóa. "
    "Bạn cứ viết câu hỏi, phản ánh hoặc kiến nghị; câu trả lời là của cơ quan có trách nhiệm. "
    "Khi cần gặp người, bạn nhắn “gặp cán bộ”. Trường hợp khẩn cấp xin gọi ngay 115, 113 hoặc 114."
)
CHOOSE = "Để trả lời đúng, xin cho biết ý bạn là câu nào dưới đây (bấm vào câu, hoặc nhắn số thứ tự):"
CHOOSE_ONE = "Có phải bạn muốn hỏi câu dưới đây không? Bạn bấm vào câu hoặc nhắn “đúng”; nếu không phải, nhắn “không”."
ASK_PERSON = "Gặp cán bộ"
NO_ADVERTS = (
    "Tổng đài 1022 không nhận tin quảng cáo, mời chào. Nếu bạn cần hỏi hay phản ánh, xin viết rõ việc của bạn, "
    f"hoặc bấm “{ASK_PERSON}”."
)
NO_LONGER = "Nội dung này vừa được đơn vị cập nhật lại. Bạn vui lòng nhắn lại câu hỏi giúp nhé."
THANKS_HELPED = "Cảm ơn bạn. Khi cần, bạn cứ nhắn cho Tổng đài 1022."
SORRY_NOT_HELPED = "Xin lỗi vì câu trả lời chưa đúng điều bạn cần."
EMPTY = "Tổng đài chưa thấy nội dung trong tin nhắn. Bạn vui lòng viết câu hỏi bằng chữ giúp nhé."
NO_QUESTION = f"Tổng đài chưa thấy câu hỏi trong tin nhắn. Bạn viết điều cần hỏi giúp nhé, hoặc bấm “{ASK_PERSON}”."
WITH_PERSON = "Tin nhắn của bạn đã được chuyển tới cán bộ trực."

_RECEIVED = {
    Kind.IMAGE: "Tổng đài đã nhận được hình ảnh của bạn",
    Kind.GIF: "Tổng đài đã nhận được hình ảnh của bạn",
    Kind.AUDIO: "Tổng đài đã nhận được tin nhắn thoại của bạn, nhưng chưa nghe tự động được",
    Kind.VIDEO: "Tổng đài đã nhận được video của bạn",
    Kind.FILE: "Tổng đài đã nhận được tệp của bạn",
    Kind.LINK: "Tổng đài đã nhận được đường dẫn của bạn",
    Kind.LOCATION: "Tổng đài đã nhận được vị trí của bạn",
    Kind.CONTACT: "Tổng đài đã nhận được thông tin liên hệ của bạn",
}


def not_text(kind: Kind) -> str:
    """What a citizen reads after sending something that is not words."""
    if kind is Kind.STICKER:
        return "Cảm ơn bạn. Bạn cần hỏi hay phản ánh điều gì, xin cứ viết bằng chữ nhé."
    received = _RECEIVED.get(kind, "Tổng đài đã nhận được tin của bạn")
    return f"{received}. Bạn vui lòng viết thêm vài chữ cho biết cần hỏi hay phản ánh điều gì, hoặc bấm “{ASK_PERSON}”."


def choose_left(asked: str) -> str:
    """Of several questions one may mean several things: `asked`."""
    return f"Riêng câu “{asked}”, xin cho biết ý bạn là câu nào dưới đây (bấm vào câu, hoặc nhắn số thứ tự):"


def let_rest(code: TicketCode | None) -> str:
    """The citizen needs nothing more. `code`: the ticket that was still waiting."""
    noted = f" Tổng đài đã ghi vào phiếu {code} là bạn không cần trả lời nữa." if code else ""
    return f"Vâng, cảm ơn bạn đã báo.{noted} Khi cần, bạn cứ nhắn cho Tổng đài 1022, lúc nào cũng có người trực."


def answered_by(answer: str, unit: str, confirmed_on: date | None, legal_basis: str) -> str:
    """The department's words as they are, then who says so and since when."""
    source = f"Nguồn: {unit}"
    if confirmed_on:
        source += f", cập nhật ngày {confirmed_on:%d/%m/%Y}"
    if legal_basis:
        source += f". Căn cứ: {legal_basis.rstrip('.')}"
    return f"{answer}\n\n— {source}."


def handed_over(
    code: TicketCode, promised_at: datetime, *, is_new: bool, again: bool = False, asked: str | None = None
) -> str:
    """A person will answer: the code and the promised time.

    `again`: what we would have answered was given before and did not help. `asked`: the only part that is left.
    """
    when = f"Cán bộ sẽ trả lời ngay tại đây, chậm nhất {say_moment(promised_at)}."
    sorry = f"{SORRY_NOT_HELPED} " if again else ""
    if not is_new:
        return f"{sorry}Nội dung này đã được ghi thêm vào phiếu {code} của bạn. {when}"
    if again:
        why = "Tổng đài không gửi lại câu trả lời cũ mà đã chuyển câu hỏi cho cán bộ."
    elif asked:
        why = f"Riêng câu “{asked}” Tổng đài chưa có câu trả lời đã được duyệt, nên đã chuyển cho cán bộ."
    else:
        why = "Câu này Tổng đài chưa có câu trả lời đã được duyệt, nên đã chuyển cho cán bộ."
    return f"{sorry}{why}\nMã phiếu của bạn: {code}. {when}"


def person_called(code: TicketCode, promised_at: datetime) -> str:
    """The citizen asked for a person."""
    return (
        f"Đã báo cán bộ trực. Mã phiếu của bạn: {code}. "
        f"Cán bộ sẽ trả lời ngay tại đây, chậm nhất {say_moment(promised_at)}. "
        "Trong lúc chờ, bạn cứ viết tiếp điều cần hỏi."
    )


def report_taken(code: TicketCode, promised_at: datetime, unit: str | None) -> str:
    """A report, proposal or request for help was written down."""
    to = f" và chuyển tới {unit}" if unit else ""
    return (
        f"Tổng đài đã ghi nhận nội dung của bạn{to}.\n"
        f"Mã phiếu: {code}. Kết quả sẽ được trả lời tại đây, chậm nhất {say_moment(promised_at)}. "
        "Bạn có thể tra cứu bằng mã phiếu bất cứ lúc nào."
    )
