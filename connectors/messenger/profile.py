"""The page's Messenger profile and subscriptions, set up by one command."""

from dataclasses import dataclass
from typing import Any

from bot.contracts.messages import Choice
from connectors.messenger.errors import failure_for
from connectors.messenger.graph import Graph, GraphRefused
from connectors.messenger.parse import GET_STARTED
from connectors.messenger.settings import MessengerSettings
from connectors.wire import new_client

FIELDS = (
    "messages,messaging_postbacks,message_deliveries,message_reads,message_echoes,message_reactions,message_edits,"
    "messaging_referrals,messaging_handovers,standby,messaging_policy_enforcement,feed"
)
MAX_ICE_BREAKERS = 4
MAX_MENU = 20
MAX_GREETING = 160


@dataclass(frozen=True, slots=True)
class Profile:
    """What a citizen sees before the first word."""

    greeting: str
    """Must say that a machine answers; at most 160 characters."""
    ice_breakers: tuple[Choice, ...]
    """Up to four questions; they win over the get-started button, which then serves old clients."""
    menu: tuple[Choice, ...]
    """Payloads come back as postbacks; "https://…" opens a page."""


DEFAULT = Profile(
    greeting="Tổng đài 1022 Thanh Hóa. Trợ lý tự động trả lời, cán bộ trực 24/7 tiếp nhận khi cần.",
    ice_breakers=(
        Choice("Tôi muốn hỏi về dịch vụ công", "#ask"),
        Choice("Tôi muốn phản ánh, kiến nghị", "#report"),
        Choice("Tra cứu phiếu đã gửi", "#status"),
        Choice("Gặp cán bộ trực", "#person"),
    ),
    menu=(Choice("Gặp cán bộ", "#person"), Choice("Tra cứu phiếu", "#status")),
)


def profile_body(profile: Profile) -> dict[str, Any]:
    """The body of `POST /me/messenger_profile`. Raises ValueError when it is beyond Meta's limits."""
    if len(profile.greeting) > MAX_GREETING or len(profile.ice_breakers) > MAX_ICE_BREAKERS:
        raise ValueError(f"greeting ≤ {MAX_GREETING} characters, ice breakers ≤ {MAX_ICE_BREAKERS}")
    if len(profile.menu) > MAX_MENU:
        raise ValueError(f"menu ≤ {MAX_MENU} items")
    questions = [{"question": one.title, "payload": one.payload} for one in profile.ice_breakers]
    body: dict[str, Any] = {
        "get_started": {"payload": GET_STARTED},
        "greeting": [{"locale": "default", "text": profile.greeting}],
        "persistent_menu": [
            {
                "locale": "default",
                "composer_input_disabled": False,
                "call_to_actions": [_menu_item(one) for one in profile.menu],
            }
        ],
    }
    if questions:
        body["ice_breakers"] = [{"locale": "default", "call_to_actions": questions}]
    return body


async def set_up(settings: MessengerSettings, profile: Profile = DEFAULT) -> None:
    """Set greeting, get-started button, ice breakers and menu, and subscribe the page to every event we read.

    May be repeated. Raises RetryLater or GiveUp with the reason in Vietnamese.
    """
    client = new_client(settings.timeout_s)
    graph = Graph(settings, client)
    try:
        await graph.post("me/messenger_profile", profile_body(profile))
        await graph.call("POST", f"{settings.page_id}/subscribed_apps", params={"subscribed_fields": FIELDS})
    except GraphRefused as refused:
        raise failure_for(refused.code, refused.subcode, until=refused.until) from refused
    finally:
        await client.aclose()


def _menu_item(item: Choice) -> dict[str, str]:
    if item.payload.startswith("https://"):
        return {"type": "web_url", "title": item.title, "url": item.payload}
    return {"type": "postback", "title": item.title, "payload": item.payload}
