"""Workbook → the questions and answers in it, each with the row it stands in. Nothing is guessed silently: what
was left out,
joined or converted is a note; a layout that is not certain is a proposal that somebody must confirm."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb_import.columns import Mapping, Word, fold_header, mapping_for
from kb_import.extract import extract
from kb_import.found import FoundRow
from kb_import.header import SheetLayout, find_layout
from kb_import.problem import Problem, Severity
from kb_import.repair import ENCODING_VI
from kb_import.sheet import Sheet, Workbook, say_cell
from kb_import.table import Table, as_table

_GENERIC_SHEET = re.compile(
    r"^(?:sheet|trang(?: tính)?|bảng|table|csv|data|dữ liệu|bộ câu hỏi|câu hỏi|hỏi đáp|danh sách|bang)"
    r"\s*\d*(?:\s*\(\d+\))?$",
    re.IGNORECASE,
)
_PREVIEW_ROWS = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """A column's text before and after it was converted from an old encoding."""

    sheet: str
    column: str
    encoding_vi: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A layout that is not certain, with the first rows as they would be read."""

    layout: SheetLayout
    preview: tuple[FoundRow, ...]
    headings: tuple[tuple[int, str], ...]
    """Every used column, counted from 0 at A, with its heading or first text: what a person picks from."""


@dataclass(frozen=True, slots=True)
class SkippedSheet:
    """A sheet that a person left out, now or for an earlier file."""

    sheet: str
    signature: str
    """By sheet name and header: another sheet with the same header is not meant."""
    remembered: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a workbook holds."""

    rows: tuple[FoundRow, ...]
    layouts: tuple[SheetLayout, ...]
    proposals: tuple[Proposal, ...]
    conversions: tuple[Shown, ...]
    problems: tuple[Problem, ...]
    skipped: tuple[SkippedSheet, ...] = ()


def find_rows(
    workbook: Workbook, mappings: Sequence[Mapping] = (), remembered: Sequence[tuple[str, Mapping]] = ()
) -> Found:
    """Everything that can be read, and what must be settled first.

    `mappings`: a person's word, which goes before everything. `remembered`: (signature, mapping) of the unit's earlier
    files, used where a sheet's header reads the same.
    """
    rows: list[FoundRow] = []
    layouts: list[SheetLayout] = []
    proposals: list[Proposal] = []
    conversions: list[Shown] = []
    problems: list[Problem] = []
    skipped: list[SkippedSheet] = []
    several = sum(not one.hidden and len(one.rows) > 0 for one in workbook.sheets) > 1
    known = dict(remembered)
    for sheet in workbook.sheets:
        if sheet.hidden:
            problems.append(
                _note("hidden_sheet", sheet, "Trang ẩn nên không được nạp. Hãy bỏ ẩn (Unhide) nếu cần nạp.")
            )
            continue
        if not sheet.rows:
            continue
        mapping = mapping_for(sheet.name, mappings)
        word = mapping.word if mapping is not None else None
        table = as_table(sheet, workbook.fonts)
        layout = find_layout(table, mapping if word is Word.COLUMNS else None)
        signature = skip_signature(sheet.name, layout.signature if layout else "")
        if word is Word.SKIP or (word is None and signature in known):
            skipped.append(SkippedSheet(sheet.name, signature, remembered=word is None))
            problems.append(_skipped(sheet, word is None))
            continue
        if layout and not layout.certain and word is None and layout.signature in known:
            layout = find_layout(table, known[layout.signature]) or layout
        if layout is None:
            problems.extend(table.problems)
            problems.append(_no_table(sheet, word is Word.COLUMNS))
            continue
        found, row_problems = extract(table, layout)
        default_field = _field_of(sheet, table, layout, several)
        named = [one if one.field or not default_field else one._replace(field=default_field) for one in found]
        problems.extend(table.problems)
        conversions.extend(_shown(table))
        if layout.certain:
            layouts.append(layout)
            rows.extend(named)
            problems.extend(row_problems)
        else:
            proposals.append(Proposal(layout, tuple(named[:_PREVIEW_ROWS]), _headings(table, layout)))
    if skipped and not layouts and not proposals:
        text = "Mọi trang có bảng hỏi đáp đều bị bỏ qua nên không có gì để nạp. Hãy giữ lại ít nhất một trang."
        problems.append(Problem(Severity.ERROR, "no_rows", text))
    elif layouts or proposals:
        problems = [one for one in problems if one.code != "no_table" or one.severity is Severity.NOTE]
    else:
        problems = [_as_error(one) if one.code == "no_table" else one for one in problems]
        if not any(one.severity is Severity.ERROR for one in problems):
            problems.append(
                Problem(Severity.ERROR, "no_rows", "Không có trang nào đang hiện có dữ liệu. Hãy kiểm tra lại tệp.")
            )
    problems.extend(_conversion_note(one) for one in conversions)
    return Found(tuple(rows), tuple(layouts), tuple(proposals), tuple(conversions), tuple(problems), tuple(skipped))


def skip_signature(sheet: str, header: str) -> str:
    """Under what it is remembered that a sheet is left out."""
    return f"sheet {fold_header(sheet)}: {header}"


def _skipped(sheet: Sheet, before: bool) -> Problem:
    text = (
        "Trang được bỏ qua như lần trước. Muốn nạp lại trang này, hãy bấm “Đọc lại trang” "
        f"(dòng lệnh: --map '{sheet.name}=read')."
        if before
        else "Trang được bỏ qua theo yêu cầu."
    )
    return _note("skipped_sheet", sheet, text)


def _headings(table: Table, layout: SheetLayout) -> tuple[tuple[int, str], ...]:
    first = layout.header if layout.header is not None else layout.first
    found = []
    for index, column in enumerate(table.columns):
        text = next((say_cell(one) for one in column[first:] if one != ""), "")
        if text:
            found.append((table.left + index, text[:60]))
    return tuple(found)


def _shown(table: Table) -> list[Shown]:
    return [
        Shown(table.name, table.letter(one.column), ENCODING_VI[one.encoding], one.before, one.after)
        for one in table.conversions
    ]


def _conversion_note(one: Shown) -> Problem:
    return Problem(
        Severity.WARNING,
        "converted",
        f"Cột {one.column} viết bằng bảng mã cũ {one.encoding_vi}, đã đổi sang Unicode, ví dụ: “{one.after[:80]}”. "
        "Hãy xem lại chữ sau khi đổi trước khi áp dụng.",
        one.sheet,
        None,
        one.column,
    )


def _field_of(sheet: Sheet, table: Table, layout: SheetLayout, several: bool) -> str:
    """The field for rows that name none: "Lĩnh vực: …" above the header, else the sheet's name if
    there are several sheets."""
    for index in range(layout.header or 0):
        for cell in table.row(index):
            if isinstance(cell, str) and (found := re.match(r"\s*lĩnh vực\s*:\s*(\S.{1,120})$", cell, re.IGNORECASE)):
                return found.group(1).strip()
    return sheet.name.strip() if several and not _GENERIC_SHEET.match(sheet.name.strip()) else ""


def _no_table(sheet: Sheet, mapped: bool) -> Problem:
    if mapped:
        return Problem(
            Severity.ERROR,
            "mapping_missed",
            "Các cột đã chỉ định không có trong trang này. Hãy kiểm tra lại tên cột.",
            sheet.name,
        )
    return _note(
        "no_table",
        sheet,
        "Không tìm thấy bảng hỏi đáp nên bỏ qua trang này. Bảng cần có dòng tiêu đề với cột “Câu "
        "hỏi” và cột “Trả lời”.",
    )


def _as_error(one: Problem) -> Problem:
    message = one.message.replace("nên bỏ qua trang này. Bảng cần có", "trong trang này. Hãy thêm")
    return one._replace(severity=Severity.ERROR, message=message)


def _note(code: str, sheet: Sheet, message: str) -> Problem:
    return Problem(Severity.NOTE, code, message, sheet.name)
