"""What Rasa says over HTTP and in its tracker, as replies of ours."""

from typing import Any

import pytest

from bot.contracts.ids import ConversationId, EntryId, MessageId, TicketCode
from bot.contracts.messages import Choice, Reply
from bot.conversation.rasa import RasaClient, RasaUnavailable, replies_after, replies_from, sender

BUTTONS = [{"title": "Có", "payload": "/yes"}, {"title": "Không", "payload": "/no"}]
CHOICES = (Choice("Có", "/yes"), Choice("Không", "/no"))


@pytest.mark.parametrize(
    ("items", "replies"),
    [
        ([], ()),
        ([{"text": "Xin chào"}], (Reply("Xin chào"),)),
        ([{"text": "Một"}, {"text": "Hai"}], (Reply("Một"), Reply("Hai"))),
        ([{"text": "Đúng chưa?", "buttons": BUTTONS}], (Reply("Đúng chưa?", CHOICES),)),
        (
            [
                {
                    "custom": {
                        "text": "Xong",
                        "choices": BUTTONS,
                        "ticket": "TH-7K3P9",
                        "entry": 7,
                        "ask_helpful": True,
                    }
                }
            ],
            (Reply("Xong", CHOICES, TicketCode("TH-7K3P9"), EntryId(7), True),),
        ),
        (
            [{"text": "Đã nhận"}, {"custom": {"ticket": "TH-7K3P9"}}],
            (Reply("Đã nhận", ticket=TicketCode("TH-7K3P9")),),
        ),
        (
            [{"text": "Một", "buttons": BUTTONS}, {"custom": {"entry": "7", "ask_helpful": True}}, {"text": "Hai"}],
            (Reply("Một", CHOICES, entry=EntryId(7), ask_helpful=True), Reply("Hai")),
        ),
        ([{"custom": {"ticket": "TH-7K3P9"}}], ()),
        ([{"text": None, "custom": None, "buttons": None}], ()),
        ([{"text": ""}, {"text": "Hai"}], (Reply("Hai"),)),
    ],
)
def test_replies_from(items: list[dict[str, Any]], replies: tuple[Reply, ...]) -> None:
    assert replies_from(items) == replies


def user(message: int | None, text: str = "…") -> dict[str, Any]:
    return {"event": "user", "text": text, "metadata": {} if message is None else {"message_id": message}}


def bot(text: str, **data: Any) -> dict[str, Any]:
    return {"event": "bot", "text": text, "data": data}


EVENTS: list[dict[str, Any]] = [
    {"event": "action", "name": "action_session_start"},
    user(1),
    {"event": "slot", "name": "what", "value": "rác"},
    bot("Rác ở đâu?"),
    user(2),
    bot("Đã nhận", custom={"ticket": "TH-7K3P9"}),
    bot("Còn gì nữa không?", buttons=BUTTONS),
    user(3),
    {"event": "user", "text": "cũ", "metadata": None},
]


@pytest.mark.parametrize(
    ("message", "replies"),
    [
        (1, (Reply("Rác ở đâu?"),)),
        (2, (Reply("Đã nhận", ticket=TicketCode("TH-7K3P9")), Reply("Còn gì nữa không?", CHOICES))),
        (3, ()),
        (4, None),
    ],
)
def test_replies_after(message: int, replies: tuple[Reply, ...] | None) -> None:
    assert replies_after(EVENTS, MessageId(message)) == replies


def test_the_fallback_repeats_the_user_event_and_its_replies_are_still_found() -> None:
    again: dict[str, Any] = {"event": "user", "metadata": {"message_id": 5}}
    events = [
        again,
        {"event": "action"},
        again,
        {"event": "bot", "text": "Chưa rõ ý"},
        {"event": "user", "metadata": {}},
    ]
    assert replies_after(events, MessageId(5)) == (Reply("Chưa rõ ý"),)


def test_an_empty_tracker_knows_no_message() -> None:
    assert replies_after([], MessageId(1)) is None


async def test_a_rasa_that_is_not_there_is_unavailable_and_not_up() -> None:
    rasa = RasaClient("http://127.0.0.1:9", "token", 0.5)
    assert not await rasa.is_up()
    for call in (
        rasa.parse("xin chào", MessageId(1)),
        rasa.talk(ConversationId(1), MessageId(1), "xin chào"),
        rasa.find_turn(ConversationId(1), MessageId(1)),
    ):
        with pytest.raises(RasaUnavailable):
            await call
    await rasa.close()


def test_each_conversation_has_its_own_name_at_rasa() -> None:
    assert sender(ConversationId(7)) != sender(ConversationId(77))
