"""Text made readable: Unicode NFC, no invisible characters, and TCVN3, VNI and VIQR turned into Unicode.

Works on whole columns, because one cell is too little to tell an encoding from, and because a check of the joined
column in C costs a hundredth of a check per cell: a column in good order is returned as it came.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import is_not

from viparse.normalize.detector import detect_encoding_by_content
from viparse.normalize.frequency import vietnamese_score
from viparse.normalize.tables import Charmap, build_charmap, convert
from viparse.normalize.tcvn3 import TCVN3
from viparse.normalize.vni import VNI

from kb_import import viqr
from kb_import.scan import MARK, codes_of, distinct, in_batches, is_plain
from kb_import.sheet import Cell
from nlu_data.vi_nlu.text import is_syllable

__all__ = ["Conversion", "repair_columns", "repair_text", "vietnamese_score"]

VNI_COMPLETE = build_charmap("vni", [*VNI.pairs, ("aú", "ẳ"), ("AÚ", "Ẳ")])
"""viparse leaves out ẳ, which its corpus happened not to hold; the VNI-Windows chart has it."""
_CHARMAPS: dict[str, Charmap] = {"tcvn3": TCVN3, "vni": VNI_COMPLETE}
ENCODING_VI = {"tcvn3": "TCVN3 (phông .VnTime)", "vni": "VNI-Windows", "viqr": "VIQR"}

_SAMPLE_CHARS = 6_000
_SAMPLE_CELLS = 200
_UNICODE_VIETNAMESE = re.compile("[ĂăĐđĨĩŨũƠơƯưẠ-ỹ\u0300\u0301\u0303\u0309\u0323]")
_LATIN1_LETTER = re.compile("[\x80-\xff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u2013-\u2122]")
_ODD = re.compile(
    ""
    "[\x00-\x08\x0b-\x1e\x7f-\xa0\xad\xd0\xf0\t\r\u034f\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]"
    f"|_x000[dD]_|\\s(?:{MARK}|\n|$)|(?:{MARK}|^)\\s|\n\n\n"
)
_REMOVED = re.compile(
    "[\x00-\x08\x0e-\x1b\x1d-\x1f\x7f-\x9f\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
)
_BLANKS = re.compile("[\t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_ENDS = re.compile("_x000[dD]_\n?|\r\n?|[\x0b\x0c\x1c\u2028\u2029]")
_WORD = re.compile(r"[^\W\d_]+")
_ETH = str.maketrans("Ðð", "Đđ")


@dataclass(frozen=True, slots=True)
class Conversion:
    """One column that was in an old encoding: shown for confirmation."""

    column: int
    encoding: str
    before: str
    after: str


def repair_text(text: str) -> str:
    """One text in NFC, with plain blanks and line ends, nothing invisible, no blanks at the ends of lines."""
    text = _LINE_ENDS.sub("\n", text)
    text = unicodedata.normalize("NFC", _BLANKS.sub(" ", _REMOVED.sub("", text)).translate(_ETH))
    if "\n" in text:
        text = "\n".join(line.rstrip() for line in text.split("\n"))
        while "\n\n\n" in text:
            text = text.replace("\n\n\n", "\n\n")
    return text.strip()


def repair_columns(
    columns: Sequence[Sequence[Cell]], fonts: Iterable[str] = ()
) -> tuple[list[Sequence[Cell]], list[Conversion], list[bool]]:
    """The same columns with every text repaired, what was converted from an old encoding, and which hold texts only.

    A column in good order is returned itself: to copy 50,000 references costs as much as to look at their texts.
    """
    suspected = _fonts_suspect(fonts)
    samples = [list(islice(_texts(column), _SAMPLE_CELLS)) for column in columns]
    verdicts = [_detect(cells, suspected) for cells in samples]
    if found := next((one for one in verdicts if one), None):
        verdicts = [one or _follows(cells, found) for one, cells in zip(verdicts, samples, strict=True)]
    repaired: list[Sequence[Cell]] = []
    only_texts: list[bool] = []
    conversions: list[Conversion] = []
    for index, (column, encoding) in enumerate(zip(columns, verdicts, strict=True)):
        if encoding:
            column, conversion = _convert_column(column, index, encoding)
            if conversion:
                conversions.append(conversion)
            repaired.append([repair_text(one) if type(one) is str else one for one in column])
            only_texts.append(False)
            continue
        is_odd, of_texts = _look_over(column)
        repaired.append([repair_text(one) if type(one) is str and one else one for one in column] if is_odd else column)
        only_texts.append(of_texts)
    return repaired, conversions, only_texts


def _texts(column: Sequence[Cell]) -> Iterator[str]:
    return (one for one in column if type(one) is str and one)


def _look_over(column: Sequence[Cell]) -> tuple[bool, bool]:
    """(does any of the cells need repair, are they all texts?). A few looks over many of them joined; if one finds
    something, the regex."""
    cells = distinct(column)
    try:
        odd = [_is_batch_odd(one) for one in in_batches(cells)]  # type: ignore[arg-type]  # most hold texts only
        return any(odd), True
    except TypeError:
        return any(map(_is_batch_odd, in_batches(list(_texts(cells))))), False


def _is_batch_odd(cells: Sequence[str]) -> bool:
    if any(map(is_not, map(str.strip, cells), cells)):
        return True
    joined = MARK.join(cells)
    if not ("Ð" in joined or "ð" in joined or "\xad" in joined or ("_" in joined and "_x000" in joined)) and is_plain(
        codes_of(joined)
    ):
        return False
    return _ODD.search(joined) is not None or not unicodedata.is_normalized("NFC", joined)


def _convert_column(column: Sequence[Cell], index: int, encoding: str) -> tuple[list[Cell], Conversion | None]:
    change = _converter(encoding)
    cells: list[Cell] = []
    shown: tuple[str, str] | None = None
    for cell in column:
        if type(cell) is str and not _UNICODE_VIETNAMESE.search(cell):  # a cell already in Unicode stays as it is
            converted = change(cell)
            if converted != cell and (shown is None or len(shown[0]) < 20 <= len(cell)):
                shown = (cell, converted)
            cells.append(converted)
        else:
            cells.append(cell)
    return cells, Conversion(index, encoding, shown[0][:200], shown[1][:200]) if shown else None


def _converter(encoding: str) -> Callable[[str], str]:
    if encoding == "viqr":
        return viqr.convert
    charmap = _CHARMAPS[encoding]
    return lambda text: convert(text, charmap)


def _detect(cells: Sequence[str], suspected: str | None) -> str | None:
    """The old encoding of a column's texts, or None. A column of which half is in Unicode is never converted."""
    old = [one for one in cells if not _UNICODE_VIETNAMESE.search(one)]
    if len(old) < len(cells) * 0.5 or not old:
        return None
    sample = MARK.join(old)[:_SAMPLE_CHARS]
    if sample.isascii():
        return "viqr" if viqr.looks_like(sample) else None
    if not _LATIN1_LETTER.search(sample):
        return None
    if found := detect_encoding_by_content(sample, _CHARMAPS).encoding:
        return str(found)
    # A font somewhere in the file is little to go by: "Ghi chú" scores better as "Ghi chỳ" and is no better Vietnamese.
    if suspected and _gain(sample, suspected) > 0.05:
        return _if_better(sample, suspected)
    return None


def _follows(cells: Sequence[str], encoding: str) -> str | None:
    """A short column ("Căn cứ") beside one in an old encoding is in the same, if its words are then Vietnamese."""
    old = [one for one in cells if not _UNICODE_VIETNAMESE.search(one) and (encoding == "viqr" or not one.isascii())]
    if not old:
        return None
    return _if_better(" ".join(old)[:_SAMPLE_CHARS], encoding)


def _if_better(sample: str, encoding: str) -> str | None:
    """The encoding, if more words are Vietnamese once the sample is read in it."""
    return encoding if _syllables(_converter(encoding)(sample)) > _syllables(sample) else None


def _syllables(text: str) -> int:
    """How many words with a mark are well-formed Vietnamese syllables."""
    return sum(is_syllable(word) for word in _WORD.findall(text.lower()) if not word.isascii())


def _gain(sample: str, encoding: str) -> float:
    return float(vietnamese_score(_converter(encoding)(sample)) - vietnamese_score(sample))


def _fonts_suspect(fonts: Iterable[str]) -> str | None:
    for one in fonts:
        name = one.casefold()
        if name.startswith(".vn"):
            return "tcvn3"
        if name.startswith("vni-") or name.startswith("vni "):
            return "vni"
    return None
