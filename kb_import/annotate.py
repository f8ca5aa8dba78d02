"""The department's own file given back with a "Kết quả" column, and the template to start from. Written as .xlsx."""

import io
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from openpyxl import Workbook as Book
from openpyxl.cell import Cell as BookCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from kb_import.changed import say_changes, say_place
from kb_import.plan import ImportPlan
from kb_import.problem import Problem, Severity
from kb_import.sheet import Cell, Sheet, Workbook

RESULT = "Kết quả"
_FILL = {
    Severity.ERROR: PatternFill("solid", fgColor="FFF4B6B6"),
    Severity.WARNING: PatternFill("solid", fgColor="FFFFF0B3"),
    Severity.NOTE: PatternFill("solid", fgColor="FFE3ECF7"),
}
_WORD = {Severity.ERROR: "LỖI", Severity.WARNING: "Lưu ý", Severity.NOTE: "Ghi nhận"}
_HEADER_FILL = PatternFill("solid", fgColor="FFD9E7F5")
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_EXAMPLES: tuple[tuple[Cell, ...], ...] = (
    (
        1,
        "Người dân gọi Tổng đài 1022 bằng số nào?",
        "Tổng đài 1022 gọi số mấy?\nSố điện thoại 1022 là gì?",
        "- Từ máy cố định trong tỉnh: bấm 1022.\n- Từ điện thoại di động hoặc tỉnh khác: bấm 02371022.",
        "Quy định chung",
        "Quyết định 3797/QĐ-UBND ngày 30/9/2021",
        date(2021, 10, 22),
        date(2021, 10, 1),
        "",
        "",
    ),
    (
        2,
        "Tổng đài 1022 làm việc vào giờ nào?",
        "1022 có trực ban đêm không?",
        "Tổng đài 1022 có người trực 24 giờ mỗi ngày, 7 ngày mỗi tuần.",
        "Quy định chung",
        "Quyết định 3797/QĐ-UBND ngày 30/9/2021",
        date(2021, 10, 22),
        "",
        "",
        "",
    ),
)
_HEADERS = (
    ("STT", 6),
    ("Câu hỏi", 45),
    ("Câu hỏi tương tự", 35),
    ("Nội dung trả lời", 80),
    ("Lĩnh vực", 22),
    ("Căn cứ", 38),
    ("Cập nhật ngày", 14),
    ("Hiệu lực từ", 14),
    ("Hiệu lực đến", 14),
    ("Địa bàn", 24),
)
_TEMPLATE_ROWS = 500


def annotated_copy(workbook: Workbook, plan: ImportPlan) -> bytes:
    """The same sheets and rows, every cell at its place, findings coloured and said in a last column "Kết quả".

    Texts are written as text, never as formulas: a cell that starts with "=" stays harmless.
    """
    book = Book()
    if book.active is not None:
        book.remove(book.active)
    by_sheet: dict[str, list[Problem]] = defaultdict(list)
    for problem in plan.problems:
        by_sheet[problem.sheet].append(problem)
    states = _states(plan)
    headers = {one.sheet: one.header_row for one in plan.reading.layouts}
    for sheet in workbook.sheets:
        if not sheet.hidden:
            page = book.create_sheet(_title(sheet.name, book))
            _copy(page, sheet)
            column = sheet.left + max((len(row) for row in sheet.rows), default=0) + 1
            _annotate(page, by_sheet[sheet.name], states.get(sheet.name, {}), column, headers.get(sheet.name) or 1)
    general = by_sheet[""]
    if general or not book.worksheets:
        page = book.create_sheet(RESULT)
        for number, problem in enumerate(general, 1):
            _write(page.cell(number, 1), f"{_WORD[problem.severity]}: {problem.message}")
    return _saved(book)


def template() -> bytes:
    """An empty bank with the right columns, two filled rows, and checks on dates and lengths."""
    book = Book()
    page = book.active
    if not isinstance(page, Worksheet):
        raise TypeError("openpyxl gave no worksheet")
    page.title = "Bộ câu hỏi"
    page["A1"] = "BỘ CÂU HỎI, TRẢ LỜI – TỔNG ĐÀI 1022 TỈNH THANH HÓA"
    page["A1"].font = Font(bold=True, size=14)
    page["A2"] = (
        "Mỗi dòng một câu hỏi. Cột “Câu hỏi” và “Nội dung trả lời” là bắt buộc. "
        "“Câu hỏi tương tự”: các cách hỏi khác, mỗi cách một dòng trong ô. “Địa bàn”: tên xã, phường nếu câu trả lời "
        "chỉ đúng ở nơi đó, để trống nếu dùng cho toàn tỉnh. Hai dòng đầu là ví dụ, hãy xoá trước khi gửi."
    )
    page.merge_cells("A1:J1")
    page.merge_cells("A2:J2")
    page["A2"].alignment = _WRAPPED
    page.row_dimensions[2].height = 34
    for index, (name, width) in enumerate(_HEADERS, 1):
        cell = page.cell(4, index, name)
        cell.font, cell.fill, cell.alignment = Font(bold=True), _HEADER_FILL, _WRAPPED
        page.column_dimensions[get_column_letter(index)].width = width
    for offset, row in enumerate(_EXAMPLES):
        for index, value in enumerate(row, 1):
            _write(page.cell(5 + offset, index), value)
    last = 4 + _TEMPLATE_ROWS
    for column, least, most, what in (("B", 5, 500, "Câu hỏi"), ("D", 2, 10_000, "Câu trả lời")):
        rule = DataValidation(type="textLength", operator="between", formula1=str(least), formula2=str(most))
        rule.error, rule.errorTitle = f"{what} phải dài từ {least} đến {most} ký tự.", what
        page.add_data_validation(rule)
        rule.add(f"{column}5:{column}{last}")
    days = DataValidation(type="date", operator="between", formula1="DATE(2000,1,1)", formula2="DATE(2100,1,1)")
    days.error, days.errorTitle = "Hãy ghi ngày dạng ngày/tháng/năm, ví dụ 22/10/2021.", "Ngày"
    page.add_data_validation(days)
    days.add(f"G5:I{last}")
    for row_number in range(5, last + 1):
        for index in (7, 8, 9):
            page.cell(row_number, index).number_format = "DD/MM/YYYY"
    page.freeze_panes = "A5"
    return _saved(book)


def _states(plan: ImportPlan) -> dict[str, dict[int, str]]:
    """What would become of each row."""
    states: dict[str, dict[int, str]] = defaultdict(dict)
    for row in plan.reading.rows:
        states[row.sheet][row.row] = "Giữ nguyên"
    for add in plan.adds:
        place = f" (địa bàn: {say_place(plan, add.draft.place)})" if add.draft.place else ""
        states[add.row.sheet][add.row.row] = f"Thêm mới{place}"
    for change in plan.changes:
        names = {"question": "câu hỏi", "answer": "câu trả lời"}
        changed = [names[one] for one in change.changed_fields if one in names]
        changed += dict.fromkeys(_lower_first(one.name) for one in say_changes(plan, change))
        states[change.row.sheet][change.row.row] = f"Sửa mục đang dùng: {', '.join(changed)}"
    return states


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _copy(page: Worksheet, sheet: Sheet) -> None:
    for down, row in enumerate(sheet.rows, sheet.top + 1):
        for across, value in enumerate(row, sheet.left + 1):
            if value != "":
                _write(page.cell(down, across), value)
    for one in sheet.hidden_rows:
        page.row_dimensions[one + 1].hidden = True
    for one in sheet.hidden_columns:
        page.column_dimensions[get_column_letter(one + 1)].hidden = True
    for area in sheet.merged[:5_000]:
        page.merge_cells(
            start_row=area.top + 1, start_column=area.left + 1, end_row=area.bottom + 1, end_column=area.right + 1
        )


def _annotate(page: Worksheet, problems: Sequence[Problem], states: dict[int, str], column: int, header: int) -> None:
    heading = page.cell(header, column, RESULT)
    heading.font, heading.fill = Font(bold=True), _HEADER_FILL
    page.column_dimensions[get_column_letter(column)].width = 70
    by_row: dict[int, list[Problem]] = defaultdict(list)
    for one in problems:
        by_row[one.row or header].append(one)
    for row, found in by_row.items():
        worst = min((one.severity for one in found), key=list(Severity).index)
        lines = [f"{_WORD[one.severity]}{_cell_of(one)}: {one.message}" for one in found]
        if row in states and worst is not Severity.ERROR:
            lines.insert(0, states[row])
        cell = page.cell(row, column)
        _write(cell, (f"{RESULT}\n" if row == header else "") + "\n".join(lines))
        cell.fill = _FILL[worst]
        for one in found:
            if one.row and one.column:
                place = page[f"{one.column}{one.row}"]
                if isinstance(place, BookCell):  # not the covered part of a merged area
                    place.fill = _FILL[one.severity]
                    place.comment = Comment(one.message, "Tổng đài 1022")
    for row, state in states.items():
        if row not in by_row:
            page.cell(row, column, state)


def _cell_of(problem: Problem) -> str:
    return f" (ô {problem.cell})" if problem.column and problem.row else ""


def _write(cell: object, value: Cell) -> None:
    if not isinstance(cell, BookCell):
        return
    if isinstance(value, str):
        cell.value = "".join(one for one in value if one >= " " or one in "\n\t")[:32_767]
        cell.data_type = "s"
        cell.alignment = _WRAPPED
        return
    cell.value = value
    if isinstance(value, date) and not isinstance(value, datetime):
        cell.number_format = "DD/MM/YYYY"
    elif isinstance(value, time | timedelta):
        cell.number_format = "HH:MM"


def _title(name: str, book: Book) -> str:
    plain = "".join("_" if one in "[]:*?/\\" else one for one in name)[:31] or "Trang"
    title, number = plain, 1
    while title in book.sheetnames:
        number += 1
        title = f"{plain[:27]} {number}"
    return title


def _saved(book: Book) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
