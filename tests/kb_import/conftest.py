"""What the import's tests share: a service on the real PostgreSQL with the real embedder, and small files."""

import io
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import openpyxl
import pytest
import xlwt

from bot.base.db import Database
from faq.embed import Embedder, load_embedder
from faq.settings import FaqSettings
from kb_import.service import ImportService

Rows = Sequence[Sequence[Any]]
HEADER = ("STT", "Câu hỏi", "Nội dung trả lời", "Căn cứ", "Cập nhật ngày")
BANK: Rows = (
    (
        1,
        "Người dân gọi Tổng đài 1022 bằng số nào?",
        "Máy cố định bấm 1022, di động bấm 02371022.",
        "QĐ 3797",
        "22/10/2021",
    ),
    (
        2,
        "Tiêm vắc xin phòng bệnh có mất tiền không?",
        "Tiêm vắc xin phòng Covid-19 được miễn phí.",
        "NQ 21",
        "22/10/2021",
    ),
    (
        3,
        "Xe khách liên tỉnh đã chạy lại chưa?",
        "Xe khách liên tỉnh chạy lại từ giữa tháng 10.",
        "QĐ 1812",
        "22/10/2021",
    ),
    (
        4,
        "Muốn ủng hộ gạo cho vùng dịch thì gửi ở đâu?",
        "Gửi tại Ủy ban Mặt trận Tổ quốc cấp xã.",
        "NĐ 93",
        "22/10/2021",
    ),
)


@lru_cache(maxsize=1)
def real_embedder() -> Embedder:
    """Loaded once for all tests."""
    return load_embedder(FaqSettings())


@pytest.fixture
def service(database: Database) -> ImportService:
    """The import room on a fresh database."""
    return ImportService(database, real_embedder())


def xls(
    rows: Rows,
    *,
    header: Sequence[Any] | None = HEADER,
    sheet: str = "Sheet1",
    edit: Callable[[Any], None] | None = None,
    skip: int = 0,
) -> bytes:
    """A binary .xls with a title row, as a department sends it; `edit` may change the sheet before it is saved.

    `skip`: rows left free under the header.
    """
    book = xlwt.Workbook()
    page = book.add_sheet(sheet)
    at = 0
    if header is not None:
        page.write(0, 0, "BỘ CÂU HỎI VÀ TRẢ LỜI")
        for column, value in enumerate(header):
            if value is not None:
                page.write(2, column, value)
        at = 3 + skip
    for down, row in enumerate(rows, at):
        for column, value in enumerate(row):
            if value is not None:
                page.write(down, column, value)
    if edit:
        edit(page)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def xlsx(rows: Rows, *, header: Sequence[Any] | None = HEADER, edit: Callable[[Any], None] | None = None) -> bytes:
    """The same as .xlsx."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    if header is not None:
        page.append(["BỘ CÂU HỎI VÀ TRẢ LỜI"])
        page.append([])
        page.append(list(header))
    for row in rows:
        page.append(list(row))
    if edit:
        edit(page)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
