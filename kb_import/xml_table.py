"""XML Spreadsheet 2003: what many accounting and reporting programs write and call .xls."""

import io
from datetime import date
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from kb_import.problem import damaged, too_many
from kb_import.sheet import Area, Bounds, Cell, FileKind, Sheet, Workbook

_NS = "{urn:schemas-microsoft-com:office:spreadsheet}"


def read(content: bytes, bounds: Bounds) -> Workbook:
    """Every worksheet. Raises FileRefused when the XML is broken or too large."""
    sheets: list[Sheet] = []
    fonts: set[str] = set()
    worksheet = _Worksheet(bounds)
    try:
        for event, element in iterparse(io.BytesIO(content), events=("start", "end")):
            if event == "start":
                if element.tag == f"{_NS}Worksheet":
                    worksheet = _Worksheet(bounds, element.get(f"{_NS}Name", f"Trang {len(sheets) + 1}"))
            elif element.tag == f"{_NS}Font":
                fonts.add(element.get(f"{_NS}FontName", ""))
            elif element.tag == f"{_NS}Column":
                worksheet.add_column(element)
            elif element.tag == f"{_NS}Row":
                worksheet.add_row(element)
                element.clear()
            elif element.tag.endswith("}Visible") and element.text != "SheetVisible":
                worksheet.hidden = True
            elif element.tag == f"{_NS}Worksheet":
                sheets.append(worksheet.sheet())
                if sum(len(one.rows) for one in sheets) > bounds.rows or len(sheets) > bounds.sheets:
                    raise too_many(f"Tệp có nhiều hơn {bounds.rows:,} dòng.".replace(",", "."))
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise damaged(f"xml {type(error).__name__}") from None
    return Workbook(FileKind.XML, tuple(sheets), frozenset(fonts))


class _Worksheet:
    def __init__(self, bounds: Bounds, name: str = "") -> None:
        self.name, self.hidden = name, False
        self._bounds = bounds
        self._rows: list[list[Cell]] = []
        self._merged: list[Area] = []
        self._hidden_rows: set[int] = set()
        self._hidden_columns: set[int] = set()
        self._column = 0

    def add_column(self, element: Element) -> None:
        index = _number(element, "Index")
        start = index - 1 if index else self._column
        end = start + _number(element, "Span") + 1
        if element.get(f"{_NS}Hidden") == "1":
            self._hidden_columns.update(range(start, min(end, self._bounds.columns)))
        self._column = end

    def add_row(self, element: Element) -> None:
        index = _number(element, "Index")
        if max(index, len(self._rows)) > self._bounds.rows:
            raise too_many(f"Tệp có nhiều hơn {self._bounds.rows:,} dòng.".replace(",", "."))
        self._rows.extend([] for _ in range(index - 1 - len(self._rows)))
        number = len(self._rows)
        if element.get(f"{_NS}Hidden") == "1":
            self._hidden_rows.add(number)
        cells: list[Cell] = []
        taken = {column for area in self._merged for column in _columns_of(area, number)} if self._merged else set()
        for cell in element.iter(f"{_NS}Cell"):
            column = _number(cell, "Index") - 1
            if column < 0:
                column = len(cells)
                while column in taken:
                    column += 1
            across, down = _number(cell, "MergeAcross"), _number(cell, "MergeDown")
            if column + across >= self._bounds.columns:
                raise too_many(f"Trang “{self.name}” có hơn {self._bounds.columns} cột.")
            cells.extend([""] * (column - len(cells)))
            data = cell.find(f"{_NS}Data")
            cells.append(_value(data) if data is not None else "")
            if across or down:
                self._merged.append(Area(number, column, number + min(down, self._bounds.rows), column + across))
                cells.extend([""] * across)
        self._rows.append(cells)

    def sheet(self) -> Sheet:
        return Sheet(
            self.name,
            self._rows,
            merged=tuple(self._merged),
            hidden=self.hidden,
            hidden_rows=frozenset(self._hidden_rows),
            hidden_columns=frozenset(self._hidden_columns),
        )


def _columns_of(area: Area, row: int) -> range:
    return range(area.left, area.right + 1) if area.top < row <= area.bottom else range(0)


def _number(element: Element, name: str) -> int:
    text = element.get(f"{_NS}{name}", "0")
    return int(text) if text.isdecimal() else 0


def _value(data: Element) -> Cell:
    text = "".join(data.itertext())
    match data.get(f"{_NS}Type"):
        case "Number":
            number = float(text)
            return int(number) if number.is_integer() else number
        case "DateTime":
            return date.fromisoformat(text[:10])
        case "Error":
            return ""
        case _:
            return text
