"""The bank a file belongs to when nobody says: its name without dates, versions and copies."""

import re
import unicodedata
from pathlib import PurePath

_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[._\-/ ]\d{1,2}[._\-/ ](?:20)?\d{2}|(?:19|20)\d{2}[._\-/ ]?\d{2}[._\-/ ]?\d{2}|"
    r"\d{1,2}[._\-/ ](?:19|20)\d{2}|\d{8})(?!\d)"
)
_VERSION = re.compile(
    r"""(?ix)
    \(\s*\d+\s*\) |
    (?<![^\W\d_])(?:
        (?:v|ver|version|phiên\s*bản|phien\s*ban|bản|ban|lần|lan|l)\s*[._-]?\s*\d+(?:\.\d+)* |
        final | finall? | chính\s*thức | chinh\s*thuc | mới(?:\s*nhất)? | moi(?:\s*nhat)? | sửa | sua | đã\s*sửa |
        da\s*sua |
        cập\s*nhật | cap\s*nhat | copy | bản\s*sao | ban\s*sao | update | new | ngày | ngay | tháng\s*\d+ |
        thang\s*\d+ | năm\s*\d{4} | nam\s*\d{4}
    )(?![^\W\d_])
    """
)
_BETWEEN = re.compile(r"[\s_\-–.,]+")


def bank_name_of(file_name: str) -> str:
    """ "Bộ câu hỏi SYT_v2 (22.10.2021) final.xls" → "Bộ câu hỏi SYT"; the plain stem if nothing else is left."""
    stem = unicodedata.normalize("NFC", PurePath(file_name.replace("\\", "/")).stem)
    name = stem.replace("_", " ")
    name = _DATE.sub(" ", name)
    while (shorter := _VERSION.sub(" ", name)) != name:
        name = shorter
    name = re.sub(r"[(\[]\s*[)\]]", " ", name)
    name = _BETWEEN.sub(" ", name).strip(" -–_.,()[]")
    return name or _BETWEEN.sub(" ", stem).strip() or "Bộ câu hỏi"
