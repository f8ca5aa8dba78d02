"""The same question as different people would type it. Only to train and calibrate with; deterministic by seed."""

import random
from collections.abc import Sequence
from typing import Final

from faq.normalise import Abbreviations
from nlu_data.vi_nlu.text import strip_diacritics

FORMS: Final = ("plain", "bare", "short", "slips", "long")
_TELEX: Final = {
    "á": "as",
    "à": "af",
    "ả": "ar",
    "ã": "ax",
    "ạ": "aj",
    "â": "aa",
    "ê": "ee",
    "ô": "oo",
    "đ": "dd",
    "ơ": "ow",
}
_BEFORE: Final = (
    "Xin chào tổng đài. Nhà tôi ở miền núi, sóng yếu, ra phường mấy lượt chưa gặp được ai.",
    "Dạ thưa cán bộ, ông ngoại cháu già yếu đi lại khó khăn, cháu hỏi hộ ông:",
    "Sáng giờ em tìm hoài chưa thấy chỗ nào viết rõ, các anh chị cho em hỏi là",
    "Chuyện là tôi mới đi làm xa về, giấy tờ để lẫn lộn cả. Xin hỏi",
    "Kính thưa quý vị, tôi đại diện cho mấy hộ trong ngõ, bà con nhờ tôi hỏi giúp,",
    "hi bạn, cuối tuần chắc bận lắm nhỉ, tiện thể cho mình hỏi chút",
)
_AFTER: Final = (
    "Xin cảm ơn tổng đài nhiều.", "cháu cảm ơn ạ", "Mong cán bộ chỉ dẫn sớm để tôi còn sắp xếp.", "nhờ mn giúp với",
    "tks bạn nha",
    "Chúc anh chị mạnh khỏe.",
)  # fmt: skip


def rewrite(text: str, form: str, table: Abbreviations, seed: str) -> str:
    """`text` in one of FORMS."""
    chance = random.Random(f"{seed}/{form}")
    match form:
        case "bare":
            return strip_diacritics(text)
        case "short":
            return _shorten(text, table, chance)
        case "slips":
            return " ".join(_slip(word, chance) if chance.random() < 0.35 else word for word in text.split())
        case "long":
            return f"{chance.choice(_BEFORE)} {text[:1].lower()}{text[1:]} {chance.choice(_AFTER)}"
    return text


def _shorten(text: str, table: Abbreviations, chance: random.Random) -> str:
    """Some words in short forms, and half the time no marks on the rest."""
    shorts: dict[str, list[str]] = {}
    for short, meanings in table.meanings.items():
        for meaning in meanings[:2]:
            shorts.setdefault(meaning, []).append(short)
    words = text.lower().split()
    out: list[str] = []
    at = 0
    while at < len(words):
        for width in (3, 2, 1):
            found = shorts.get(" ".join(words[at : at + width]))
            if found and chance.random() < 0.6:
                out.append(chance.choice(found))
                at += width
                break
        else:
            out.append(words[at])
            at += 1
    line = " ".join(out)
    return strip_diacritics(line) if chance.random() < 0.5 else line


def _slip(word: str, chance: random.Random) -> str:
    """One slip of the fingers."""
    if len(word) < 2:
        return word
    at = chance.randrange(len(word) - 1)
    kind = chance.choice(("swap", "drop", "double", "keys", "bare"))
    if kind == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "drop" and len(word) > 3:
        return word[:at] + word[at + 1 :]
    if kind == "double":
        return word[:at] + word[at] + word[at:]
    if kind == "keys":
        return "".join(_TELEX.get(letter, letter) for letter in word)
    return strip_diacritics(word)


def every_form(texts: Sequence[str], table: Abbreviations) -> list[tuple[int, str]]:
    """(position in `texts`, rewritten text) for each text in each form."""
    return [(at, rewrite(text, form, table, text)) for at, text in enumerate(texts) for form in FORMS]
