"""Hidden rows, hidden columns and merged cells of an OpenDocument spreadsheet, which calamine does not tell."""

import zipfile
from collections.abc import Mapping
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from kb_import.problem import damaged
from kb_import.sheet import Area, Bounds, Details, SheetDetails

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_MAX_INDEX = 1_048_576


def look(archive: zipfile.ZipFile, bounds: Bounds) -> Details:
    """The details of each table. Raises FileRefused when content.xml can't be parsed."""
    tables: dict[str, _Table] = {}
    fonts: set[str] = set()
    table = _Table(bounds)
    try:
        with archive.open("content.xml") as stream:
            for event, element in iterparse(stream, events=("start", "end")):
                if event == "start":
                    if element.tag == f"{_TABLE}table":
                        table = tables[element.get(f"{_TABLE}name", "")] = _Table(bounds)
                elif element.tag == f"{_STYLE}font-face":
                    fonts.add(element.get(f"{_STYLE}name", ""))
                elif element.tag == f"{_TABLE}table-column":
                    table.add_column(element.attrib)
                elif element.tag == f"{_TABLE}table-row":
                    table.add_row(element)
                    element.clear()
    except (ParseError, DefusedXmlException) as error:
        raise damaged(f"ods {type(error).__name__}") from None
    return Details(by_name={name: one.details() for name, one in tables.items()}, fonts=frozenset(fonts))


class _Table:
    """Counts rows and columns of one table as they come."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._row = self._column = 0
        self._rows: set[int] = set()
        self._columns: set[int] = set()
        self._merged: list[Area] = []

    def add_column(self, attributes: Mapping[str, str]) -> None:
        """One `table-column`, perhaps repeated."""
        repeated = _count(attributes, "number-columns-repeated")
        if attributes.get(f"{_TABLE}visibility", "visible") != "visible":
            self._columns.update(range(self._column, min(self._column + repeated, self._bounds.columns)))
        self._column += repeated

    def add_row(self, element: Element) -> None:
        """One `table-row`, perhaps repeated, with its cells."""
        repeated = _count(element.attrib, "number-rows-repeated")
        if element.get(f"{_TABLE}visibility", "visible") != "visible":
            self._rows.update(range(self._row, self._row + min(repeated, self._bounds.rows)))
        column = 0
        for cell in element:
            down, across = _count(cell.attrib, "number-rows-spanned"), _count(cell.attrib, "number-columns-spanned")
            if down > 1 or across > 1:
                self._merged.append(Area(self._row, column, self._row + down - 1, column + across - 1))
            column += _count(cell.attrib, "number-columns-repeated")
        self._row += repeated

    def details(self) -> SheetDetails:
        """What was found."""
        return SheetDetails(frozenset(self._rows), frozenset(self._columns), tuple(self._merged))


def _count(attributes: Mapping[str, str], name: str) -> int:
    text = attributes.get(f"{_TABLE}{name}", "1")
    return min(int(text), _MAX_INDEX) if text.isdecimal() else 1
