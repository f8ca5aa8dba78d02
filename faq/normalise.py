"""From what a citizen typed to words that can be searched for. Pure, apart from reading the table of abbreviations."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

from bot.contracts.errors import Refused
from nlu_data.vi_nlu.text import clean, fold_repeats, is_plain_syllable, is_syllable, place_tones, strip_diacritics

_WORD: Final = re.compile(r"[^\W_]+", re.UNICODE)
_URL: Final = re.compile(r"(https?://|www\.)\S+", re.IGNORECASE)
FUNCTION_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        """a ai anh bao bác bạn bị bởi các cái còn có cần cháu chị chúng chưa chỉ cho cô của cùng cũng con do
        dạ đã đang để đi đó đây đâu đến được em gì giúp giờ hay hoặc hãy hỏi khi không kia là làm lại lên
        lúc mà mấy mình muốn một nào này nay nên nếu người nhé như những nhưng nữa ở phải qua quá ra rằng
        rất rồi sao sau sẽ tại thế thì theo tôi trên trong tới từ vào vậy và vẫn về vì việc với xin ạ à ơi à
        ừ vâng lâu nhiêu nhiều xong biết thể""",
    )
)
"""Words that carry grammar more than subject."""
FUNCTION_WEIGHT: Final = 0.2
_Y_END: Final = re.compile(r"\b([hklmst])y\b")


def words_of(text: str) -> list[str]:
    """Lower-case words of a text as written: clean code points, tones in place, no letters drawn out."""
    plain = _URL.sub(" ", clean(text).lower())
    return [place_tones(word) for word in _WORD.findall(fold_repeats(plain))]


@lru_cache(maxsize=1 << 16)
def key_of(word: str) -> str:
    """The form in which words are compared: no diacritics, one i ("kỹ", "kĩ" → "ki")."""
    return _Y_END.sub(r"\1i", strip_diacritics(word))


@dataclass(frozen=True, slots=True)
class Abbreviations:
    """What short forms may stand for; several meanings are kept in the table's order."""

    meanings: Mapping[str, tuple[str, ...]]
    longest: int
    """Words in the longest short form."""

    certain: Mapping[str, tuple[str, ...]]
    """Short forms with one meaning that are no Vietnamese word themselves, and the words they stand for."""

    def of(self, short: str) -> tuple[str, ...]:
        """Full forms that `short` may stand for, likeliest first; empty if it is none."""
        return self.meanings.get(short, ())


def parse_abbreviations(source: str) -> Abbreviations:
    """The staff's table (nlu_data/abbreviations.yml). Raises Refused, naming what is wrong."""
    try:
        groups = yaml.safe_load(source) or {}
    except yaml.YAMLError as error:
        raise Refused(problem=f"Bảng viết tắt không đọc được: {error}") from error
    if not isinstance(groups, dict):
        raise Refused(problem="Bảng viết tắt phải gồm các nhóm, mỗi nhóm là danh sách “nghĩa đầy đủ: [viết tắt, …]”.")
    meanings: dict[str, list[str]] = {}
    for group, table in groups.items():
        if not isinstance(table, dict):
            raise Refused(problem=f"Nhóm “{group}” của bảng viết tắt phải là danh sách “nghĩa đầy đủ: [viết tắt, …]”.")
        for full, shorts in table.items():
            if not isinstance(shorts, list):
                raise Refused(problem=f"“{full}” trong bảng viết tắt thiếu danh sách cách viết tắt trong ngoặc vuông.")
            meaning = " ".join(words_of(str(full)))
            for short in _forms(shorts):
                if short != meaning and meaning not in meanings.setdefault(short, []):
                    meanings[short].append(meaning)
    table_ = {short: tuple(fulls) for short, fulls in meanings.items() if fulls}
    certain = {
        short: tuple(fulls[0].split())
        for short, fulls in table_.items()
        if len(fulls) == 1 and not is_plain_syllable(short) and not is_syllable(short)
    }
    return Abbreviations(table_, max((len(short.split()) for short in table_), default=1), certain)


def canonical(words: Sequence[str], table: Abbreviations) -> tuple[str, ...]:
    """`words` with every certain short form written out: banks and questions then use the same words."""
    out: list[str] = []
    at = 0
    while at < len(words):
        for width in range(min(table.longest, len(words) - at), 0, -1):
            full = table.certain.get(" ".join(words[at : at + width]))
            if full is not None:
                out.extend(full)
                at += width
                break
        else:
            out.append(words[at])
            at += 1
    return tuple(out)


def load_abbreviations(path: Path) -> Abbreviations:
    """The table in that file. Raises Refused."""
    return parse_abbreviations(path.read_text(encoding="utf-8"))


def _forms(shorts: Iterable[object]) -> Iterable[str]:
    """Each short form as it will be met among words."""
    for short in shorts:
        yield " ".join(words_of(str(short)))


def is_telling(word: str) -> bool:
    """Does the word say what a question is about?"""
    return word not in FUNCTION_WORDS


def weight_of(word: str) -> float:
    """How much a word counts when asking what was covered: words of grammar little."""
    return FUNCTION_WEIGHT if word in FUNCTION_WORDS else 1.0


def n_grams(words: Sequence[str], n: int) -> list[str]:
    """Runs of `n` words, parted by "_"."""
    return ["_".join(words[at : at + n]) for at in range(len(words) - n + 1)]


def letter_grams(words: Sequence[str], sizes: Sequence[int] = (3, 4)) -> list[str]:
    """Runs of letters over the words and the blanks between them: what a typo can't change all at once."""
    line = f" {' '.join(words)} "
    return [line[at : at + size] for size in sizes for at in range(len(line) - size + 1)]
