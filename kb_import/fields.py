"""Which subject field of the plan the file's own words mean ("Tiêm chủng", "Giao thông vận tải")."""

import re
from collections.abc import Mapping, Sequence

from bot.contracts.ids import SubjectId, UnitCode
from handoff.unit import Subject
from nlu_data.vi_nlu.text import fold

_WORDS: Sequence[tuple[int, str]] = (
    (4, "tiem chung|vac xin|vacxin|xet nghiem|dieu tri|kham chua benh|cap cuu|y te|suc khoe|kham benh|bao hiem y te"),
    (2, "dich te|cach ly|f0|f1|truy vet|phong dich|giam sat dich"),
    (5, "an sinh|ho tro|chinh sach|lao dong|viec lam|that nghiep|bao tro|tro cap|nguoi co cong|tre em"),
    (6, "nhan dao|tu thien|cuu tro|ung ho|quyen gop|mat tran"),
    (7, "giao thong|van tai|di lai|luong xanh|dang kiem|lai xe|xe khach"),
    (8, "hang hoa|thuong mai|cong thuong|luu thong|cho|sieu thi|mua ban|dien|xang dau"),
    (9, "an ninh|trat tu|gia ca|lua dao|cong an|can cuoc|cu tru|ho chieu|quan ly thi truong"),
    (10, "thong tin|truyen thong|tin gia|cong nghe|chuyen doi so|dich vu cong|vneid|ung dung"),
    (1, "quy dinh chung|tinh hinh chung|gioi thieu|tong dai|quy dinh"),
)
_PATTERNS = tuple((SubjectId(number), re.compile(rf"\b(?:{words})\b")) for number, words in _WORDS)


def find_subject(text: str, subjects: Mapping[SubjectId, Subject], unit: UnitCode) -> SubjectId | None:
    """The field that `text` names: its number, its name, or its usual words; without a text the one field `unit` leads.

    None if unclear: the entry is then found by its own words alone.
    """
    folded = fold(text)
    if folded:
        if folded.isdecimal() and SubjectId(int(folded)) in subjects:
            return SubjectId(int(folded))
        for number, subject in subjects.items():
            if folded == fold(subject.name):
                return number
        for number, pattern in _PATTERNS:
            if pattern.search(folded) and (not subjects or number in subjects):
                return number
    led = [number for number, subject in subjects.items() if subject.lead_unit == unit]
    return led[0] if len(led) == 1 else None
