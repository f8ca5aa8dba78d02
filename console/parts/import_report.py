"""A plan on screen: numbers, findings by cell, changes word by word, what would be retired."""

from collections.abc import Awaitable, Callable, Sequence
from html import escape
from typing import Final, NamedTuple

from nicegui import ui

from kb_import.changed import Said, say_changes, say_place
from kb_import.difference import Kind, Piece
from kb_import.plan import Change, ImportPlan, Status
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


class Compared(NamedTuple):
    """A change with what became of its words."""

    change: Change
    question: Sequence[Piece]
    answer: Sequence[Piece]


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


def refusal(title: str, message: str) -> None:
    """Why a file can't be used at all, or no longer; kept on screen until the next one is sent."""
    with _sheet(title):
        ui.label(message).classes("c-chip red").style("white-space:normal").props("role=alert").mark("import-refused")


def skipped(plan: ImportPlan, *, on_read: Callable[[str], Awaitable[None]]) -> None:
    """The sheets that are left out, each with a button that takes it back in."""
    for number, one in enumerate(plan.reading.skipped):
        with ui.element("div").classes("c-row").mark(f"import-skipped-{number}"):
            again = ", như lần trước" if one.remembered else ""
            ui.label(f"Trang “{one.sheet}” được bỏ qua{again}.")

            async def read(sheet: str = one.sheet) -> None:
                await on_read(sheet)

            ui.button("Đọc lại trang", icon="refresh", on_click=read).props("outline no-caps dense").mark(
                f"import-read-again-{number}"
            )


def compare(plan: ImportPlan) -> list[Compared]:
    """The changes as they are shown, with their words compared: seconds for long answers, so not on the page's time."""
    return [Compared(one, one.question_difference, one.answer_difference) for one in plan.changes[:SHOWN]]


def details(plan: ImportPlan, changes: Sequence[Compared]) -> None:
    """Findings, conversions, changes, retirements and new entries, each in its own sheet."""
    if plan.problems:
        with _sheet("Kết quả kiểm tra"):
            _problems(plan.problems)
    if plan.reading.conversions:
        with _sheet("Chữ đã đổi từ bảng mã cũ: hãy đọc lại cột “Sau khi đổi”"):
            rows = [
                (f"{one.sheet}, cột {one.column}", one.encoding_vi, one.before, one.after)
                for one in plan.reading.conversions
            ]
            _table(("Ở đâu", "Bảng mã", "Trong tệp", "Sau khi đổi"), rows)
    if plan.changes:
        with _sheet(f"Sửa {len(plan.changes)} mục"):
            for change, question, answer in changes:
                with ui.element("div").mark(f"import-change-{change.row.row}"):
                    ui.label(f"Dòng {change.row.row}").classes("c-dim")
                    _difference(question, bold=True)
                    if change.draft.answer != change.entry.draft.answer:
                        _difference(answer)
                    for said in say_changes(plan, change):
                        _said(said)
            _more(len(plan.changes))
    if plan.retirements:
        with _sheet(f"Tệp không còn {len(plan.retirements)} mục đang dùng"):
            ui.label("Các mục này chỉ bị thu hồi khi đánh dấu ô “Thu hồi”.").classes("c-dim")
            _table(
                ("Câu hỏi", "Trả lời"),
                [(one.draft.question, _short(one.draft.answer)) for one in plan.retirements[:SHOWN]],
            )
            _more(len(plan.retirements))
    if plan.adds:
        with _sheet(f"Thêm {len(plan.adds)} mục"):
            shown = plan.adds[:SHOWN]
            several = len({one.row.sheet for one in plan.adds}) > 1
            lines = [
                (
                    f"{one.row.sheet}, {one.row.row}" if several else str(one.row.row),
                    one.draft.question,
                    _short(one.draft.answer),
                )
                for one in shown
            ]
            where = "Trang, dòng" if several else "Dòng"
            if any(one.draft.place for one in plan.adds):
                places = [say_place(plan, one.draft.place) or "Toàn tỉnh" for one in shown]
                placed = [(*cells, place) for cells, place in zip(lines, places, strict=True)]
                _table((where, "Câu hỏi", "Trả lời", "Địa bàn"), placed)
            else:
                _table((where, "Câu hỏi", "Trả lời"), lines)
            _more(len(plan.adds))


def _problems(problems: Sequence[Problem]) -> None:
    sheets = list(dict.fromkeys(one.sheet for one in problems))
    ordered = sorted(
        problems, key=lambda one: (list(Severity).index(one.severity), sheets.index(one.sheet), one.row or 0)
    )
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


def _more(count: int) -> None:
    if count > SHOWN:
        ui.label(f"… và {count - SHOWN} mục nữa.").classes("c-dim")


def _said(said: Said) -> None:
    """One changed field beside question and answer."""
    pieces = [Piece(Kind.SAME, f"{said.name}: ")]
    pieces += [Piece(Kind.REMOVED, said.before)] if said.before else []
    pieces += [Piece(Kind.SAME, " → ")] if said.before and said.after else []
    pieces += [Piece(Kind.ADDED, said.after)] if said.after else []
    _difference(pieces)


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
