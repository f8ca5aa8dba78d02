# ruff: noqa: E501 (the list of cases reads as a table, one case a line)
"""Small files as departments send them, each with what must come out. Built here, with nothing but their own writers."""

import datetime
import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msoffcrypto.format.ooxml as ooxml
import openpyxl
import xlwt
from viparse.normalize.tcvn3 import TCVN3
from xlwt.CompoundDoc import XlsDoc

from kb_import.repair import VNI_COMPLETE
from tests.kb_import.conftest import BANK, HEADER, Rows, xls, xlsx

Pair = tuple[str, str]
PAIRS: list[Pair] = [(row[1], row[2]) for row in BANK]
QA = ("Câu hỏi", "Trả lời")
TWO: Rows = [(row[1], row[2]) for row in BANK[:2]]


@dataclass(frozen=True)
class Case:
    """One file: what it must give, or why it must be refused."""

    name: str
    build: Callable[[], bytes]
    pairs: Sequence[Pair] | None = None
    """Questions and answers, in order; None: not looked at."""
    fields: Sequence[str] | None = None
    phrasings: Sequence[tuple[str, ...]] | None = None
    codes: frozenset[str] = field(default=frozenset())
    """Codes of the findings, all of them."""
    cells: Sequence[str] = ()
    """Cells that findings must name."""
    refused: str | None = None
    proposed: bool = False
    check: Callable[[Any], bool] | None = None
    """Anything else, of the `Reading`."""


def case(name: str, build: Callable[[], bytes], pairs: Sequence[Pair] | None = None, *codes: str, **more: Any) -> Case:
    return Case(name, build, pairs, codes=frozenset(codes), **more)


def csv_text(rows: Rows = BANK, separator: str = ",", header: Sequence[Any] = HEADER) -> str:
    lines = [header, *rows]
    return "\r\n".join(separator.join(f'"{cell}"' for cell in line) for line in lines) + "\r\n"


def html(rows: Rows = BANK, charset: str = "utf-8", extra: str = "") -> str:
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    head = "".join(f"<th>{one}</th>" for one in HEADER)
    return (
        f'<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta charset="{charset}"></head><body><table>'
        f"<tr><td colspan=5><b>BỘ CÂU HỎI</b></td></tr><tr>{head}</tr>{body}{extra}</table></body></html>"
    )


def xml_2003() -> bytes:
    rows = "".join(
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{cell}</Data></Cell>' for cell in row) + "</Row>"
        for row in (HEADER, *BANK)
    )
    return (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<Worksheet ss:Name="Trang1"><Table>{rows}</Table></Worksheet></Workbook>'
    ).encode()


def ods(rows: Sequence[str], manifest: str = "") -> bytes:
    """`rows`: XML of table-rows."""
    ns = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {ns} office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="Trang1">{"".join(rows)}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            '<manifest:file-entry manifest:full-path="/" '
            f'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>{manifest}</manifest:manifest>',
        )
    return stream.getvalue()


def ods_row(cells: Sequence[Any], attributes: str = "") -> str:
    inside = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in cells
    )
    return f"<table:table-row {attributes}>{inside}</table:table-row>"


def with_members(content: bytes, add: dict[str, bytes], replace: Callable[[str, bytes], bytes] | None = None) -> bytes:
    """A zip with members added or rewritten."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            data = old.read(one)
            new.writestr(one.filename, replace(one.filename, data) if replace else data)
        for name, data in add.items():
            new.writestr(name, data)
    return stream.getvalue()


def biff(change: Callable[[bytes], bytes]) -> bytes:
    """An .xls whose records were tampered with."""
    book = xlwt.Workbook()
    page = book.add_sheet("Sheet1")
    for down, row in enumerate((HEADER, *BANK)):
        for across, value in enumerate(row):
            page.write(down, across, value)
    stream = io.BytesIO()
    XlsDoc().save(stream, change(book.get_biff_data()))
    return stream.getvalue()


def biff5(rows: Rows, encode: Callable[[str], bytes], code_page: int) -> bytes:
    """An .xls as Excel 95 wrote it: byte strings in the machine's code page."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    cells = b"".join(
        record(0x0204, struct.pack("<HHHH", down, across, 0, len(encode(str(value)))) + encode(str(value)))
        for down, row in enumerate((HEADER, *rows))
        for across, value in enumerate(row)
    )
    sheet = record(0x0809, struct.pack("<HHHH", 0x0500, 0x0010, 0, 0)) + cells + record(0x0A, b"")
    head = record(0x0809, struct.pack("<HHHH", 0x0500, 0x0005, 0, 0)) + record(0x42, struct.pack("<H", code_page))
    name = b"Sheet1"
    start = len(head) + 4 + 7 + len(name) + 4
    head += record(0x85, struct.pack("<IBBB", start, 0, 0, len(name)) + name) + record(0x0A, b"")
    stream = io.BytesIO()
    XlsDoc().save(stream, (head + sheet).ljust(4096, b"\0"))
    return stream.getvalue()


def add_filepass(stream: bytes) -> bytes:
    length = struct.unpack_from("<H", stream, 2)[0]
    return stream[: 4 + length] + struct.pack("<HHHHH", 0x2F, 6, 0, 0x1234, 0x5678) + stream[4 + length :]


def as_macro_sheet(stream: bytes) -> bytes:
    at = stream.index(struct.pack("<H", 0x85))
    while stream[at : at + 2] != struct.pack("<H", 0x85) or stream[at + 8] != 0:
        at += 1
    return stream[: at + 9] + b"\x01" + stream[at + 10 :]


def encrypted_xlsx() -> bytes:
    stream = io.BytesIO()
    ooxml.OOXMLFile(io.BytesIO(xlsx(BANK))).encrypt("bí mật", stream)
    return stream.getvalue()


def zip_bomb(lying: bool = False) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=False) as member:
            for _ in range(210):
                member.write(bytes(2**20))
    content = stream.getvalue()
    if lying:  # the directory says one kilobyte
        content = content.replace(struct.pack("<I", 210 * 2**20), struct.pack("<I", 1024))
    return content


def docx() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return stream.getvalue()


def cached_formula() -> bytes:
    """An answer that is a formula with its cached value."""

    def put(name: str, data: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return data
        text = data.decode()
        start = text.index('<c r="C4"')
        end = text.index("</c>", start) + 4
        return (text[:start] + '<c r="C4" t="str"><f>"Máy "&amp;"bàn"</f><v>Máy bàn</v></c>' + text[end:]).encode()

    return with_members(xlsx(BANK), {}, put)


def legacy(text: str, charmap: Any) -> str:
    """Unicode → the code points an old font shows it with."""
    back = {after: before for before, after in sorted(charmap.pairs, key=lambda pair: -len(pair[0]))}
    return "".join(back.get(one) or back.get(one.lower()) or one if one > "\x7f" else one for one in text)


def in_old_font(charmap: Any, header: Sequence[str] = HEADER) -> bytes:
    rows = [[legacy(cell, charmap) if isinstance(cell, str) else cell for cell in row] for row in BANK]
    return xls(rows, header=[legacy(one, charmap) for one in header])


IN_TCVN3 = [(question, answer.replace("Ủy", "ủy")) for question, answer in PAIRS]
"""TCVN3's small-letter fonts have no capital with a tone: such a letter is typed small, or in a capitals font."""


def nfd(text: Any) -> Any:
    import unicodedata

    return unicodedata.normalize("NFD", text) if isinstance(text, str) else text


def merged(
    *areas: tuple[int, int, int, int], values: dict[tuple[int, int], str] | None = None
) -> Callable[[Any], None]:
    def edit(page: Any) -> None:
        for top, bottom, left, right in areas:
            page.merge(top, bottom, left, right)

    return edit


def two_row_header(page: Any) -> None:
    """ "Thời gian hiệu lực" over "Từ ngày" and "Đến ngày"."""
    for column in (0, 1):
        page.merge(2, 3, column, column)
    page.merge(2, 2, 2, 3)
    page.write(3, 2, "Từ ngày")
    page.write(3, 3, "Đến ngày")


def both_days(reading: Any) -> bool:
    row = reading.rows[0]
    return (row.valid_from, row.valid_until) == (datetime.date(2021, 10, 1), datetime.date(2099, 12, 31))


def with_error_cell() -> bytes:
    def edit(page: Any) -> None:
        page["D4"].value, page["D4"].data_type = "#REF!", "e"

    return xlsx([(1, PAIRS[0][0], PAIRS[0][1], "x", None)], edit=edit)


def several_sheets() -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, row in (("Tiêm chủng", BANK[1]), ("Giao thông", BANK[2])):
        page = book.create_sheet(name)
        page.append(list(HEADER))
        page.append(list(row))
    hidden = book.create_sheet("Nháp")
    hidden.append(list(HEADER))
    hidden.append(list(BANK[0]))
    hidden.sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def hide_row(page: Any) -> None:
    page.row(4).hidden = True


def hide_xlsx_row(page: Any) -> None:
    page.row_dimensions[5].hidden = True


def hide_xlsx_column(page: Any) -> None:
    page.column_dimensions["D"].hidden = True


def hide_xls_column(page: Any) -> None:
    page.col(3).hidden = True


def dates_as_cells() -> bytes:
    day = xlwt.easyxf(num_format_str="DD/MM/YYYY")

    def edit(page: Any) -> None:
        for row in range(3, 7):
            page.write(row, 4, datetime.date(2021, 10, 22), day)

    return xls([row[:4] for row in BANK], edit=edit)


LONG = "Người dân cần chuẩn bị giấy tờ theo hướng dẫn của cơ quan. " * 50
RICH = "Cách làm:\n- Gọi 0237.3852.123\n- Xem https://thanhhoa.gov.vn/a?b=1\n• Gửi thư 1022@thanhhoa.gov.vn"
OVER: Rows = [
    ("Ai được hỗ trợ?", "Người lao động."),
    ("Mức hỗ trợ là bao nhiêu?", None),
    ("Nộp hồ sơ ở đâu?", "Tại xã."),
]

CASES: list[Case] = [
    # formats, by content
    case("xls BIFF8", lambda: xls(BANK), PAIRS),
    case("xls BIFF5, Windows-1258", lambda: biff5(BANK, cp1258, 1258), PAIRS),
    case("xls BIFF5, TCVN3", lambda: biff5(BANK, lambda text: legacy(text, TCVN3).encode("cp1252", "replace"), 1252), IN_TCVN3, "converted"),
    case("xlsx", lambda: xlsx(BANK), PAIRS),
    case("xlsm without macros", lambda: with_members(xlsx(BANK), {}, lambda name, data: data.replace(b"spreadsheetml.sheet.main+xml", b"sheet.macroEnabled.main+xml")), PAIRS),
    case("ods", lambda: ods([ods_row(row) for row in (HEADER, *BANK)]), PAIRS),
    case("csv UTF-8", lambda: csv_text().encode(), PAIRS),
    case("csv UTF-8 with mark, semicolons", lambda: csv_text(separator=";").encode("utf-8-sig"), PAIRS),
    case("csv UTF-16, tabs", lambda: csv_text(separator="\t").encode("utf-16"), PAIRS),
    case("csv UTF-16 without mark", lambda: csv_text().encode("utf-16-le"), PAIRS),
    case("csv Windows-1258", lambda: cp1258(csv_text()), PAIRS),
    case("csv with sep= line", lambda: ("sep=|\r\n" + csv_text(separator="|")).encode(), PAIRS),
    case("html as xls", lambda: html().encode(), PAIRS),
    case("html UTF-16", lambda: html(charset="utf-16").encode("utf-16"), PAIRS),
    case("html with hidden row", lambda: html(extra='<tr style="display:none"><td>9<td>Ẩn?<td>Ẩn.</tr>').encode(), PAIRS, "hidden_row"),
    case("html with rowspan", lambda: html([], extra="<tr><td>1<td>Ai được hỗ trợ?<td rowspan=2>Người lao động.<td>A<td></tr><tr><td>2<td>Đối tượng nào được nhận?<td>B<td></tr>").encode(), [("Ai được hỗ trợ?", "Người lao động."), ("Đối tượng nào được nhận?", "Người lao động.")]),
    case("XML Spreadsheet 2003", xml_2003, PAIRS),
    # refusals
    case("password xls", lambda: biff(add_filepass), refused="password"),
    case("password xlsx", encrypted_xlsx, refused="password"),
    case("password ods", lambda: ods([], "<manifest:encryption-data/>"), refused="password"),
    case("truncated xls", lambda: xls(BANK)[:-2048], refused="damaged"),
    case("xls cut to its head", lambda: xls(BANK)[:600], refused="damaged"),
    case("truncated xlsx", lambda: xlsx(BANK)[:-300], refused="damaged"),
    case("zip bomb", zip_bomb, refused="too_large"),
    case("zip bomb that lies", lambda: zip_bomb(lying=True), refused="damaged"),
    case("macros in xlsm", lambda: with_members(xlsx(BANK), {"xl/vbaProject.bin": b"\xd0\xcf"}), refused="macros"),
    case("macro sheet in xls", lambda: biff(as_macro_sheet), refused="macros"),
    case("pdf", lambda: b"%PDF-1.4 ...", refused="not_a_table"),
    case("docx", docx, refused="not_a_table"),
    case("plain text", lambda: "Kính gửi Sở Y tế\nXin cảm ơn\n".encode(), refused="not_a_table"),
    case("empty", lambda: b"\n\n ", refused="empty"),
    case("mhtml", lambda: b"MIME-Version: 1.0\nContent-Type: multipart/related", refused="mhtml"),
    case("html frames", lambda: b"<html><frameset><frame src=a></frameset></html>", refused="html_frames"),
    # layouts
    case("header without accents, upper case", lambda: xls(TWO, header=("CAU HOI", "NOI DUNG TRA LOI")), PAIRS[:2]),
    case("header Hỏi, Đáp án", lambda: xls(TWO, header=("Hỏi", "Đáp án")), PAIRS[:2]),
    case("header with line break and star", lambda: xls(TWO, header=("Nội dung\ncâu hỏi (*)", "Trả lời:")), PAIRS[:2]),
    case("column numbers under the header", lambda: xls([("(1)", "(2)"), *TWO], header=QA), PAIRS[:2]),
    case("answer before question", lambda: xls([(b, a) for a, b in TWO], header=QA[::-1]), PAIRS[:2]),
    case("table not in column A", lambda: xls([(None, None, *row) for row in TWO], header=(None, None, *QA)), PAIRS[:2]),
    case("one answer for several questions", lambda: xls([("Ai được hỗ trợ?", "Người lao động."), ("Đối tượng nào được nhận?", None)], header=QA, edit=merged((3, 4, 1, 1))), [("Ai được hỗ trợ?", "Người lao động."), ("Đối tượng nào được nhận?", "Người lao động.")]),
    case("one question over several rows", lambda: xls([("Cần giấy tờ gì?", "- Căn cước"), (None, "- Đơn"), ("Nộp ở đâu?", "Tại xã.")], header=QA, edit=merged((3, 4, 0, 0))), [("Cần giấy tờ gì?", "- Căn cước\n- Đơn"), ("Nộp ở đâu?", "Tại xã.")]),
    case("answer goes on in the next row", lambda: xls([("Cần giấy tờ gì?", "- Căn cước"), (None, "- Đơn")], header=QA), [("Cần giấy tờ gì?", "- Căn cước\n- Đơn")], "joined"),
    case("several sheets and a hidden one", several_sheets, [PAIRS[1], PAIRS[2]], "hidden_sheet", fields=("Tiêm chủng", "Giao thông")),
    case("section rows", lambda: xls([("I. Tiêm chủng",), *[r[:3] for r in BANK[:2]], (None, "II. Giao thông"), BANK[2][:3]], header=HEADER[:3]), PAIRS[:3], fields=("Tiêm chủng", "Tiêm chủng", "Giao thông")),
    case("roman number in its own column", lambda: xls([("I", "Tiêm chủng"), BANK[1][:3]], header=HEADER[:3]), [PAIRS[1]], fields=("Tiêm chủng",)),
    case("field column", lambda: xls([("Y tế", *TWO[0]), ("Giao thông", *TWO[1])], header=("Lĩnh vực", *QA)), PAIRS[:2], fields=("Y tế", "Giao thông")),
    case("question and answer in one cell", lambda: xls([("Hỏi: Ai được tiêm?\nĐáp: Người trên 18 tuổi.",), ("Hỏi: Tiêm ở đâu?\nĐáp: Ở trạm y tế.",)], header=("Nội dung hỏi đáp",)), [("Ai được tiêm?", "Người trên 18 tuổi."), ("Tiêm ở đâu?", "Ở trạm y tế.")]),
    case("one cell, no header", lambda: xls([("Câu 1: Ai được tiêm? Trả lời: Người trên 18 tuổi.",), ("Câu 2: Tiêm ở đâu? Trả lời: Ở trạm y tế.",)], header=None), [("Ai được tiêm?", "Người trên 18 tuổi."), ("Tiêm ở đâu?", "Ở trạm y tế.")]),
    case("questions under “Hỏi đáp”, answers beside it", lambda: xls(TWO, header=("Hỏi đáp", "Trả lời")), proposed=True),
    case("question row, answer row", lambda: xls([("Hỏi: Ai được tiêm?",), ("Đáp: Người trên 18 tuổi.",), ("Hỏi: Tiêm ở đâu?",), ("Đáp: Ở trạm y tế.",)], header=("Hỏi đáp",)), [("Ai được tiêm?", "Người trên 18 tuổi."), ("Tiêm ở đâu?", "Ở trạm y tế.")]),
    case("numbered questions", lambda: xls([("Câu 12: Ai được tiêm?", "Trả lời: Mọi người."), ("13. Tiêm ở đâu?", "Ở xã.")], header=QA), [("Ai được tiêm?", "Mọi người."), ("Tiêm ở đâu?", "Ở xã.")]),
    case("numbers with a stroke or a dash", lambda: xls([("1/ Ai được tiêm?", "Mọi người."), ("2/Tiêm ở đâu?", "Ở xã."), ("3 - Tiêm khi nào?", "Mai."), ("24/7 có người trực không?", "Có."), ("5 - 11 tuổi tiêm gì?", "Pfizer.")], header=QA), [("Ai được tiêm?", "Mọi người."), ("Tiêm ở đâu?", "Ở xã."), ("Tiêm khi nào?", "Mai."), ("24/7 có người trực không?", "Có."), ("5 - 11 tuổi tiêm gì?", "Pfizer.")]),
    case("phrasings, one a line", lambda: xls([("Ai được tiêm?", "Mọi người.", "- Đối tượng tiêm?\n- Tiêm cho ai?")], header=(*QA, "Câu hỏi tương tự")), [("Ai được tiêm?", "Mọi người.")], phrasings=(("Đối tượng tiêm?", "Tiêm cho ai?"),)),
    case("phrasings, semicolons", lambda: xls([("Ai được tiêm?", "Mọi người.", "Đối tượng tiêm?; Tiêm cho ai?")], header=(*QA, "Cách hỏi khác")), None, phrasings=(("Đối tượng tiêm?", "Tiêm cho ai?"),)),
    case("several questions in one cell", lambda: xls([("Ai được tiêm?\nTiêm cho ai?", "Mọi người.")], header=QA), [("Ai được tiêm?", "Mọi người.")], phrasings=(("Tiêm cho ai?",),)),
    case("a question and how people say it in one cell", lambda: xls([("Trẻ 14 tháng tiêm sởi ở đâu?\nbé 14 tháng chưa tiêm sởi thì sao", "Trạm y tế.")], header=QA), [("Trẻ 14 tháng tiêm sởi ở đâu?", "Trạm y tế.")], phrasings=(("bé 14 tháng chưa tiêm sởi thì sao",),)),
    case("a question with a line of explanation", lambda: xls([("Tôi có được hỗ trợ không?\nTôi làm tự do ở Hà Nội.", "Có.")], header=QA), [("Tôi có được hỗ trợ không? Tôi làm tự do ở Hà Nội.", "Có.")]),
    case("hidden row xls", lambda: xls(BANK, edit=hide_row), [PAIRS[0], *PAIRS[2:]], "hidden_row"),
    case("hidden row xlsx", lambda: xlsx(BANK, edit=hide_xlsx_row), [PAIRS[0], *PAIRS[2:]], "hidden_row"),
    case("hidden row ods", lambda: ods([ods_row(HEADER), ods_row(BANK[0]), ods_row(BANK[1], 'table:visibility="collapse"')]), PAIRS[:1], "hidden_row"),
    case("hidden column xlsx", lambda: xlsx(BANK, edit=hide_xlsx_column), PAIRS, "hidden_column", check=lambda reading: reading.rows[0].legal_basis == ""),
    case("hidden column xls", lambda: xls(BANK, edit=hide_xls_column), PAIRS, "hidden_column", check=lambda reading: reading.rows[0].legal_basis == ""),
    case("breaks, bullets, links, phones kept", lambda: xls([("Liên hệ ở đâu?", RICH)], header=QA), [("Liên hệ ở đâu?", RICH)]),
    case("formula by its cached value", cached_formula, [(PAIRS[0][0], "Máy bàn"), *PAIRS[1:]]),
    case("error cells xls", lambda: xls([(1, PAIRS[0][0], PAIRS[0][1], None, None)], edit=lambda page: page.row(3).set_cell_error(3, "#REF!")), PAIRS[:1], "error_cell", cells=("D4",)),
    case("error cells xlsx", lambda: with_error_cell(), PAIRS[:1], "error_cell", cells=("D4",)),
    case("header of two rows, merged", lambda: xls([(*TWO[0], "01/10/2021", "31/12/2099")], header=(*QA, "Thời gian hiệu lực"), edit=two_row_header, skip=1), PAIRS[:1], check=both_days),
    case("header of two rows, not merged", lambda: xls([(None, None, "Từ", "Đến"), (*TWO[0], "01/10/2021", "31/12/2099")], header=(*QA, "Hiệu lực")), PAIRS[:1], check=both_days),
    case("dates as cells", dates_as_cells, PAIRS, check=lambda reading: {row.confirmed_on for row in reading.rows} == {datetime.date(2021, 10, 22)}),
    case("dates as serial numbers", lambda: xls([(*row[:4], 44491) for row in BANK]), PAIRS, check=lambda reading: {row.confirmed_on for row in reading.rows} == {datetime.date(2021, 10, 22)}),
    case("validity in one cell", lambda: xls([("Ai được tiêm?", "Mọi người.", "từ 01/10/2021 đến 31/12/2099")], header=(*QA, "Hiệu lực")), None, check=lambda reading: (reading.rows[0].valid_from, reading.rows[0].valid_until) == (datetime.date(2021, 10, 1), datetime.date(2099, 12, 31))),
    case("signatures under the table", lambda: xls([*TWO, (None, None), (None, "NGƯỜI LẬP BIỂU"), ("Nơi nhận: Như trên", None)], header=QA), PAIRS[:2], "left_out"),
    case("header repeated on each page", lambda: xls([TWO[0], QA, TWO[1]], header=QA), PAIRS[:2]),
    case("number as an answer", lambda: xls([("Gọi số nào?", 1022.0)], header=QA), [("Gọi số nào?", "1022")]),
    # text
    case("NFD", lambda: xls([[nfd(cell) for cell in row] for row in BANK], header=[nfd(one) for one in HEADER]), PAIRS),
    case("TCVN3", lambda: in_old_font(TCVN3), IN_TCVN3, "converted"),
    case("VNI", lambda: in_old_font(VNI_COMPLETE), PAIRS, "converted"),
    case("TCVN3 under a Unicode header", lambda: xls([[legacy(c, TCVN3) if isinstance(c, str) else c for c in row] for row in BANK]), IN_TCVN3, "converted"),
    case("VIQR", lambda: xls([("Ai ddu+o+.c tie^m va('c xin mie^~n phi'?", "Ngu+o+`i da^n trong ti?nh ddu+o+.c tie^m mie^~n phi'."), ("Tie^m o+? dda^u va` khi na`o?", "Tie^m ta.i tra.m y te^' xa~.")], header=("Ca^u ho?i", "Tra? lo+`i")), [("Ai được tiêm vắc xin miễn phí?", "Người dân trong tỉnh được tiêm miễn phí."), ("Tiêm ở đâu và khi nào?", "Tiêm tại trạm y tế xã.")], "converted"),
    case("invisible and hard blanks", lambda: xls([("Ai\u00a0được\u200b tiêm?\u00a0", "\ufeffMọi\u00a0người. ")], header=QA), [("Ai được tiêm?", "Mọi người.")]),
    case("old and new tone placement are one question", lambda: xls([("Hoà giải ở đâu?", "Ở xã."), ("Hòa giải ở đâu?", "Ở xã.")], header=QA), [("Hoà giải ở đâu?", "Ở xã.")], "duplicate"),
    case("question and answer in one cell beside an empty answer", lambda: xls([TWO[0], ("Hỏi: Tiêm ở đâu? Đáp: Ở trạm y tế xã.", None)], header=QA), [PAIRS[0], ("Tiêm ở đâu?", "Ở trạm y tế xã.")]),
    # findings
    case("empty answer", lambda: xls(OVER, header=QA), None, "empty_answer", cells=("B5",)),
    case("an answer that only keeps the place", lambda: xls([("Ai được tiêm?", "…"), ("Tiêm ở đâu?", 0), ("Tiêm khi nào?", "Đang cập nhật.")], header=QA), None, "empty_answer", "placeholder", cells=("B4", "B5", "B6")),
    case("empty question", lambda: xls([(1, None, "Có tiền hỗ trợ."), BANK[1][:3]], header=HEADER[:3]), None, "empty_question", cells=("B4",)),
    case("exact duplicate", lambda: xls([TWO[0], TWO[1], TWO[0]], header=QA), PAIRS[:2], "duplicate", cells=("A6",)),
    case("contradiction", lambda: xls([TWO[0], (TWO[0][0], "Bấm 113.")], header=QA), None, "contradiction", cells=("B5",)),
    case("answer beyond one message", lambda: xls([("Cần giấy tờ gì?", LONG)], header=QA), None, "long_answer", cells=("B4",)),
    case("expired", lambda: xls([("Ai được tiêm?", "Mọi người.", "31/12/2021")], header=(*QA, "Hiệu lực đến")), None, "expired", cells=("C4",)),
    case("dates reversed", lambda: xls([("Ai được tiêm?", "Mọi người.", "01/01/2030", "01/01/2029")], header=(*QA, "Hiệu lực từ", "Hiệu lực đến")), None, "dates_reversed", cells=("C4",)),
    case("date that is none", lambda: xls([("Ai được tiêm?", "Mọi người.", "31/02/2030")], header=(*QA, "Hiệu lực đến")), None, "bad_date", cells=("C4",)),
    case("ID number", lambda: xls([("Hỏi ai?", "Gặp ông Nam, CCCD 038099012345.")], header=QA), None, "id_number", cells=("B4",)),
    case("private phone", lambda: xls([("Hỏi ai?", "Gặp ông Nguyễn Văn Tám 0912 345 678.")], header=QA), None, "private_phone", cells=("B4",)),
    case("hotline is no private phone", lambda: xls([("Hỏi ai?", "Đường dây nóng 0912 345 678, 19009095, 0237.3852.123.")], header=QA), [("Hỏi ai?", "Đường dây nóng 0912 345 678, 19009095, 0237.3852.123.")]),
    case("no Vietnamese word", lambda: xls([("What is F0?", "Người mắc bệnh.")], header=QA), None, "not_vietnamese", cells=("A4",)),
    case("unmarked Vietnamese is Vietnamese", lambda: xls([("Lam the nao de duoc tiem?", "Đăng ký ở xã.")], header=QA), [("Lam the nao de duoc tiem?", "Đăng ký ở xã.")]),
    # what must be confirmed
    case("misspelt header", lambda: xls(TWO, header=("Câu hỏii", "Trả lờii")), proposed=True),
    case("unknown header", lambda: xls(TWO, header=("Điều dân muốn biết", "Cơ quan nói gì")), proposed=True),
    case("no header", lambda: xls(TWO, header=None), proposed=True),
    case("no table at all", lambda: xls([("Số liệu", 5), ("Tổng", 9)], header=None), None, "no_table"),
]  # fmt: skip


def cp1258(text: str) -> bytes:
    """Windows-1258 as Windows writes it: letters with their tone as a combining mark."""
    import unicodedata

    out = bytearray()
    for one in text:
        try:
            out += one.encode("cp1258")
            continue
        except UnicodeEncodeError:
            pass
        parts = unicodedata.normalize("NFD", one)
        tone = next(mark for mark in parts if mark in "\u0300\u0301\u0303\u0309\u0323")
        base = unicodedata.normalize("NFC", parts.replace(tone, ""))
        out += (base + tone).encode("cp1258")
    return bytes(out)
