"""What every channel promises, whatever its platform. A new channel adds itself to `CHANNELS`."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.connector import Connector, WindowState
from bot.contracts.errors import Ambiguous, GiveUp, PayloadRefused, RetryLater, SignatureRefused
from bot.contracts.ids import Channel, MessageId
from bot.contracts.messages import Author, Choice, Inbound, Outbound, Sent
from connectors.messenger.connector import MessengerConnector
from connectors.zalo.connector import ZaloConnector
from tests.connectors.database import connectors_url as connectors_url  # fixtures: a database of this room
from tests.connectors.database import database as database
from tests.connectors.messenger.conftest import settings_for as messenger_settings
from tests.connectors.zalo.conftest import settings_for as zalo_settings
from tests.simulators.messenger import MessengerSimulator
from tests.simulators.zalo import ZaloSimulator

CITIZEN = "5000000000000000001"
Simulator = ZaloSimulator | MessengerSimulator


class Channelled:
    """A connector with its platform behind it."""

    def __init__(self, simulator: Simulator, connector: Connector) -> None:
        self.simulator, self.connector = simulator, connector

    def signed(self, text: str) -> tuple[bytes, dict[str, str]]:
        """A webhook as the platform would send it."""
        found: list[dict[str, Any]] = []

        def keep(lane: str, event: dict[str, Any]) -> None:
            found.append(event)

        send = self.simulator.courier.send
        self.simulator.courier.send = keep  # type: ignore[method-assign]
        self.simulator.running.call(lambda: self.simulator.say(CITIZEN, text))
        self.simulator.courier.send = send  # type: ignore[method-assign]
        raw = self.simulator._pack(found)
        return raw, {name.lower(): value for name, value in self.simulator._sign(raw).items()}

    def outbound(self, text: str, **more: Any) -> Outbound:
        default: dict[str, Any] = {"author": Author.BOT, "created_at": now(), "last_inbound_at": now()}
        name = self.connector.name
        return Outbound(
            **{"message": MessageId(9), "channel": name, "citizen_ref": CITIZEN, "text": text, **default, **more}
        )


def zalo(simulator: Any, database: Database) -> Connector:
    return ZaloConnector(zalo_settings(simulator), database, b"key")


def messenger(simulator: Any, database: Database) -> Connector:
    return MessengerConnector(messenger_settings(simulator), database)


CHANNELS: dict[str, tuple[Callable[[], Simulator], Callable[[Any, Database], Connector]]] = {
    "zalo": (ZaloSimulator, zalo),
    "messenger": (MessengerSimulator, messenger),
}


@pytest.fixture(params=sorted(CHANNELS))
async def channel(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Channelled]:
    """Each channel in turn, its platform running, one citizen who wrote."""
    make_simulator, make_connector = CHANNELS[request.param]
    simulator = make_simulator().start()
    connector = make_connector(simulator, database)
    simulator.running.call(lambda: simulator.say(CITIZEN, "Chào"))
    yield Channelled(simulator, connector)
    await connector.close()
    simulator.stop()


def test_it_is_named_and_says_what_it_can_do(channel: Channelled) -> None:
    assert channel.connector.name == Channel(channel.simulator.name)
    assert channel.connector.capabilities.max_chars > 0
    assert not channel.connector.capabilities.pulls


def test_what_the_platform_signs_is_let_in_and_understood(channel: Channelled) -> None:
    raw, headers = channel.signed("Tiêm vắc xin ở đâu? 😀 \"'/")
    channel.connector.verify(raw, headers, now())
    (event,) = channel.connector.parse(raw)
    assert isinstance(event, Inbound)
    assert event.text == "Tiêm vắc xin ở đâu? 😀 \"'/"
    assert event.citizen_ref == CITIZEN
    assert abs(event.sent_at - now()) < timedelta(minutes=1)
    assert event.sent_at.tzinfo is UTC
    assert channel.connector.parse(raw) == channel.connector.parse(raw)  # delivered twice is one message


def test_one_changed_byte_is_refused(channel: Channelled) -> None:
    raw, headers = channel.signed("Chuyển 100 đồng")
    with pytest.raises(SignatureRefused):
        channel.connector.verify(raw.replace(b"100", b"900"), headers, now())
    with pytest.raises(SignatureRefused):
        channel.connector.verify(raw, {}, now())
    with pytest.raises(SignatureRefused):
        channel.connector.verify(raw, headers, now() + timedelta(days=2))


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{", b"\xff", b'{"event_name":1}'])
def test_garbage_is_refused(channel: Channelled, raw: bytes) -> None:
    with pytest.raises(PayloadRefused):
        channel.connector.parse(raw)


async def test_a_message_goes_out_and_is_found(channel: Channelled) -> None:
    outbound = channel.outbound("Xin chào bác")
    assert await channel.connector.find_sent(outbound) is None
    channel.simulator.faults.cut_next = 1
    with pytest.raises(Ambiguous) as failed:
        await channel.connector.send(outbound)
    assert failed.value.sent_parts == ()
    (said,) = channel.simulator.to(CITIZEN)
    assert await channel.connector.find_sent(outbound) == Sent((said.id,))


async def test_parts_never_exceed_the_limit_and_are_not_sent_again(channel: Channelled) -> None:
    text = "Điều này dài và có nhiều câu. " * 200
    sent = await channel.connector.send(channel.outbound(text))
    said = channel.simulator.to(CITIZEN)
    assert sent.provider_message_ids == tuple(one.id for one in said)
    assert max(len(one.text) for one in said) <= channel.connector.capabilities.max_chars
    again = await channel.connector.send(channel.outbound(text, sent_parts=sent.provider_message_ids))
    assert again == sent
    assert channel.simulator.to(CITIZEN) == said


async def test_choices_can_be_pressed_or_read(channel: Channelled) -> None:
    for count in (1, 3, 5, 13, 20):
        choices = tuple(Choice(f"Lựa chọn khá dài số {number}", f"#q:{number}") for number in range(count))
        await channel.connector.send(channel.outbound("Ý bác là…", choices=choices))
        shown = channel.simulator.to(CITIZEN)[-1]
        assert shown.buttons or f"{count}. {choices[-1].title}" in shown.text


async def test_trouble_is_told_in_the_contracts_words(channel: Channelled) -> None:
    channel.simulator.faults.http_error_rate = 1.0
    with pytest.raises(RetryLater):
        await channel.connector.send(channel.outbound("Chào"))
    channel.simulator.faults.http_error_rate = 0.0
    channel.simulator.age(CITIZEN, hours=24 * 8)
    with pytest.raises(GiveUp) as failed:
        await channel.connector.send(channel.outbound("Chào"))
    assert failed.value.reason_vi.endswith(".")
    await channel.connector.show_typing(CITIZEN)
    assert channel.simulator.to(CITIZEN) == []


@pytest.mark.parametrize("author", list(Author))
def test_windows_close_and_stay_closed(channel: Channelled, author: Author) -> None:
    start = datetime(2026, 11, 24, tzinfo=UTC)
    states = [channel.connector.window(start, author, start + timedelta(hours=h)).state for h in range(0, 200)]
    assert states[0] is WindowState.OPEN
    assert states[-1] is WindowState.CLOSED
    assert sorted(states, key=list(WindowState).index) == states
    assert channel.connector.window(None, author, start).state is WindowState.CLOSED
