"""The page's profile, set up by one command."""

import pytest

from bot.contracts.errors import GiveUp
from bot.contracts.messages import Choice
from connectors.messenger.profile import DEFAULT, FIELDS, Profile, profile_body, set_up
from tests.connectors.messenger.conftest import settings_for
from tests.simulators.messenger import MessengerSimulator


async def test_it_can_be_set_up_twice(meta: MessengerSimulator) -> None:
    for _ in range(2):
        await set_up(settings_for(meta))
    assert meta.profile["get_started"] == {"payload": "#start"}
    assert len(meta.profile["ice_breakers"][0]["call_to_actions"]) == 4
    assert meta.subscribed == set(FIELDS.split(","))


async def test_a_wrong_token_is_told_in_vietnamese(meta: MessengerSimulator) -> None:
    settings = settings_for(meta)
    meta.expire_tokens()
    with pytest.raises(GiveUp, match="kết nối lại trang"):
        await set_up(settings)


def test_the_greeting_says_that_a_machine_answers() -> None:
    assert "tự động" in DEFAULT.greeting


def test_links_open_and_other_items_come_back() -> None:
    menu = (Choice("Trang tra cứu", "https://1022.example/tra-cuu"), Choice("Gặp cán bộ", "#person"))
    items = profile_body(Profile("Chào", (), menu))["persistent_menu"][0]["call_to_actions"]
    assert [one["type"] for one in items] == ["web_url", "postback"]


@pytest.mark.parametrize(
    "profile",
    [
        Profile("x" * 161, (), ()),
        Profile("", (Choice("a", "b"),) * 5, ()),
        Profile("", (), (Choice("a", "b"),) * 21),
    ],
)
def test_what_meta_would_refuse_is_refused_here(profile: Profile) -> None:
    with pytest.raises(ValueError, match="≤"):
        profile_body(profile)
