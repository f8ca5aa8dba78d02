"""The pure parts: texts, limits, tokens."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.contracts.messages import Inbound, Kind
from connectors.webchat.limits import TokenBuckets, network_of
from connectors.webchat.parse import MessageRefused, clean_code, clean_text, parse_message
from connectors.webchat.sessions import Sessions
from connectors.webchat.settings import WebchatSettings

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ANY_TEXT = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=200)


def parsed(text: str, payload: str | None = None, client_id: str = "m1") -> Inbound:
    return parse_message("w1", client_id, text, payload, now=NOW, max_chars=4000)


@given(ANY_TEXT)
def test_cleaned_text_can_be_stored_and_cleaning_again_changes_nothing(text: str) -> None:
    cleaned = clean_text(text)
    assert "\x00" not in cleaned
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert clean_text(cleaned) == cleaned


@given(st.text(alphabet="aàáảãạăâđêôơưỳ 0123456789\n.,?", max_size=300))
def test_vietnamese_text_keeps_every_letter(text: str) -> None:
    assert clean_text(text) == text.strip()


def test_typed_message_becomes_text_and_tapped_one_becomes_button() -> None:
    typed = parsed(" Xin chào\r\n ạ ")
    assert (typed.kind, typed.text, typed.provider_message_id) == (Kind.TEXT, "Xin chào\n ạ", "w1:m1")
    tapped = parsed("Gặp cán bộ", payload="person")
    assert (tapped.kind, tapped.payload) == (Kind.BUTTON, "person")


@pytest.mark.parametrize(
    ("text", "payload", "client_id", "said"),
    [
        ("a" * 4001, None, "m", "dài 4.001 ký tự, tối đa 4.000"),
        (" \x00\n", None, "m", "đang trống"),
        ("a", None, "", "client_message_id"),
        ("a", None, "m" * 129, "client_message_id"),
        ("a", "p" * 1001, "m", "payload"),
    ],
)
def test_refusals_say_what_to_do(text: str, payload: str | None, client_id: str, said: str) -> None:
    with pytest.raises(MessageRefused) as refusal:
        parsed(text, payload, client_id)
    assert said in refusal.value.message_vi


def test_longest_text_is_counted_in_characters_not_bytes() -> None:
    assert len(parsed("ệ" * 4000).text) == 4000


@pytest.mark.parametrize("typed", ["TH-7K3P9", " th-7k3p9 ", "TH – 7k3p9", "th‑7K3P9"])
def test_ticket_code_is_understood_however_it_is_typed(typed: str) -> None:
    assert clean_code(typed) == "TH-7K3P9"


@given(st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=60), st.integers(1, 5))
def test_a_sender_never_gets_more_than_burst_and_rate_allow(pauses: list[float], burst: int) -> None:
    buckets, at, start, taken = TokenBuckets(burst, 2.0), 100.0, 100.0, 0
    for pause in pauses:
        at += pause
        wait = buckets.take("one", at)
        taken += not wait
        assert taken <= burst + 2.0 * (at - start) + 1e-6
        if wait:  # the promised wait is enough, and another sender is not held up
            assert buckets.take(f"other{at}", at) == 0.0
            at += wait + 1e-6
            assert buckets.take("one", at) == 0.0
            taken += 1


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.113.1.9", "203.113.1.9"),
        ("2405:4800:1:2:aaaa::1", "2405:4800:1:2::/64"),
        ("2405:4800:1:2:bbbb::9", "2405:4800:1:2::/64"),
        ("::ffff:203.113.1.9", "203.113.1.9"),
        ("::1", "::1"),
        ("", ""),
    ],
)
def test_limits_count_by_household(host: str, network: str) -> None:
    assert network_of(host) == network


def test_token_names_one_citizen_and_cannot_be_changed() -> None:
    sessions = Sessions(SecretStr("one"), days=1)
    token = sessions.create()
    citizen = sessions.find_citizen(token)
    assert citizen is not None
    assert sessions.find_citizen(sessions.create()) != citizen
    assert sessions.find_citizen(token.replace(citizen, "w" + "0" * 32)) is None
    assert Sessions(SecretStr("two"), days=1).find_citizen(token) is None
    assert sessions.find_citizen("chữ") is None


def test_old_token_is_not_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(SecretStr("one"), days=1)
    token = sessions.create()
    late = time.time() + 2 * 86_400
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: late)
    assert sessions.find_citizen(token) is None


def test_settings_read_lists_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBCHAT_ALLOWED_ORIGINS", "https://thanhhoa.gov.vn, https://a.vn")
    assert WebchatSettings(_env_file=None).allowed_origins == ("https://thanhhoa.gov.vn", "https://a.vn")
