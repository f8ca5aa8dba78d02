"""Which column means what: the words departments put in a header, and a person's word when the header is not
certain."""

from collections.abc import Iterable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz, process

from bot.contracts.errors import Refused
from kb_import.problem import column_index, column_letter
from nlu_data.vi_nlu.text import strip_diacritics


class Role(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    QUESTION = "question"
    ANSWER = "answer"
    QUESTION_AND_ANSWER = "question_and_answer"
    """ "Hỏi: … Đáp: …" in one cell."""
    PHRASINGS = "phrasings"
    FIELD = "field"
    UNIT = "unit"
    LEGAL_BASIS = "legal_basis"
    CONFIRMED_ON = "confirmed_on"
    VALID_FROM = "valid_from"
    VALID_UNTIL = "valid_until"
    VALIDITY = "validity"
    """Both dates in one cell: "từ 01/10/2021 đến 31/12/2021"."""
    PLACE = "place"
    IGNORED = "ignored"


ROLE_VI: AnyMapping[Role, str] = {
    Role.NUMBER: "Số thứ tự",
    Role.QUESTION: "Câu hỏi",
    Role.ANSWER: "Câu trả lời",
    Role.QUESTION_AND_ANSWER: "Câu hỏi và trả lời chung một ô",
    Role.PHRASINGS: "Cách hỏi khác",
    Role.FIELD: "Lĩnh vực",
    Role.UNIT: "Đơn vị",
    Role.LEGAL_BASIS: "Căn cứ pháp lý",
    Role.CONFIRMED_ON: "Ngày cập nhật",
    Role.VALID_FROM: "Hiệu lực từ",
    Role.VALID_UNTIL: "Hiệu lực đến",
    Role.VALIDITY: "Hiệu lực",
    Role.PLACE: "Địa bàn",
    Role.IGNORED: "Bỏ qua",
}

_WORDS: AnyMapping[Role, tuple[str, ...]] = {
    Role.NUMBER: ("stt", "tt", "so tt", "so thu tu", "so", "thu tu", "no", "ma", "ma so", "ma cau hoi", "#"),
    Role.QUESTION: (
        "cau hoi", "noi dung cau hoi", "hoi", "noi dung hoi", "cau hoi thuong gap", "cau hoi cua nguoi dan",
        "cau hoi cua cong dan", "noi dung cong dan hoi", "nguoi dan hoi", "van de", "noi dung can hoi", "cau hoi mau",
        "cau hoi chuan", "cau hoi chinh", "question", "tinh huong", "noi dung thac mac", "thac mac",
    ),
    Role.ANSWER: (
        "tra loi", "noi dung tra loi", "dap an", "cau tra loi", "dap", "noi dung dap", "phan tra loi",
        "noi dung giai dap",
        "giai dap", "huong dan tra loi", "noi dung huong dan", "huong dan", "answer", "cau tra loi mau",
        "noi dung tra loi cong dan", "tra loi cua don vi", "phuong an tra loi", "noi dung cau tra loi",
    ),
    Role.QUESTION_AND_ANSWER: (
        "hoi dap", "cau hoi va tra loi", "noi dung hoi dap", "hoi va dap", "cau hoi va cau tra loi", "hoi tra loi",
        "noi dung hoi va tra loi", "cau hoi tra loi",
    ),
    Role.PHRASINGS: (
        "cau hoi tuong tu", "cach hoi khac", "cac cach hoi khac", "cau hoi khac", "cach hoi tuong tu", "bien the",
        "cau hoi dong nghia", "cac cach hoi", "bien the cau hoi", "cau hoi tuong duong", "cach dien dat khac",
    ),
    Role.FIELD: (
        "linh vuc", "nhom", "chu de", "nhom cau hoi", "phan loai", "chuyen muc", "linh vuc hoi",
        "mang", "nhom linh vuc",
    ),
    Role.UNIT: (
        "don vi", "don vi tra loi", "co quan", "don vi phu trach", "co quan tra loi", "don vi chu tri",
        "don vi cung cap",
        "co quan chu tri", "don vi thuc hien", "phong ban", "don vi phu trach tra loi",
    ),
    Role.LEGAL_BASIS: (
        "can cu", "can cu phap ly", "van ban", "van ban can cu", "co so phap ly", "can cu van ban", "so van ban",
        "van ban phap ly", "nguon", "nguon trich dan", "can cu tra loi", "van ban lien quan", "trich dan",
        "tai lieu can cu",
    ),
    Role.CONFIRMED_ON: (
        "cap nhat ngay", "ngay cap nhat", "cap nhat", "ngay cap nhat gan nhat", "thoi gian cap nhat", "ngay",
        "ngay ra soat",
        "ngay xac nhan", "cap nhat den ngay", "cap nhat lan cuoi",
    ),
    Role.VALID_FROM: (
        "hieu luc tu", "ngay hieu luc", "hieu luc tu ngay", "co hieu luc tu", "ngay co hieu luc",
        "ngay bat dau", "tu ngay",
        "ap dung tu", "ap dung tu ngay", "ngay ap dung", "bat dau hieu luc",
    ),
    Role.VALID_UNTIL: (
        "hieu luc den", "het hieu luc", "ngay het hieu luc", "hieu luc den ngay", "ngay ket thuc", "den ngay",
        "het han",
        "ngay het han", "ap dung den", "ap dung den ngay", "het hieu luc ngay",
    ),
    Role.VALIDITY: (
        "hieu luc", "thoi gian hieu luc", "thoi han hieu luc", "thoi han", "thoi gian ap dung",
        "hieu luc van ban",
    ),
    Role.PLACE: (
        "dia ban", "dia phuong", "dia ban ap dung", "noi ap dung", "xa phuong", "xa", "phuong", "phuong xa", "huyen",
        "don vi hanh chinh", "ten xa phuong",
    ),
    Role.IGNORED: (
        "ghi chu", "nguoi nhap", "nguoi soan", "can bo phu trach", "nguoi tra loi", "can bo", "ket qua",
        "trang thai", "luu y",
        "nguoi phu trach", "so luot hoi", "can bo tra loi", "nguoi phe duyet",
    ),
}  # fmt: skip

_EXACT: dict[str, Role] = {word: role for role, words in _WORDS.items() for word in words}
_LONG_WORDS = [word for word in _EXACT if len(word) >= 5]
_NEAR = 86.0
"""rapidfuzz ratio (0..100) above which a misspelt header is proposed; below, it is no header."""
_MAX_HEADER_CHARS = 60
_LONGEST = max(map(len, _EXACT)) * 4 // 3
"""Characters beyond which no header word is near enough."""


def fold_header(text: str) -> str:
    """ "Nội dung\\ncâu hỏi (*)" → "noi dung cau hoi"."""
    plain = strip_diacritics(text).casefold()
    if "(" in plain:
        plain = plain[: plain.index("(")]
    return " ".join("".join(one if one.isalnum() or one == "#" else " " for one in plain).split())


@dataclass(frozen=True, slots=True)
class HeaderWord:
    """What a header cell means and whether that is certain."""

    role: Role
    certain: bool


def find_header_word(text: str) -> HeaderWord | None:
    """What this header cell means; None if it is like no header we know."""
    if not text or len(text) > _MAX_HEADER_CHARS or len(" ".join(text.partition("(")[0].split())) > _LONGEST:
        return None
    folded = fold_header(text)
    if not folded:
        return None
    if role := _EXACT.get(folded):
        return HeaderWord(role, certain=True)
    near = process.extractOne(folded, _LONG_WORDS, scorer=fuzz.ratio, score_cutoff=_NEAR)
    return HeaderWord(_EXACT[near[0]], certain=False) if near else None


class MappingRefused(Refused):
    """What was typed for --map can't be used."""

    code = "import.mapping_refused"


class Word(StrEnum):
    """What a person says of a whole sheet."""

    COLUMNS = "columns"
    """Which column holds what."""
    SKIP = "skip"
    """Leave the sheet out, also in the unit's next file."""
    READ = "read"
    """Look at the sheet afresh, whatever was said of it before."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A person's word on which column means what, in one sheet or in every sheet; or that a sheet is left out."""

    columns: tuple[tuple[int, Role], ...]
    """Column, counted from 0 at A, and what it holds; empty unless `word` is COLUMNS."""
    header_row: int | None = None
    """Counted from 1; 0: the table has no header row; None: unchanged from what was found."""
    sheet: str | None = None
    word: Word = Word.COLUMNS

    def say(self) -> str:
        """As --map takes it: "question=B,answer=C,header=3", "Nháp=skip"."""
        if self.word is not Word.COLUMNS:
            return f"{self.sheet}={self.word.value}" if self.sheet else self.word.value
        parts = [f"{role.value}={column_letter(column)}" for column, role in self.columns if role is not Role.IGNORED]
        if self.header_row is not None:
            parts.append(f"header={self.header_row}")
        return (f"{self.sheet}!" if self.sheet else "") + ",".join(parts)


_ROLE_NAMES: AnyMapping[str, Role] = {
    **_EXACT,
    **{fold_header(name): role for role, name in ROLE_VI.items()},
    **{role.value.replace("_", " "): role for role in Role},
    **{role.value: role for role in Role},
}


def parse_mapping(text: str) -> tuple[Mapping, ...]:
    """ "question=B,answer=C,header=3", also with Vietnamese names ("Câu hỏi=B"); sheets parted by ";" ("Trang1!…").
    "Nháp=skip" (or "Nháp=bỏ qua") leaves a sheet out, "Nháp=read" reads it again.

    Raises MappingRefused.
    """
    return tuple(_parse_one(part) for part in text.split(";") if part.strip())


_WHOLE_SHEET = {"skip": Word.SKIP, "bo qua": Word.SKIP, "read": Word.READ, "doc": Word.READ}


def _parse_one(text: str) -> Mapping:
    start, _, end = text.rpartition("=")
    if "=" not in start and (word := _WHOLE_SHEET.get(fold_header(end))):
        return Mapping((), None, start.strip().removesuffix("!") or None, word)
    sheet, bang, pairs = text.rpartition("!")
    columns: dict[int, Role] = {}
    header_row: int | None = None
    for pair in pairs.split(","):
        name, equals, where = pair.partition("=")
        name, where = fold_header(name.replace("_", " ")), where.strip()
        if not equals:
            raise MappingRefused(problem=f"“{pair.strip()}” phải có dạng tên=cột, ví dụ question=B.")
        if name in {"header", "dong tieu de", "tieu de"}:
            if not where.isdecimal():
                raise MappingRefused(problem=f"Dòng tiêu đề phải là số, không phải “{where}”.")
            header_row = int(where)
            continue
        role = _ROLE_NAMES.get(name)
        if role is None:
            known = ", ".join(role.value for role in Role)
            raise MappingRefused(problem=f"Không biết loại cột “{pair.partition('=')[0].strip()}”. Dùng: {known}.")
        try:
            columns[column_index(where)] = role
        except ValueError:
            raise MappingRefused(problem=f"“{where}” không phải tên cột (A, B, …).") from None
    roles = set(columns.values())
    if Role.QUESTION_AND_ANSWER not in roles and not {Role.QUESTION, Role.ANSWER} <= roles:
        raise MappingRefused(problem="Cần chỉ ra cả cột câu hỏi (question=…) và cột trả lời (answer=…).")
    return Mapping(tuple(sorted(columns.items())), header_row, sheet.strip() if bang else None)


def mapping_for(sheet: str, mappings: Iterable[Mapping]) -> Mapping | None:
    """The mapping that speaks of this sheet, or the one for every sheet."""
    general = None
    for one in mappings:
        if one.sheet == sheet:
            return one
        if one.sheet is None:
            general = one
    return general
