"""Write the sample banks as binary .xls (BIFF8) files: `python -m kb_import.samples.build`.

Needs xlwt, which only developers install; nothing that runs in production imports this module.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import xlwt

from kb_import.samples.content import SAMPLES_DIR, SampleBank, SampleEntry, load_samples
from kb_import.samples.layouts import Column, Layout, layout_of

_XLS_WIDTH_UNIT: Final = 256  # BIFF column widths are 1/256 of a character
_XLS_POINT: Final = 20  # BIFF font and row heights are 1/20 of a point
_POINTS_OF_WIDTH: Final = 11  # column widths count characters of Excel's default font, 10 to 11 points
_LINE_SPACING: Final = 1.35
_PAPER_A4: Final = 9


def build(folder: Path = SAMPLES_DIR) -> tuple[Path, ...]:
    """Write every sample bank into `folder` and return the files, in the order of their subject fields."""
    written = []
    for bank in load_samples():
        path = folder / bank.file_name
        _workbook(bank, layout_of(bank)).save(str(path))
        written.append(path)
    return tuple(written)


def _workbook(bank: SampleBank, layout: Layout) -> Any:
    book = xlwt.Workbook(encoding="utf-8")
    book.owner = bank.unit
    sheet = book.add_sheet(layout.sheet)
    styles = _Styles(layout)
    for offset, width in enumerate(layout.widths):
        sheet.col(layout.first_column + offset).width = width * _XLS_WIDTH_UNIT
    row = _write_titles(sheet, bank, layout, styles)
    for offset, header in enumerate(layout.headers.values()):
        sheet.write(row, layout.first_column + offset, header, styles.header)
    _set_height(sheet, row, _lines(tuple(layout.headers.values()), layout), layout)
    sheet.set_panes_frozen(True)
    sheet.set_horz_split_pos(row + 1)
    _set_up_pages(sheet)
    _write_entries(sheet, row + 1, bank, layout, styles)
    return book


class _Styles:
    """The cell formats of one workbook."""

    def __init__(self, layout: Layout) -> None:
        font = f"name {layout.font}, height {layout.font_points * _XLS_POINT}"
        border = "borders: left thin, right thin, top thin, bottom thin"
        fill = "; pattern: pattern solid, fore_colour light_turquoise" if layout.header_fill else ""
        centred = "align: horiz centre, vert centre, wrap on"
        self.title = xlwt.easyxf(f"font: bold on, {font}; align: horiz centre, vert centre")
        self.header = xlwt.easyxf(f"font: bold on, {font}; {centred}; {border}{fill}")
        self.section = xlwt.easyxf(f"font: bold on, italic on, {font}; {border}")
        self.text = xlwt.easyxf(f"font: {font}; align: wrap on, vert top; {border}")
        self.number = xlwt.easyxf(f"font: {font}; align: horiz centre, vert top; {border}")
        self.day = xlwt.easyxf(f"font: {font}; align: horiz centre, vert top; {border}", num_format_str="dd/mm/yyyy")

    def of(self, column: Column) -> Any:
        match column:
            case Column.NUMBER:
                return self.number
            case Column.UPDATED:
                return self.day
            case _:
                return self.text


def _write_titles(sheet: Any, bank: SampleBank, layout: Layout, styles: _Styles) -> int:
    """Write the rows above the table; return the row that the header belongs in."""
    last_column = layout.first_column + len(layout.headers) - 1
    for row, title in enumerate(bank.rows_above_header):
        if layout.merged_titles:
            sheet.write_merge(row, row, layout.first_column, last_column, title, styles.title)
        else:
            sheet.write(row, layout.first_column, title, styles.title)
        _set_height(sheet, row, 1, layout)
    return len(bank.rows_above_header) + layout.blank_rows_above_header


def _write_entries(sheet: Any, row: int, bank: SampleBank, layout: Layout, styles: _Styles) -> None:
    last_column = layout.first_column + len(layout.headers) - 1
    for number, entry in enumerate(bank.entries, start=1):
        if entry.section:
            sheet.write_merge(row, row, layout.first_column, last_column, entry.section, styles.section)
            _set_height(sheet, row, 1, layout)
            row += 1
        values = [cell_value(column, number, entry, layout) for column in layout.headers]
        for offset, (column, value) in enumerate(zip(layout.headers, values, strict=True)):
            sheet.write(row, layout.first_column + offset, value, styles.of(column))
        _set_height(sheet, row, _lines(values, layout), layout)
        row += 1


def _lines(values: Sequence[str | int | date], layout: Layout) -> int:
    """How many lines the fullest cell of a row wraps to."""
    return max(
        sum(1 + len(line) * layout.font_points // (width * _POINTS_OF_WIDTH) for line in str(value).split("\n"))
        for value, width in zip(values, layout.widths, strict=True)
    )


def _set_height(sheet: Any, row: int, lines: int, layout: Layout) -> None:
    """Make a row high enough for `lines`; left alone, it stays as high as one line of Excel's default font."""
    sheet.row(row).height_mismatch = True
    sheet.row(row).height = int(lines * layout.font_points * _LINE_SPACING * _XLS_POINT)


def _set_up_pages(sheet: Any) -> None:
    """Print as a department would: A4 across, all columns on one page."""
    sheet.set_portrait(False)
    sheet.set_paper_size_code(_PAPER_A4)
    sheet.set_fit_num_pages(1)
    sheet.set_fit_width_to_pages(1)
    sheet.set_fit_height_to_pages(0)


def cell_value(column: Column, number: int, entry: SampleEntry, layout: Layout) -> str | int | date:
    """What stands in `column` of the row of `entry`, the `number`-th of its bank."""
    match column:
        case Column.NUMBER:
            return number
        case Column.QUESTION:
            return entry.question
        case Column.PHRASINGS:
            return "\n".join(entry.phrasings)
        case Column.ANSWER:
            return entry.answer
        case Column.LEGAL_BASIS:
            return entry.legal_basis
        case Column.UPDATED:
            return entry.updated if layout.dates_as_cells else f"{entry.updated:%d/%m/%Y}"


def main() -> None:
    """Write the files beside this module and say how many entries each holds."""
    banks = {bank.file_name: bank for bank in load_samples()}
    for path in build():
        print(f"{path.name}: {len(banks[path.name].entries)} mục hỏi đáp")


if __name__ == "__main__":
    main()
