"""A plan on screen: numbers, findings by cell, changes word by word, what would be retired."""

from collections.abc import Sequence
from html import escape
from typing import Final

from nicegui import ui

from kb_import.difference import Kind, Piece
from kb_import.plan import ImportPlan, Status
from kb_import.problem import Problem, Severity

SHOWN: Final = 200
WORD: Final = {Severity.ERROR: "Lỗi", Severity.WARNING: "Lưu ý", Severity.NOTE: "Ghi nhận"}
COLOUR: Final = {Severity.ERROR: "red", Severity.WARNING: "amber", Severity.NOTE: "blue"}
STATUS: Final = {
    Status.REFUSED: ("Chưa nạp được. Hãy sửa các lỗi dưới đây trong tệp rồi gửi lại.", "red"),
    Status.NEEDS_MAPPING: ("Tiêu đề cột chưa rõ. Hãy xác nhận cột nào là câu hỏi, cột nào là câu trả lời.", "amber"),
    Status.READY: ("Tệp đọc được. Xem lại rồi bấm “Áp dụng”.", "green"),
    Status.NOTHING: ("Bộ câu hỏi đã đúng như tệp này, không có gì thay đổi.", "green"),
}


def summary(plan: ImportPlan) -> None:
    """The numbers, and what to do now."""
    ui.label(f"{plan.source.file_name} → bộ “{plan.bank}”").classes("c-h2").props("role=heading aria-level=2")
    words, colour = STATUS[plan.status]
    ui.label(words).classes(f"c-chip {colour}").style("white-space:normal").mark("import-status")
    errors = sum(one.severity is Severity.ERROR for one in plan.problems)
    numbers = (
        ("Thêm mới", len(plan.adds), "add"),
        ("Sửa", len(plan.changes), "change"),
        ("Đề nghị thu hồi", len(plan.retirements), "retire"),
        ("Giữ nguyên", plan.unchanged, "unchanged"),
        ("Lỗi", errors, "errors"),
    )
    with ui.element("div").classes("c-numbers"):
        for title, number, name in numbers:
            red = " red" if name == "errors" and number else ""
            with ui.element("div").classes(f"c-number{red}").mark(f"import-count-{name}"):
                ui.html(f"<b>{number}</b>", sanitize=False)
                ui.label(title).classes("c-dim")


def details(plan: ImportPlan) -> None:
    """Findings, conversions, changes, retirements and new entries, each in its own sheet."""
    if plan.problems:
        with _sheet("Kết quả kiểm tra"):
            _problems(plan.problems)
    if plan.reading.conversions:
        with _sheet("Chữ đã đổi từ bảng mã cũ"):
            rows = [
                (f"{one.sheet}, cột {one.column}", one.encoding_vi, one.before, one.after)
                for one in plan.reading.conversions
            ]
            _table(("Ở đâu", "Bảng mã", "Trong tệp", "Sau khi đổi"), rows)
    if plan.changes:
        with _sheet(f"Sửa {len(plan.changes)} mục"):
            for change in plan.changes[:SHOWN]:
                with ui.element("div").mark(f"import-change-{change.row.row}"):
                    ui.label(f"Dòng {change.row.row}").classes("c-dim")
                    _difference(change.question_difference, bold=True)
                    if change.draft.answer != change.entry.draft.answer:
                        _difference(change.answer_difference)
    if plan.retirements:
        with _sheet(f"Tệp không còn {len(plan.retirements)} mục đang dùng"):
            ui.label("Các mục này chỉ bị thu hồi khi đánh dấu ô “Thu hồi”.").classes("c-dim")
            _table(
                ("Câu hỏi", "Trả lời"),
                [(one.draft.question, _short(one.draft.answer)) for one in plan.retirements[:SHOWN]],
            )
    if plan.adds:
        with _sheet(f"Thêm {len(plan.adds)} mục"):
            _table(
                ("Dòng", "Câu hỏi", "Trả lời"),
                [(str(one.row.row), one.draft.question, _short(one.draft.answer)) for one in plan.adds[:SHOWN]],
            )


def _problems(problems: Sequence[Problem]) -> None:
    ordered = sorted(problems, key=lambda one: list(Severity).index(one.severity))
    with ui.element("table").classes("c-table").mark("import-problems"):
        for one in ordered[:SHOWN]:
            with ui.element("tr"):
                with ui.element("td"):
                    ui.label(WORD[one.severity]).classes(f"c-chip {COLOUR[one.severity]}")
                for text in (one.place_vi, one.message):
                    with ui.element("td"):
                        ui.label(text)
    if len(ordered) > SHOWN:
        ui.label(f"… và {len(ordered) - SHOWN} mục nữa, xem trong “Tải tệp kèm kết quả”.").classes("c-dim")


def _difference(pieces: Sequence[Piece], *, bold: bool = False) -> None:
    """Removed words struck through, added words underlined: readable without colours."""
    tags = {
        Kind.SAME: "{}",
        Kind.ADDED: '<ins style="background:var(--green-soft);color:var(--green)">{}</ins>',
        Kind.REMOVED: '<del style="background:var(--red-soft);color:var(--red)">{}</del>',
    }
    words = "".join(tags[one.kind].format(escape(one.text)) for one in pieces)
    ui.html(words, sanitize=False).classes("c-pre").style("font-weight:600" if bold else "")


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with ui.element("div").classes("c-scroll"), ui.element("table").classes("c-table"):
        with ui.element("tr"):
            for title in titles:
                with ui.element("th"):
                    ui.label(title)
        for row in rows:
            with ui.element("tr"):
                for text in row:
                    with ui.element("td"):
                        ui.label(text).classes("c-pre")


def _sheet(title: str) -> ui.element:
    sheet = ui.element("section").classes("c-sheet").style("margin-top:14px")
    with sheet:
        ui.label(title).classes("c-h2").props("role=heading aria-level=2")
    return sheet


def _short(text: str) -> str:
    return text if len(text) <= 220 else f"{text[:217]}…"
