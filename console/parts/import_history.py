"""The list of past imports, each with its undo."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from nicegui import ui

from bot.base.clock import say_moment
from bot.contracts.ids import AccountId, UnitCode
from kb_import.history import PastImport


def history_table(
    past: Sequence[PastImport],
    units: Mapping[UnitCode, str],
    people: Mapping[AccountId, str],
    *,
    on_undo: Callable[[PastImport], Awaitable[None]],
) -> None:
    """One line an import, newest first. Only the newest of a bank that stands can be undone, so
    only it has a button."""
    if not past:
        ui.label("Chưa có lần nạp nào.").classes("c-dim").mark("import-none")
        return
    newest: set[int] = set()
    with ui.element("table").classes("c-table"):
        with ui.element("thead"), ui.element("tr"):
            for title in ("Số", "Lúc", "Người nạp", "Đơn vị, bộ", "Tệp", "Thêm", "Sửa", "Thu hồi", ""):
                with ui.element("th"):
                    ui.label(title)
        with ui.element("tbody"):
            for one in past:
                undoable = one.undone_at is None and one.bank not in newest
                if one.undone_at is None:
                    newest.add(one.bank)
                person = people.get(one.by, f"tài khoản {one.by}") if one.by is not None else "dòng lệnh"
                _line(one, person, units.get(one.unit, one.unit), on_undo if undoable else None)


def _line(one: PastImport, person: str, unit: str, on_undo: Callable[[PastImport], Awaitable[None]] | None) -> None:
    with ui.element("tr").mark(f"import-{one.id}"):
        cells = (
            str(one.id),
            say_moment(one.applied_at),
            person,
            f"{unit} · {one.bank_name}",
            one.file_name,
            str(one.added),
            str(one.changed),
            str(one.retired),
        )
        for text in cells:
            with ui.element("td").props(f'title="Mã tệp (SHA-256): {one.sha256}"' if text is one.file_name else ""):
                ui.label(text)
        with ui.element("td"):
            if one.undone_at is not None:
                ui.label(f"Đã hoàn tác {say_moment(one.undone_at)}").classes("c-chip amber")
            elif on_undo is not None:
                _undo_button(one, on_undo)


def _undo_button(one: PastImport, on_undo: Callable[[PastImport], Awaitable[None]]) -> None:
    with ui.dialog() as dialog, ui.element("div").classes("c-dialog"):
        ui.label(f"Hoàn tác lần nạp số {one.id}?").classes("c-h2")
        ui.label(
            f"{one.added} mục đã thêm sẽ được thu hồi; {one.changed} mục đã sửa và {one.retired} mục "
            "đã thu hồi trở lại như trước."
        )

        async def confirm() -> None:
            dialog.close()
            await on_undo(one)

        with ui.element("div").classes("c-row"):
            ui.button("Hoàn tác", on_click=confirm).props("no-caps color=negative").mark(f"undo-yes-{one.id}")
            ui.button("Thôi", on_click=dialog.close).props("flat no-caps")
    ui.button("Hoàn tác", icon="undo", on_click=dialog.open).props("outline no-caps dense").mark(f"undo-{one.id}")
