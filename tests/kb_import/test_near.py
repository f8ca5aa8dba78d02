# ruff: noqa: E501 (pairs of questions, one a line)
"""Near duplicates are told from questions that merely share a subject."""

import pytest

from faq.normalise import load_abbreviations
from faq.settings import FaqSettings
from kb_import.near import dense_text, is_one_matter

TABLE = load_abbreviations(FaqSettings().abbreviations)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Tiêm vắc xin phòng bệnh có mất tiền không?", "Tiêm vắc xin phòng bệnh có mất phí không ạ?", True),
        ("Làm căn cước công dân ở đâu?", "Làm thẻ căn cước ở đâu?", True),
        ("Lao động ngừng việc được hỗ trợ bao nhiêu?", "Lao động ngừng việc được hỗ trợ mức bao nhiêu tiền?", True),
        ("Hai mũi Pfizer tiêm cách nhau bao lâu?", "Hai mũi AstraZeneca tiêm cách nhau bao lâu?", False),
        ("F2 phải cách ly thế nào?", "F1 phải cách ly thế nào?", False),
        ("Người nhập cảnh chưa tiêm vắc xin cách ly bao nhiêu ngày?", "Người nhập cảnh đã tiêm vắc xin cách ly bao nhiêu ngày?", False),
        ("Mã QR “luồng xanh” là gì?", "Đăng ký mã QR “luồng xanh” bằng cách nào?", False),
        ("Phụ nữ mang thai có được tiêm không?", "Phụ nữ đang cho con bú có được tiêm không?", False),
    ],
)  # fmt: skip
def test_one_matter(one: str, other: str, same: bool) -> None:
    first, second = dense_text(one, TABLE), dense_text(other, TABLE)
    assert is_one_matter(first, second) is same
    assert is_one_matter(second, first) is same
