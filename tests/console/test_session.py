"""Who is logged in, and who may post: values only."""

import pytest
from fastapi import Request, Response
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts.ids import AccountId
from console.pages.login import inner_path
from console.session import (
    COOKIE,
    FAILURES_PER_ADDRESS,
    AddressLimit,
    Sessions,
    SignedIn,
    is_same_origin,
    say_device,
)
from handoff.logins import LoginId


def request_with(cookie: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", f"{COOKIE}={cookie}".encode())]})


def cookie_of(sessions: Sessions, account: int) -> str:
    response = Response()
    sessions.begin(response, AccountId(account), LoginId(3))
    return response.headers["set-cookie"]


def test_the_cookie_names_the_account_and_keeps_scripts_and_other_sites_out() -> None:
    sessions = Sessions("secret", https=True)
    set_cookie = cookie_of(sessions, 7)
    value = set_cookie.split(";")[0].removeprefix(f"{COOKIE}=")
    assert sessions.find_login(request_with(value)) == SignedIn(AccountId(7), LoginId(3))
    assert {"HttpOnly", "SameSite=lax", "Secure", "Path=/"} <= {one.strip() for one in set_cookie.split(";")}


def test_a_cookie_signed_by_somebody_else_is_nobody() -> None:
    value = cookie_of(Sessions("other", https=False), 7).split(";")[0].removeprefix(f"{COOKIE}=")
    assert Sessions("secret", https=False).find_login(request_with(value)) is None


@given(st.text(st.characters(codec="latin-1", exclude_characters=";\r\n\x00"), max_size=200))
def test_no_made_up_cookie_logs_in(value: str) -> None:
    request = Request({"type": "http", "headers": [(b"cookie", f"{COOKIE}={value}".encode("latin-1"))]})
    assert Sessions("secret", https=False).find_login(request) is None


@pytest.mark.parametrize(
    ("origin", "hosts", "same"),
    [
        ("https://1022.example.vn", ("1022.example.vn", None), True),
        ("http://127.0.0.1:8000", ("127.0.0.1:8000", None), True),
        ("https://1022.example.vn", ("10.0.0.5:8000", "1022.example.vn, proxy"), True),
        ("https://evil.example", ("1022.example.vn", None), False),
        ("https://1022.example.vn.evil.example", ("1022.example.vn", None), False),
        ("null", ("1022.example.vn", None), False),
        ("", ("", None), False),
        (None, ("1022.example.vn", None), True),
    ],
)
def test_only_our_own_pages_are_the_same_origin(origin: str | None, hosts: tuple[str | None, ...], same: bool) -> None:
    assert is_same_origin(origin, *hosts) is same


def test_an_address_that_fails_too_often_waits_and_others_do_not() -> None:
    moment = 1000.0
    limit = AddressLimit(clock=lambda: moment)
    for _ in range(FAILURES_PER_ADDRESS):
        assert limit.is_open("192.0.2.1")
        limit.record_failure("192.0.2.1")
    assert not limit.is_open("192.0.2.1")
    assert limit.is_open("192.0.2.2")
    moment += 901
    assert limit.is_open("192.0.2.1")


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/", "/console\\@evil", "/consoles", ""])
def test_the_login_never_leads_to_another_site(wanted: str) -> None:
    assert inner_path(wanted) is None


def test_the_login_leads_back_to_the_page_that_was_asked_for() -> None:
    assert inner_path("/console/tickets/TH-7K3P9") == "/console/tickets/TH-7K3P9"


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36",
            "Chrome trên Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/141.0 Safari/537.36 Edg/141.0", "Edge trên Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari trên iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/141.0 Mobile Safari/537.36", "Chrome trên Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Thiết bị lạ"),
    ],
)
def test_a_browser_is_known_again_by_a_few_words(agent: str, said: str) -> None:
    assert say_device(agent) == said


@given(st.text(max_size=300))
def test_no_browser_can_smuggle_markup_into_its_name(agent: str) -> None:
    assert not set(say_device(agent)) & set("<>\"'\n")
    assert say_device(agent)
