"""The question "which column is what", with the importer's proposal filled in."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from nicegui import ui

from kb_import.columns import ROLE_VI, Mapping, Role, Word
from kb_import.layout import Proposal
from kb_import.problem import column_letter

ASKED: Final = (
    Role.QUESTION,
    Role.ANSWER,
    Role.QUESTION_AND_ANSWER,
    Role.PHRASINGS,
    Role.FIELD,
    Role.LEGAL_BASIS,
    Role.CONFIRMED_ON,
    Role.VALID_FROM,
    Role.VALID_UNTIL,
    Role.PLACE,
)
NEEDED: Final = (Role.QUESTION, Role.ANSWER)


def mapping_form(
    proposals: Sequence[Proposal], *, on_confirm: Callable[[tuple[Mapping, ...]], Awaitable[None]]
) -> None:
    """One block a sheet, and a button that confirms all of them."""
    forms = [_sheet_form(one, number) for number, one in enumerate(proposals)]

    async def confirm() -> None:
        mappings = tuple(form() for form in forms)
        if any(one.word is Word.COLUMNS and not _is_complete(one) for one in mappings):
            ui.notify("Hãy chọn cột câu hỏi và cột trả lời, hoặc một cột có cả hai.", type="warning", position="top")
            return
        await on_confirm(mappings)

    ui.button("Xác nhận và đọc lại", icon="task_alt", on_click=confirm).props("no-caps").mark("mapping-confirm")


def _is_complete(mapping: Mapping) -> bool:
    roles = {role for _, role in mapping.columns}
    return {*NEEDED} <= roles or Role.QUESTION_AND_ANSWER in roles


def _sheet_form(proposal: Proposal, number: int) -> Callable[[], Mapping]:
    layout = proposal.layout
    ui.label(f"Trang “{layout.sheet}”: cột nào là gì?").classes("c-h2")
    skip = ui.checkbox("Bỏ qua trang này, lần sau cũng vậy").mark(f"mapping-skip-{number}")
    columns: dict[int, str] = {-1: "—"} | {
        index: f"Cột {column_letter(index)}: {text[:40]}" for index, text in proposal.headings
    }
    picked = {role: layout.left + index for role, index in layout.columns.items()}
    grid = ui.element("div").classes("c-numbers").style("grid-template-columns:repeat(auto-fill,minmax(230px,1fr))")
    grid.bind_visibility_from(skip, "value", backward=lambda chosen: not chosen)
    with grid:
        fields = {
            role: ui.select(columns, value=picked[role] if picked.get(role) in columns else -1, label=ROLE_VI[role])
            .props("outlined dense")
            .mark(f"mapping-{number}-{role.value}")
            for role in ASKED
        }
        header = ui.number("Dòng tiêu đề (0: không có)", value=layout.header_row, min=0, precision=0).props(
            "outlined dense"
        )
    if proposal.preview:
        preview = ui.element("div")
        preview.bind_visibility_from(skip, "value", backward=lambda chosen: not chosen)
        with preview:
            ui.label("Đọc thử:").classes("c-dim")
        with preview, ui.element("table").classes("c-table").mark(f"mapping-preview-{number}"):
            for row in proposal.preview:
                with ui.element("tr"):
                    for text in (str(row.row), row.question, row.answer[:200]):
                        with ui.element("td"):
                            ui.label(text)

    def read() -> Mapping:
        if skip.value:
            return Mapping((), None, layout.sheet, Word.SKIP)
        chosen = {
            int(field.value): role for role, field in fields.items() if field.value is not None and field.value >= 0
        }
        return Mapping(tuple(sorted(chosen.items())), int(header.value or 0), layout.sheet)

    return read
