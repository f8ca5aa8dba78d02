"""The channel on docs/connectors.md is built from the page and runs."""

import json
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from bot.base.clock import now
from bot.contracts.connector import Connector, WindowState
from bot.contracts.errors import Ambiguous, CannotTell, GiveUp, PayloadRefused, RetryLater, SignatureRefused
from bot.contracts.ids import Channel, MessageId
from bot.contracts.messages import Author, Choice, Inbound, Outbound

PAGE = Path(__file__).parents[2] / "docs" / "connectors.md"
MAX_LINES = 60
"""Lines that are not blank, imports included."""


@pytest.fixture(scope="module")
def sms() -> ModuleType:
    source = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    assert len([one for one in source.splitlines() if one.strip()]) <= MAX_LINES
    module = ModuleType("connectors.sms.connector")
    exec(compile(source, str(PAGE), "exec"), module.__dict__)
    return module


def connector(sms: ModuleType, answer: Any) -> Connector:
    settings = sms.SmsSettings(_env_file=None, gateway="https://sms.example/send", secret="s3cret")
    made: Connector = sms.SmsConnector(settings, httpx.MockTransport(answer))
    return made


def outbound(text: str, **more: Any) -> Outbound:
    default: dict[str, Any] = {
        "message": MessageId(1),
        "channel": Channel("sms"),
        "citizen_ref": "84900000001",
        "author": Author.BOT,
        "text": text,
        "created_at": now(),
    }
    return Outbound(**{**default, **more})


def test_it_is_off_without_its_settings(sms: ModuleType) -> None:
    assert "SMS_GATEWAY" in sms.SmsSettings(_env_file=None).why_off
    assert sms.SmsSettings(_env_file=None, gateway="x", secret="y").why_off is None


def test_it_receives(sms: ModuleType) -> None:
    one = connector(sms, lambda _: httpx.Response(200))
    raw = json.dumps({"id": 5, "from": "84900000001", "text": "Tiêm ở đâu?", "at_ms": 1_790_000_000_000}).encode()
    one.verify(raw, {"x-secret": "s3cret"}, now())
    with pytest.raises(SignatureRefused):
        one.verify(raw, {"x-secret": "wrong"}, now())
    (event,) = one.parse(raw)
    assert isinstance(event, Inbound)
    assert (event.provider_message_id, event.text, event.phone) == ("5", "Tiêm ở đâu?", "84900000001")
    with pytest.raises(PayloadRefused):
        one.parse(b"{}")


async def test_it_sends(sms: ModuleType) -> None:
    texts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        texts.append(json.loads(request.content)["text"])
        return httpx.Response(200, json={"id": f"s{len(texts)}"})

    one = connector(sms, answer)
    sent = await one.send(outbound("Câu trả lời dài. " * 30, choices=(Choice("Gặp cán bộ", "#person"),)))
    assert sent.provider_message_ids == ("s1", "s2")
    assert texts[-1].endswith("1. Gặp cán bộ")
    await one.send(outbound("Câu trả lời dài. " * 30, sent_parts=("s1",)))
    assert len(texts) == 3
    await one.show_typing("84900000001")
    assert one.window(None, Author.BOT, now() + timedelta(days=9)).state is WindowState.OPEN
    with pytest.raises(CannotTell):
        await one.find_sent(outbound("x"))
    await one.close()


@pytest.mark.parametrize(("status", "wanted"), [(500, RetryLater), (502, Ambiguous), (401, GiveUp)])
async def test_it_says_what_went_wrong(sms: ModuleType, status: int, wanted: type[Exception]) -> None:
    with pytest.raises(wanted):
        await connector(sms, lambda _: httpx.Response(status)).send(outbound("x"))
