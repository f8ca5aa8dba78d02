"""The training data itself: enough of it, no sentence under two intents, and the domain that fits it."""

import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from nlu_data.vi_nlu.text import clean, fold, has_diacritics

ROOT = Path(__file__).resolve().parents[2]
NLU = ROOT / "nlu_data" / "nlu"
FILES = sorted(NLU.glob("*.yml"))
MIN_EXAMPLES = 40
_ANNOTATION = re.compile(r"\[([^\]]+)\]\(\w+\)")


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def examples(kind: str) -> dict[str, list[str]]:
    """Examples of each item of one kind (intent, lookup, regex), annotations removed from intents."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in FILES:
        for item in load(path)["nlu"]:
            if kind in item:
                lines = [line.removeprefix("- ") for line in item["examples"].splitlines()]
                found[item[kind]] += [_ANNOTATION.sub(r"\1", one) if kind == "intent" else one for one in lines]
    return found


INTENTS = examples("intent")
DOMAIN = load(ROOT / "domain.yml")


@pytest.mark.parametrize("intent", DOMAIN["intents"])
def test_each_intent_has_enough_examples_with_and_without_diacritics(intent: str) -> None:
    said = INTENTS[intent]
    assert len(set(said)) >= MIN_EXAMPLES
    marked = sum(has_diacritics(one) for one in said)
    assert marked >= 10
    assert len(said) - marked >= 10


def test_no_sentence_stands_under_two_intents_or_twice() -> None:
    where: dict[str, set[str]] = defaultdict(set)
    for intent, said in INTENTS.items():
        for one in said:
            where[clean(one).lower()].add(intent)
    assert {one: intents for one, intents in where.items() if len(intents) > 1} == {}
    for intent, said in INTENTS.items():
        assert [one for one, times in Counter(said).items() if times > 1] == [], intent


def test_data_and_domain_name_the_same_intents() -> None:
    assert set(INTENTS) == set(DOMAIN["intents"])


def test_every_entity_can_be_found_by_a_pattern_or_a_list() -> None:
    assert set(examples("lookup")) | set(examples("regex")) == set(DOMAIN["entities"])


def test_places_before_and_after_july_2025_are_listed() -> None:
    places = set(examples("lookup")["place"])
    assert len(places) > 1500
    assert {"huyện hoằng hóa", "sầm sơn", "sam son", "thành phố thanh hóa"} <= places, "former districts"
    assert {"xã quảng thái", "phường hàm rồng", "phuong ham rong"} <= places, "communes"
    assert "dong tien" not in places, "Đông Tiến without marks is also đóng tiền"


@pytest.mark.parametrize(
    ("entity", "text", "value"),
    [
        ("ticket_code", "phiếu TH-7K3P9 xong chưa", "TH-7K3P9"),
        ("ticket_code", "th 7k3p9", "th 7k3p9"),
        ("ticket_code", "thanhha", None),
        ("phone", "gọi 0912 345 678", "0912 345 678"),
        ("phone", "+84912345678", "+84912345678"),
        ("phone", "cccd 038085001234", None),
        ("date", "từ tối qua", "từ tối qua"),
        ("date", "22h đêm qua", "22h đêm qua"),
        ("date", "từ ngày 5/6", "từ ngày 5/6"),
        ("date", "thu tuc tam tru", None),
        ("date", "năm nay 62 tuổi", None),
    ],
)
def test_patterns(entity: str, text: str, value: str | None) -> None:
    found = [one.group() for pattern in examples("regex")[entity] if (one := re.search(pattern, text, re.IGNORECASE))]
    assert (max(found, key=len) if found else None) == value


def test_guard_speaks_of_intents_that_exist_and_of_folded_words() -> None:
    guard = next(one for one in load(ROOT / "config.yml")["pipeline"] if one["name"].endswith("EvidenceGuard"))
    for table in ("confidence", "coverage", "coverage_named", "named", "unless"):
        assert set(guard[table]) - {"default"} <= set(DOMAIN["intents"])
    for table in ("named", "unless"):
        for pattern in guard[table].values():
            re.compile(pattern)
            words = re.findall(r"[^\W\d_]{3,}", re.sub(r"\\.|\[[^\]]*\]", " ", pattern))
            assert [one for one in words if fold(one) != one] == [], "the guard matches folded text"


def test_responses_are_used_and_promise_nothing_that_is_not_there() -> None:
    used = (ROOT / "nlu_data" / "dialogue" / "rules.yml").read_text(encoding="utf-8")
    used += "".join(one.read_text(encoding="utf-8") for one in (ROOT / "actions").glob("*.py"))
    asked = {f"utter_ask_{slot}" for slot in DOMAIN["forms"]["report_form"]["required_slots"]}
    unusable = {f"utter_{slot}_unusable" for slot in DOMAIN["forms"]["report_form"]["required_slots"]}
    for name, variants in DOMAIN["responses"].items():
        assert name in used or name in asked | unusable, name
        for button in (button for one in variants for button in one.get("buttons", ())):
            payload = button["payload"]
            assert payload == "bỏ qua" or payload.removeprefix("/") in DOMAIN["intents"]
