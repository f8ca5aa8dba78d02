"""Which place a row's "Địa bàn" means: a commune, a ward, or a former district, by its name or code."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rapidfuzz import fuzz, process

from bot.contracts.ids import UnitCode
from handoff.unit import Unit, UnitKind
from kb_import.columns import Role
from kb_import.found import FoundRow
from kb_import.header import SheetLayout
from kb_import.problem import Problem, Severity
from kb_import.validate import letter_of
from nlu_data.vi_nlu.text import fold

_KINDS = frozenset({UnitKind.COMMUNE, UnitKind.FORMER_DISTRICT})
_EVERYWHERE = re.compile(r"(?:(?:tren|trong|pham vi|dia ban|toan|ca|chung|tat ca|tinh|thanh hoa|khong)(?: |$))+")
"""No place in particular: "toàn tỉnh", "tỉnh Thanh Hóa", "trên địa bàn tỉnh", "chung", "tất cả"."""
_SHORT = {"p": "phuong", "x": "xa", "h": "huyen", "tp": "thanh pho", "tx": "thi xa"}
_OFFICE = re.compile(r"^(?:uy ban nhan dan|ubnd|hdnd) ")
_KIND_WORD = re.compile(r"^(?:xa|phuong|huyen|thanh pho|thi xa) ")
_PARTS = re.compile(r"\s*[,;/\n+]\s*|\s+và\s+")
_LIKE = 80.0
"""rapidfuzz ratio (0..100) from which a known name is offered for a misspelt one."""


@dataclass(frozen=True, slots=True)
class PlaceNames:
    """The places of the province as a file may write them."""

    codes: Mapping[str, frozenset[UnitCode]]
    """By folded name, with and without its kind."""
    names: Mapping[UnitCode, str]
    ended: Mapping[UnitCode, date]
    """Last day of those that no longer exist."""


def place_names(units: Iterable[Unit], today: date) -> PlaceNames:
    """The names of every commune and former district."""
    codes: dict[str, set[UnitCode]] = {}
    names: dict[UnitCode, str] = {}
    ended: dict[UnitCode, date] = {}
    for one in units:
        if one.kind not in _KINDS:
            continue
        name = one.short_name.removeprefix("UBND ")
        names[one.code] = name[:1].upper() + name[1:]
        if one.valid_until is not None and one.valid_until < today:
            ended[one.code] = one.valid_until
        for written in (name, *one.aliases):
            folded = _plain(written)
            for form in {folded, _KIND_WORD.sub("", folded)}:
                codes.setdefault(form, set()).add(one.code)
    return PlaceNames({form: frozenset(found) for form, found in codes.items()}, names, ended)


def find_place(text: str, known: PlaceNames) -> tuple[UnitCode | None, str]:
    """(code, "") of the place, (None, "") for the whole province, or (None, what to do) if it can't be told. Pure."""
    folded = _plain(text)
    if not folded or _EVERYWHERE.fullmatch(folded):
        return None, ""
    if text.strip() in known.names:
        return UnitCode(text.strip()), ""
    found = known.codes.get(folded, frozenset())
    alive = {one for one in found if one not in known.ended} or found
    if len(alive) == 1:
        return next(iter(alive)), ""
    shown = text.strip()[:60]
    if alive:
        names = ", ".join(sorted(known.names[one] for one in alive))
        return None, f"Địa bàn “{shown}” có thể là {names}. Hãy ghi đủ tên."
    parts = [one for one in _PARTS.split(text.strip()) if one]
    if len(parts) > 1 and all(known.codes.get(_plain(one)) for one in parts):
        return None, (
            f"Ô địa bàn ghi {len(parts)} nơi. Mỗi dòng chỉ ghi một nơi: hãy chép dòng này cho từng nơi, "
            "hoặc để trống nếu dùng cho toàn tỉnh."
        )
    advice = "Hãy ghi đúng tên xã, phường hiện nay, ví dụ “Phường Hạc Thành”, hoặc để trống nếu dùng cho toàn tỉnh."
    if near := process.extractOne(folded, list(known.codes), scorer=fuzz.ratio, score_cutoff=_LIKE):
        maybe = " hoặc ".join(sorted(known.names[one] for one in known.codes[near[0]]))
        advice = f"Có phải là {maybe}? {advice}"
    return None, f"Địa bàn “{shown}” không có trong danh mục xã, phường của tỉnh. {advice}"


def find_places(
    rows: Sequence[FoundRow], layouts: Sequence[SheetLayout], known: PlaceNames
) -> tuple[list[UnitCode | None], list[Problem]]:
    """The place of every row, and what is wrong with some. Each distinct text is looked up once."""
    where = {one.sheet: one for one in layouts}
    texts = {row.place: find_place(row.place, known) for row in rows}
    problems: list[Problem] = []
    for row in rows:
        code, advice = texts[row.place]
        letter = letter_of(where.get(row.sheet), Role.PLACE)
        if advice:
            problems.append(Problem(Severity.ERROR, "unknown_place", advice, row.sheet, row.row, letter))
        elif code is not None and code in known.ended:
            text = (
                f"{known.names[code]} đã kết thúc ngày {known.ended[code]:%d/%m/%Y}. Hãy ghi tên xã, phường hiện nay "
                "nơi câu trả lời được áp dụng, hoặc để trống nếu dùng cho toàn tỉnh."
            )
            problems.append(Problem(Severity.WARNING, "former_place", text, row.sheet, row.row, letter))
    return [texts[row.place][0] for row in rows], problems


def _plain(text: str) -> str:
    """Folded, short words written out, no office: "UBND P.Hạc Thành" → "phuong hac thanh"."""
    plain = _OFFICE.sub("", fold(text))
    first, _, rest = plain.partition(" ")
    return f"{_SHORT[first]} {rest}" if rest and first in _SHORT else plain
