"""Vietnamese text as people type it, made comparable. Standard library only, Python 3.10 and later.

Rasa's tokenizer, the answer search and the emergency words all read text through this module, so that one message never
means two things. Nothing here is stored or shown: the citizen's own words are.

The order in which a reader usually wants these: `clean` (code points), `place_tones` (hoà → hòa), `syllables` (words),
`fold_repeats`, `strip_diacritics`; `fold` does the last steps at once for matching fixed words.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

TONES = "\u0300\u0301\u0303\u0309\u0323"
"""Combining grave, acute, tilde, hook above, dot below: huyền, sắc, ngã, hỏi, nặng."""

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_LOOK_ALIKES = str.maketrans(
    {
        **dict(zip("аеорсухіјѕԁһӏԛԝкмтвнАЕОРСУХІЈЅКМТВН", "aeopcyxijsdhlqwkmtbhAEOPCYXIJSKMTBH", strict=True)),
        **dict(zip("οαενικρτυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oaevikptuABEZHIKMNOPTYX", strict=True)),
        "ð": "đ", "Ð": "Đ", "Ɖ": "Đ", "ɖ": "đ", "ƌ": "đ",
        "ı": "i", "ɑ": "a", "ɡ": "g", "‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-",
        "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "…": ".", "\u00a0": " ", "\u3000": " ",
    }
)  # fmt: skip
_STYLED = re.compile("[\uff01-\uff5e\u2460-\u24ff\U0001d400-\U0001d7ff\u2100-\u214f\ufb00-\ufb06\U0001f130-\U0001f169]")
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_BLANKS = re.compile(r"\s+")
_LONG_RUN = re.compile(r"([^\W\d_])\1{2,}", re.UNICODE)
_ANY_RUN = re.compile(r"([^\W\d_])\1+", re.UNICODE)
_PUNCTUATION_RUN = re.compile(r"([!?.,;:~\-)(…])[!?.,;:~\-)(…]+")
_STROKES = str.maketrans("đĐ", "dD")


def clean(text: str) -> str:
    """The same words in plain code points: NFC, no invisible characters, no look-alikes, no emoji, single blanks.

    Case, diacritics and punctuation stay; runs of punctuation become their first character.
    """
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text)).translate(_LOOK_ALIKES)
    text = _STYLED.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)
    text = "".join(" " if unicodedata.category(one) in _NO_TEXT else one for one in text)
    text = _PUNCTUATION_RUN.sub(r"\1", unicodedata.normalize("NFC", text))
    return _BLANKS.sub(" ", text).strip()


_NO_TEXT = frozenset({"So", "Sk", "Cs", "Co", "Cn", "Cc", "Cf"})


def strip_diacritics(text: str) -> str:
    """ "Đường" → "Duong". Case stays."""
    if text.isascii():
        return text
    marked = unicodedata.normalize("NFD", text.translate(_STROKES))
    return "".join(one for one in marked if not unicodedata.combining(one))


def fold_repeats(text: str, *, longest: int = 1) -> str:
    """Letters drawn out: "quááááá" → "quá" with `longest=1` for runs of three and more.

    A doubled letter stays ("boong", "facebook", Telex' "dd"); digits are never touched.
    """
    return _LONG_RUN.sub(lambda found: found.group(1) * longest, text)


def fold(text: str) -> str:
    """For matching fixed words in any spelling: lower case, no diacritics, no repeats, words parted by one blank.

    "KHÓ   thởởở!!" → "kho tho". Both sides of a comparison must be folded ("boong" becomes "bong").
    """
    plain = strip_diacritics(clean(text).lower())
    return " ".join(_ANY_RUN.sub(r"\1", word) for word in _WORD.findall(plain))


def syllables(text: str) -> list[str]:
    """Words and numbers, lower case, tones in the usual place: "Hoà Bình: 12h30" → ["hòa", "bình", "12h30"]."""
    return [place_tones(word) for word in _WORD.findall(clean(text).lower())]


def has_diacritics(text: str) -> bool:
    """Does the text carry any Vietnamese mark?"""
    return strip_diacritics(text) != unicodedata.normalize("NFC", text)


# --- syllables -------------------------------------------------------------------------------------------------------

_ONSETS = (
    *re.findall(r"\w+", "ngh ch gh gi kh ng nh ph qu th tr b c d đ g h k l m n p r s t v x"),
    "",
)  # longest first
_RHYMES = frozenset(
    re.findall(
        r"\w+",
        """a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
        e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu
        i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu
        o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong ooc oong
        op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
        u ua uân uâng uât uây uc uê uêch uênh ui um un ung uôc uôi uôm uôn uông uôt uơ up ut uy uya uych uyên uyêt
        uyn uynh uyp uyt uyu
        ư ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y yêm yên yêng yêt yêu""",
    )
)
_PLAIN_RHYMES = frozenset(strip_diacritics(one) for one in _RHYMES)
_STOPS = ("c", "p", "t", "ch")
_VOWELS = frozenset("aăâeêioôơuưy")
_MARKED = "ăâêôơư"


def _take_tone(word: str) -> tuple[str, str]:
    """The word without its tone, and the tone's combining mark ("" for none)."""
    tone, letters = "", []
    for one in unicodedata.normalize("NFD", word):
        if one in TONES:
            tone = one
        else:
            letters.append(one)
    return unicodedata.normalize("NFC", "".join(letters)), tone


def _put_tone(bare: str, tone: str) -> str:
    """`bare` with the tone where Vietnamese spelling usually has it: hòa, thúy, khuỷu, được, quý, giá."""
    if not tone:
        return bare
    start = 0
    if len(bare) > 2 and bare[:2] in ("qu", "gi") and bare[2] in _VOWELS:
        start = 2
    spots = [at for at in range(start, len(bare)) if bare[at] in _VOWELS]
    if not spots:
        return bare
    run = [spots[0]]
    for at in spots[1:]:
        if at != run[-1] + 1:
            break
        run.append(at)
    marked = [at for at in run if bare[at] in _MARKED]
    if marked:
        at = marked[-1]
    elif len(run) == 1:
        at = run[0]
    elif len(run) == 2:
        at = run[1] if run[1] + 1 < len(bare) else run[0]
    else:
        at = run[1]
    return unicodedata.normalize("NFC", bare[: at + 1] + tone + bare[at + 1 :])


@lru_cache(maxsize=20000)
def place_tones(word: str) -> str:
    """One lower-case word with its tone in the usual place: "hoà" → "hòa", "đựơc" → "được". Other words stay."""
    if word.isascii():
        return word
    bare, tone = _take_tone(word)
    if not tone or not _is_bare_syllable(bare):
        return word
    return _put_tone(bare, tone)


def _is_bare_syllable(bare: str, rhymes: frozenset[str] = _RHYMES) -> bool:
    if bare in ("gi", "quôc"):
        return True
    return any(bare.startswith(onset) and bare[len(onset) :] in rhymes for onset in _ONSETS)


@lru_cache(maxsize=20000)
def is_syllable(word: str) -> bool:
    """Could this lower-case word, marks and all, be a Vietnamese syllable? ("được" yes, "đựot", "zoom" no)."""
    bare, tone = _take_tone(word)
    if not _is_bare_syllable(bare):
        return False
    return not bare.endswith(_STOPS) or tone in ("\u0301", "\u0323")


@lru_cache(maxsize=20000)
def is_plain_syllable(word: str) -> bool:
    """Could this lower-case word be a Vietnamese syllable written without its marks? ("duoc" yes, "dduwowjc" no)."""
    return word.isascii() and _is_bare_syllable(word, _PLAIN_RHYMES)


# --- keystrokes that stayed keystrokes -------------------------------------------------------------------------------

_TELEX_TONES = {"f": "\u0300", "s": "\u0301", "x": "\u0303", "r": "\u0309", "j": "\u0323"}
_VNI_TONES = {"2": "\u0300", "1": "\u0301", "4": "\u0303", "3": "\u0309", "5": "\u0323"}
_VNI_MARKS = {"6": {"a": "â", "e": "ê", "o": "ô"}, "7": {"o": "ơ", "u": "ư"}, "8": {"a": "ă"}, "9": {"d": "đ"}}


@lru_cache(maxsize=20000)
def untype_telex(word: str) -> str | None:
    """Telex keys left in a word: "dduwowjc" → "được", "tieem" → "tiêm". None if that gives no Vietnamese syllable.

    Keys may come right after their letter or at the end of the word, and some marks may already be in place.
    """
    bare, tone = _take_tone(word)
    out: list[str] = []
    seen_vowel = False
    for key in bare:
        if key in _TELEX_TONES and seen_vowel and (not tone or tone == _TELEX_TONES[key]):
            tone = _TELEX_TONES[key]
            continue
        if key == "z" and seen_vowel:
            tone = ""
            continue
        if key == "w":
            if not _horn(out):
                out.append("ư")
                seen_vowel = True
            continue
        if key == "d" and out and out[0] == "d" and (len(out) == 1 or seen_vowel):
            out[0] = "đ"
            continue
        if key in "aeo" and _circumflex(out, key):
            continue
        out.append(key)
        seen_vowel = seen_vowel or key in _VOWELS
    return _as_syllable("".join(out), tone)


def _horn(out: list[str]) -> bool:
    """Apply Telex' "w" to the letters so far: ươ for "uo", else the last of u, o, a."""
    for at in range(len(out) - 1, -1, -1):
        if out[at] == "o" and at and out[at - 1] in "uư" and not (at > 1 and out[at - 2] == "q"):
            out[at - 1 : at + 1] = ["ư", "ơ"]
            return True
        if out[at] in "uoa":
            out[at] = {"u": "ư", "o": "ơ", "a": "ă"}[out[at]]
            return True
        if out[at] == "ơ" or out[at] == "ư":
            return True
    return False


def _circumflex(out: list[str], key: str) -> bool:
    """Apply a doubled a, e, o: directly after its like, or at the end of the word ("tieme" → "tiêm")."""
    hat = {"a": "â", "e": "ê", "o": "ô"}[key]
    for at in range(len(out) - 1, -1, -1):
        if out[at] == key or out[at] == hat:
            out[at] = hat
            return True
        if out[at] in _VOWELS:
            return False
    return False


@lru_cache(maxsize=20000)
def untype_vni(word: str) -> str | None:
    """VNI keys left in a word: "d9u7o7c5" → "được", "tie6m" → "tiêm". None if that gives no Vietnamese syllable."""
    bare, tone = _take_tone(word)
    out: list[str] = []
    for key in bare:
        if key in _VNI_TONES:
            tone = _VNI_TONES[key]
        elif key in _VNI_MARKS:
            marks = _VNI_MARKS[key]
            for at in range(len(out) - 1, -1, -1):
                if out[at] in marks:
                    if key == "7" and out[at] == "o" and at and out[at - 1] == "u" and out[at - 2 : at - 1] != ["q"]:
                        out[at - 1] = "ư"
                    out[at] = marks[out[at]]
                    break
            else:
                if not (key == "7" and "ư" in out):
                    return None
        else:
            out.append(key)
    return _as_syllable("".join(out), tone)


def _as_syllable(bare: str, tone: str) -> str | None:
    if not _is_bare_syllable(bare):
        bare = bare.replace("uơ", "ươ").replace("ưo", "ươ")
    word = _put_tone(bare, tone)
    if is_syllable(word) or (not tone and _is_bare_syllable(bare)):
        return word
    return None


def untype(word: str) -> str:
    """`word` with left-over Telex or VNI keys applied where it is not a Vietnamese word as it stands; else `word`.

    "f0", "b2", "covid19" and "zalo" stay: a result must be a syllable, and a tone digit alone is too little to tell.
    """
    if len(word) < 3 or is_syllable(word) or is_plain_syllable(word):
        return word
    if word.isalpha():
        return untype_telex(word) or word
    if word[0].isalpha() and sum(one.isdigit() for one in word) <= 4 and any(one in "6789" for one in word):
        return untype_vni(word) or word
    return word


def expand(words: list[str], table: Mapping[str, str]) -> list[str]:
    """Words with abbreviations and teencode replaced by `table` (longest run of up to four words first).

    Keys are lower-case words parted by single blanks; values likewise. A key matches only as written.
    """
    out: list[str] = []
    at = 0
    while at < len(words):
        for width in range(min(4, len(words) - at), 0, -1):
            found = table.get(" ".join(words[at : at + width]))
            if found is not None:
                out.extend(found.split())
                at += width
                break
        else:
            out.append(words[at])
            at += 1
    return out
