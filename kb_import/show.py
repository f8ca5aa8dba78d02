"""A plan on a terminal: numbers, findings by cell, word-level differences, the proposal to confirm."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from kb_import.changed import say_changes, say_place
from kb_import.difference import Kind, Piece
from kb_import.plan import ImportPlan, Status
from kb_import.problem import Problem, Severity
from kb_import.service import Progress as Report

_MANY = 40
STEPS_VI = {
    "wait": "Đang chờ đến lượt",
    "read": "Đọc và kiểm tra tệp",
    "prepare": "Chuẩn bị so sánh",
    "embed": "Tính độ giống của câu hỏi",
    "compare": "So với các câu đang dùng",
    "apply": "Áp dụng",
}
"""What each step of an import is called, at both doors."""
_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
_WORD = {Severity.ERROR: "Lỗi", Severity.WARNING: "Lưu ý", Severity.NOTE: "Ghi nhận"}
_STATUS_VI = {
    Status.REFUSED: "[bold red]Chưa nạp được: hãy sửa các lỗi dưới đây rồi gửi lại tệp.[/]",
    Status.NEEDS_MAPPING: "[bold yellow]Cần xác nhận cột nào là câu hỏi, cột nào là câu trả lời.[/]",
    Status.READY: "[green]Sẵn sàng áp dụng.[/]",
    Status.NOTHING: "[green]Bộ câu hỏi đã đúng như tệp này, không có gì thay đổi.[/]",
}


def show_plan(plan: ImportPlan, console: Console) -> None:
    """Print the report of a plan."""
    numbers = Table(title=f"{plan.source.file_name} → {plan.unit} / {plan.bank}", title_justify="left")
    for name in ("Thêm", "Sửa", "Thu hồi", "Giữ nguyên", "Lỗi", "Lưu ý"):
        numbers.add_column(name, justify="right")
    counts = {one: sum(problem.severity is one for problem in plan.problems) for one in Severity}
    numbers.add_row(
        str(len(plan.adds)),
        str(len(plan.changes)),
        str(len(plan.retirements)),
        str(plan.unchanged),
        str(counts[Severity.ERROR]),
        str(counts[Severity.WARNING]),
    )
    console.print(numbers)
    console.print(_STATUS_VI[plan.status])
    if plan.problems:
        _show_problems(plan.problems, console)
    if plan.reading.conversions:
        converted = Table("Cột", "Bảng mã cũ", "Trong tệp", "Sau khi đổi", title="Chữ đã đổi, hãy đọc lại")
        for one in plan.reading.conversions:
            converted.add_row(f"{one.sheet}!{one.column}", one.encoding_vi, Text(one.before), Text(one.after))
        console.print(converted)
    for proposal in plan.reading.proposals:
        console.print(
            f'Trang “{proposal.layout.sheet}”, đề nghị: --map "{proposal.layout.as_mapping().say()}"; '
            f'bỏ qua trang này: --map "{proposal.layout.sheet}=skip"',
            highlight=False,
        )
        preview = Table("Dòng", "Câu hỏi", "Câu trả lời")
        for row in proposal.preview:
            preview.add_row(str(row.row), row.question[:120], row.answer[:160])
        console.print(preview)
    for change in plan.changes[:_MANY]:
        console.print(
            Text.assemble(("Sửa ", "bold"), f"dòng {change.row.row}: ", _difference(change.question_difference))
        )
        if change.draft.answer != change.entry.draft.answer:
            console.print(Text.assemble("  ", _difference(_around_changes(change.answer_difference))))
        for said in say_changes(plan, change):
            before, after = (said.before, "red strike"), (said.after, "green underline")
            arrow = " → " if said.before and said.after else ""
            console.print(Text.assemble(f"  {said.name}: ", before, arrow, after))
    for add in plan.adds[:_MANY]:
        place = f" · {say_place(plan, add.draft.place)}" if add.draft.place else ""
        console.print(Text.assemble(("Thêm ", "bold"), f"dòng {add.row.row}: {add.draft.question}{place}"))
    if len(plan.adds) > _MANY:
        console.print(f"… và {len(plan.adds) - _MANY} mục thêm nữa (xem đủ bằng --json).")
    if plan.retirements:
        console.print(f"[bold]Đề nghị thu hồi {len(plan.retirements)} mục mà tệp không còn:[/]")
        for entry in plan.retirements[:_MANY]:
            console.print(Text(f"  − {entry.draft.question}"))


def _show_problems(problems: Sequence[Problem], console: Console) -> None:
    table = Table("Mức", "Vị trí", "Việc cần làm", show_lines=False)
    ordered = sorted(problems, key=lambda one: list(Severity).index(one.severity))
    for one in ordered[:_MANY]:
        table.add_row(Text(_WORD[one.severity], style=_STYLE[one.severity]), Text(one.place_vi), Text(one.message))
    console.print(table)
    if len(ordered) > _MANY:
        console.print(f"… và {len(ordered) - _MANY} mục nữa (xem đủ bằng --json).")


def _around_changes(pieces: Sequence[Piece], kept: int = 40) -> list[Piece]:
    """Long unchanged passages cut to the words near a change."""
    return [
        one
        if one.kind is not Kind.SAME or len(one.text) <= 2 * kept + 3
        else Piece(Kind.SAME, f"{one.text[:kept]} … {one.text[-kept:]}")
        for one in pieces
    ]


def _difference(pieces: Sequence[Piece]) -> Text:
    style = {Kind.SAME: "", Kind.ADDED: "green underline", Kind.REMOVED: "red strike"}
    return Text.assemble(*((one.text, style[one.kind]) for one in pieces))


class _Speed(ProgressColumn):
    """Rows per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f} dòng/giây" if task.speed else "")


@contextmanager
def progress_bars(console: Console) -> Iterator[Report]:
    """One bar a step, with rows per second and time left; gone when done."""
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(),
        TextColumn("còn"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def report(step: str, done: int, total: int) -> None:
        if step not in tasks:
            tasks[step] = bars.add_task(STEPS_VI.get(step, step), total=total)
        bars.update(tasks[step], completed=done, total=max(total, 1))

    with bars:
        yield report
