"""Bytes → Workbook. What a file is, its first bytes say, never its name.

Run it in a process of its own (`kb_import/isolated.py`): a spreadsheet is somebody else's program.
"""

import io

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum, ZipError

from kb_import import biff, csv_table, html_table, xml_table, zipped
from kb_import.problem import FileRefused, damaged, password_refused, too_many
from kb_import.sheet import BOUNDS, Area, Bounds, Details, FileKind, Sheet, Workbook

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BLANK = b"\0 \r\n\t"
_BARE_BIFF = (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00")
"""A BOF record at the very start: Excel 2 to 4, without the OLE container."""


def read(content: bytes, bounds: Bounds = BOUNDS) -> Workbook:
    """Every sheet of the file. Raises FileRefused when it can't be used as it is."""
    if not content[:4096].strip(_BLANK) and not content.strip(_BLANK):
        raise FileRefused("Tệp rỗng.", "Hãy mở tệp, kiểm tra nội dung rồi lưu và gửi lại.", reason="empty")
    if len(content) > bounds.file_bytes:
        raise FileRefused(
            f"Tệp lớn hơn {bounds.file_bytes // 2**20} MB.",
            "Hãy bỏ hình ảnh trong tệp hoặc chia thành nhiều tệp nhỏ.",
            reason="too_large",
        )
    kind = kind_of(content)
    match kind:
        case FileKind.HTML:
            workbook = html_table.read(content, bounds)
        case FileKind.XML:
            workbook = xml_table.read(content, bounds)
        case FileKind.CSV:
            workbook = csv_table.read(content, bounds)
        case FileKind.XLS:
            workbook = _read_calamine(content, kind, biff.look(content), bounds)
        case FileKind.XLSX | FileKind.ODS:
            workbook = _read_calamine(content, kind, zipped.look(content, kind, bounds), bounds)
    return workbook


def kind_of(content: bytes) -> FileKind:
    """What the bytes are. Raises FileRefused for what is no table at all."""
    if content.startswith(_OLE):
        return FileKind.XLS
    if content.startswith(b"PK\x03\x04") or content.startswith(b"PK\x05\x06"):
        return zipped.kind_of(content)
    if content.startswith(_BARE_BIFF) and b"\0" in content[:16]:
        raise FileRefused(
            "Tệp do Excel đời rất cũ (trước 1995) ghi.",
            "Hãy mở bằng Excel hoặc LibreOffice, chọn “Lưu thành” rồi chọn .xlsx.",
            reason="too_old",
        )
    for magic, what in (
        (b"%PDF", "PDF"), (b"{\\rtf", "văn bản RTF"), (b"\x89PNG", "hình ảnh"), (b"\xff\xd8\xff", "hình ảnh"),
        (b"GIF8", "hình ảnh"), (b"Rar!", "nén RAR"), (b"7z\xbc\xaf", "nén 7z"), (b"\x1f\x8b", "nén GZ"),
        (b"MZ", "chương trình"), (b"\x7fELF", "chương trình"),
    ):  # fmt: skip
        if content.startswith(magic):
            raise FileRefused(
                f"Đây là tệp {what}, không phải bảng tính.",
                "Hãy gửi tệp Excel (.xls, .xlsx), .ods hoặc .csv.",
                reason="not_a_table",
            )
    start = csv_table.decode_start(content).lstrip("\ufeff \r\n\t").casefold()
    if "urn:schemas-microsoft-com:office:spreadsheet" in start and "<workbook" in start:
        return FileKind.XML
    if start.startswith(("<!doctype html", "<html", "<table", "<meta", "<head", "<body", "<style", "<?xml", "<!--")):
        return FileKind.HTML
    if start.startswith("mime-version:"):
        raise FileRefused(
            "Tệp lưu ở dạng “trang web một tệp” (MHTML).", "Hãy mở bằng Excel và lưu lại dạng .xlsx.", reason="mhtml"
        )
    return FileKind.CSV


def _read_calamine(content: bytes, kind: FileKind, details: Details, bounds: Bounds) -> Workbook:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            sheets, rows_left = [], bounds.rows
            metadata = [one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
            if len(metadata) > bounds.sheets:
                raise too_many(f"Tệp có {len(metadata)} trang tính, nhiều hơn {bounds.sheets}.")
            for index, one in enumerate(metadata):
                if one.visible != SheetVisibleEnum.Visible:
                    sheets.append(Sheet(one.name, (), hidden=True))
                    continue
                found = book.get_sheet_by_name(one.name)
                if found.height > rows_left:
                    raise too_many(f"Tệp có nhiều hơn {bounds.rows:,} dòng.".replace(",", "."))
                if found.width > bounds.columns:
                    raise too_many(f"Trang “{one.name}” có hơn {bounds.columns} cột.")
                rows_left -= found.height
                top, left = found.start or (0, 0)
                more = details.of(index, one.name)
                sheets.append(
                    Sheet(
                        name=one.name,
                        rows=found.to_python(skip_empty_area=True),
                        top=top,
                        left=left,
                        merged=_areas(found.merged_cell_ranges) or more.merged,
                        hidden_rows=more.rows,
                        hidden_columns=more.columns,
                        errors=more.errors,
                    )
                )
    except PasswordError:
        raise password_refused() from None
    except (CalamineError, ZipError, ValueError, OSError, IndexError, KeyError, OverflowError) as error:
        raise damaged(str(error)) from None
    except BaseException as error:  # a Rust panic is no Exception; anything else goes its way
        if type(error).__name__ == "PanicException":
            raise damaged("panic") from None
        raise
    return Workbook(kind, tuple(sheets), details.fonts)


def _areas(ranges: list[tuple[tuple[int, int], tuple[int, int]]] | None) -> tuple[Area, ...]:
    return tuple(Area(top, left, bottom, right) for (top, left), (bottom, right) in ranges or ())
