"""How well the emergency words do on our own sentences: `python -m tests.bot.conversation.measure`.

Every sentence is tried as written, without diacritics, in capitals, drawn out, in teencode, with a slip of the finger,
with half its diacritics, with Telex keys that stayed keys, and in teencode without diacritics. Half of the sentences,
by a hash, are held out: they are not looked at while words are added.
"""

import argparse
import hashlib
import re
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.conversation.emergency import EmergencyKind, find_emergency
from nlu_data.vi_nlu.text import strip_diacritics

SENTENCES = Path(__file__).with_name("emergencies.yml")
KINDS = {
    "medical": {EmergencyKind.MEDICAL},
    "suicide": {EmergencyKind.SUICIDE, EmergencyKind.MEDICAL},
    "fire": {EmergencyKind.FIRE},
    "crime": {EmergencyKind.CRIME},
    "drowning": {EmergencyKind.FIRE, EmergencyKind.MEDICAL},
    "poisoning": {EmergencyKind.MEDICAL},
    "accident": {EmergencyKind.MEDICAL, EmergencyKind.FIRE},
    "child": {EmergencyKind.MEDICAL, EmergencyKind.FIRE, EmergencyKind.CRIME},
    "birth": {EmergencyKind.MEDICAL},
}
"""Which first help is right for a group: 114 pulls people out of water, 115 treats them; a lost child is for 113;
for somebody who took poison 115 comes first either way."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of our own and what it is."""

    text: str
    group: str
    emergency: bool
    looked_at: bool = False
    """Known to whoever chose the words, so never held out."""

    @property
    def held_out(self) -> bool:
        """Half of them, and always the same half."""
        return not self.looked_at and hashlib.sha256(self.text.encode()).digest()[0] % 2 == 0


def load_sentences() -> list[Sentence]:
    """All of emergencies.yml."""
    data = yaml.safe_load(SENTENCES.read_text(encoding="utf-8"))
    return [
        Sentence(text, group, name != "harmless", looked_at=name == "later")
        for name in ("emergencies", "later", "harmless")
        for group, texts in data[name].items()
        for text in texts
    ]


_TEENCODE = {"không": "k", "được": "đc", "quá": "wá", "gì": "j", "với": "vs", "rồi": "r", "người": "ng", "em": "e"}


def spelled(text: str) -> Iterator[tuple[str, str]]:
    """The ways people would write `text`, by name."""
    yield "as written", text
    yield "no diacritics", strip_diacritics(text)
    yield "capitals", text.upper()
    yield "drawn out", re.sub(r"(\w)(\W*)$", r"\1\1\1\1\2", text) + "!!!"
    yield "teencode", " ".join(_TEENCODE.get(word.lower(), word) for word in text.split())
    yield "slip", _slip(text)
    yield "half the marks", " ".join(one if _picked(text, one, 2) else strip_diacritics(one) for one in text.split())
    yield "Telex keys", " ".join(_keys(one) if _picked(text, one, 3) else one for one in text.split())
    yield "bare teencode", strip_diacritics(" ".join(_TEENCODE.get(word.lower(), word) for word in text.split()))


def _picked(text: str, word: str, one_in: int) -> bool:
    """One word of `one_in`, and always the same ones."""
    return hashlib.sha256((text + word).encode()).digest()[3] % one_in == 0


_TELEX = {"\u0300": "f", "\u0301": "s", "\u0303": "x", "\u0309": "r", "\u0323": "j", "\u031b": "w", "\u0306": "w"}


def _keys(word: str) -> str:
    """ "được" → "dduwowcj": what is on the screen when the Vietnamese keyboard was off."""
    keys, tone = "", ""
    for one in unicodedata.normalize("NFD", word.replace("đ", "dd").replace("Đ", "DD")):
        key = keys[-1:] if one == "\u0302" else _TELEX.get(one, one)
        keys, tone = (keys, key) if key in "fsxrj" and unicodedata.combining(one) else (keys + key, tone)
    return keys + tone


def _slip(text: str) -> str:
    """Two neighbouring letters swapped in one word, picked by a hash; a word that short can't be misread stays."""
    words = strip_diacritics(text).split()
    long_ones = [at for at, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if not long_ones:
        return text
    digest = hashlib.sha256(text.encode()).digest()
    at = long_ones[digest[1] % len(long_ones)]
    letter = 1 + digest[2] % (len(words[at]) - 2)
    word = words[at]
    words[at] = word[:letter] + word[letter + 1] + word[letter] + word[letter + 2 :]
    return " ".join(words)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A sentence that was misjudged, and how it was written."""

    sentence: Sentence
    spelling: str
    written: str
    what: str


def mistakes(*, held_out: bool) -> tuple[dict[str, tuple[int, int, int]], list[Mistake]]:
    """Per group: tried, misjudged, given the wrong number to call; and the misjudged ones."""
    counts: dict[str, tuple[int, int, int]] = {}
    found: list[Mistake] = []
    for one in load_sentences():
        if one.held_out is not held_out:
            continue
        for spelling, written in spelled(one.text):
            name = f"{'emergency' if one.emergency else 'harmless'}: {one.group}"
            tried, wrong, other = counts.get(name, (0, 0, 0))
            emergency = find_emergency(written)
            misjudged = (emergency is not None) is not one.emergency
            misdirected = emergency is not None and one.emergency and emergency.kind not in KINDS[one.group]
            if misjudged or misdirected:
                what = "missed" if emergency is None else f"{emergency.kind}: {emergency.matched}"
                found.append(Mistake(one, spelling, written, what))
            counts[name] = (tried + 1, wrong + misjudged, other + misdirected)
    return counts, found


def main() -> None:
    """Print the table of docs/emergencies.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", choices=["tuning", "held-out"], help="also print what was misjudged in this half")
    asked = parser.parse_args()
    for name, held_out in (("tuning", False), ("held-out", True)):
        counts, found = mistakes(held_out=held_out)
        print(f"\n| {name} half | tried | misjudged | wrong number |\n|---|---:|---:|---:|")
        for group, (tried, wrong, other) in counts.items():
            print(f"| {group} | {tried} | {wrong} | {other} |")
        for label in ("emergency", "harmless"):
            rows = [row for group, row in counts.items() if group.startswith(label)]
            tried, wrong, other = (sum(column) for column in zip(*rows, strict=True))
            share = f"{100 * wrong / tried:.2f} %"
            print(f"| **all {label}** | {tried} | {wrong} ({share}) | {other} |")
            by_spelling = {
                spelling: sum(
                    one.spelling == spelling and one.sentence.emergency is (label == "emergency") for one in found
                )
                for spelling, _ in spelled("")
            }
            print(f"|   by spelling | {', '.join(f'{key}: {value}' for key, value in by_spelling.items())} | | |")
        if asked.show == name:
            for one in found:
                print(f"  {one.sentence.group:12} {one.spelling:14} {one.written!r} -> {one.what}")
    texts = [written for one in load_sentences() for _, written in spelled(one.text)]
    started = time.perf_counter()
    for text in texts:
        find_emergency(text)
    print(f"\n{1e6 * (time.perf_counter() - started) / len(texts):.0f} µs a message")


if __name__ == "__main__":
    main()
