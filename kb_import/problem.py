"""What is wrong with a file, said to the person who can mend it."""

from enum import StrEnum
from typing import NamedTuple

from bot.contracts.errors import Refused


class Severity(StrEnum):
    """How much a problem weighs."""

    ERROR = "error"
    """The file can't be applied until this is mended."""
    WARNING = "warning"
    """Likely a mistake; the file can be applied by someone who has read it."""
    NOTE = "note"
    """What the importer did by itself: nothing is left out or changed silently."""


class Problem(NamedTuple):
    """One finding, with the cell it is about. `message` is a Vietnamese sentence that says what to do."""

    severity: Severity
    code: str
    message: str
    sheet: str = ""
    row: int | None = None
    """As the spreadsheet numbers it, from 1; None: the whole sheet or file."""
    column: str | None = None
    """The column's letter; None: the whole row."""

    @property
    def cell(self) -> str:
        """ "C7", "7", "C" or ""."""
        return f"{self.column or ''}{self.row or ''}"

    @property
    def place_vi(self) -> str:
        """Where it is, for people."""
        if not self.sheet:
            return "Tệp"
        if self.row and self.column:
            return f"Trang “{self.sheet}”, ô {self.cell}"
        if self.row:
            return f"Trang “{self.sheet}”, dòng {self.row}"
        return f"Trang “{self.sheet}”" + (f", cột {self.column}" if self.column else "")


class FileRefused(Refused):
    """The file can't be read at all. `problem` says why, `remedy` what to do."""

    code = "import.file_refused"
    vi = "{problem} {remedy}"

    def __init__(self, problem: str, remedy: str, *, reason: str) -> None:
        super().__init__(problem=problem, remedy=remedy)
        self.reason = reason
        """An English word for logs and tests: "password", "truncated", "too_large", …"""


def password_refused() -> FileRefused:
    """The refusal of a file that is locked."""
    return FileRefused(
        "Tệp đang đặt mật khẩu nên không đọc được.",
        "Hãy mở tệp, vào Tệp > Thông tin > Bảo vệ sổ làm việc, bỏ mật khẩu mở tệp rồi lưu và gửi lại.",
        reason="password",
    )


def damaged(detail: str) -> FileRefused:
    """The refusal of a file that is cut off or broken."""
    return FileRefused(
        "Tệp bị hỏng hoặc tải lên chưa đủ.",
        "Hãy mở lại bằng Excel, lưu thành tệp .xlsx mới rồi gửi lại.",
        reason=f"damaged: {detail[:80]}",
    )


def reader_gave_up(code: int | None) -> FileRefused:
    """The refusal of a file that ended the reading process: damaged, or a table that its memory can't hold."""
    return FileRefused(
        "Tệp bị hỏng, hoặc có ô dữ liệu nằm rất xa bảng (ví dụ ở dòng 65.000) nên không đọc được.",
        "Hãy chép riêng bảng câu hỏi sang một tệp mới, lưu dạng .xlsx rồi gửi lại.",
        reason=f"damaged: reader ended with {code}",
    )


def reader_failed(where: str) -> FileRefused:
    """The refusal of a file that our own program could not cope with."""
    return FileRefused(
        "Chưa đọc được tệp này do lỗi của chương trình, không phải do đơn vị. Chưa có gì thay đổi.",
        "Hãy mở tệp bằng Excel, lưu thành tệp .xlsx mới rồi gửi lại; nếu vẫn không được, gửi tệp cho bộ phận kỹ thuật.",
        reason=f"reader_failed: {where}",
    )


def macros_refused() -> FileRefused:
    """The refusal of a file that carries programs."""
    return FileRefused(
        "Tệp có chứa macro (chương trình chạy kèm) nên không được nhận.",
        "Hãy mở tệp bằng Excel, chọn “Lưu thành”, chọn loại “Excel Workbook (.xlsx)” để bỏ macro rồi gửi lại.",
        reason="macros",
    )


def too_many(problem: str) -> FileRefused:
    """The refusal of a file beyond `kb_import.sheet.BOUNDS`."""
    return FileRefused(problem, "Hãy chia thành nhiều tệp nhỏ hơn.", reason="too_large")


def column_letter(index: int) -> str:
    """0 → "A", 25 → "Z", 26 → "AA"."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """ "A" → 0, "AA" → 26. Raises ValueError if it is no column's name."""
    if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
        raise ValueError(letters)
    index = 0
    for one in letters.upper():
        index = index * 26 + ord(one) - 64
    return index - 1
