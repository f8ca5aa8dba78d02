"""Sending over Zalo: what the citizen gets, and what the outbox is told when they get nothing."""

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.errors import Action, Ambiguous, CannotTell, GiveUp, NotYet, RetryLater
from bot.contracts.messages import Attachment, Author, Choice, Inbound, Kind, Sent
from connectors.zalo.connector import ZaloConnector
from connectors.zalo.errors import MORNING, Remedy, failure_for, meaning_of, next_time
from tests.connectors.zalo.conftest import CITIZEN, KEY, outbound, settings_for
from tests.simulators.zalo import ZaloSimulator

CHOICES = (Choice("Chốt kiểm soát | đi lại", "#q:12"), Choice("Gặp cán bộ", "#person"))
LONG = "Người dân cần mang giấy đi đường khi qua chốt kiểm soát. " * 80


async def test_a_text_arrives_with_its_id(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    sent = await connector.send(outbound("Dạ, mời bác đến trạm y tế."))
    (said,) = zalo.to(CITIZEN)
    assert said.text == "Dạ, mời bác đến trạm y tế."
    assert sent == Sent((said.id,))


async def test_a_pressed_button_comes_back_as_its_choice(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    await connector.send(outbound("Ý bác là…", choices=CHOICES))
    (said,) = zalo.to(CITIZEN)
    assert [one["title"] for one in said.buttons] == [one.title for one in CHOICES]
    returned = said.buttons[0]["payload"]
    body = {**zalo._common("user_send_text"), "sender": {"id": CITIZEN}, "message": {"msg_id": "m", "text": returned}}
    (event,) = connector.parse(zalo._pack([body]))
    assert isinstance(event, Inbound)
    assert (event.kind, event.payload, event.text) == (Kind.BUTTON, "#q:12", "Chốt kiểm soát | đi lại")


async def test_refused_buttons_become_numbers(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    zalo.buttons_work = False
    await connector.send(outbound("Ý bác là…", choices=CHOICES))
    (said,) = zalo.to(CITIZEN)
    assert said.text.startswith("Ý bác là…")
    assert "\n1. Chốt kiểm soát | đi lại\n2. Gặp cán bộ" in said.text
    calls = len(zalo.calls)
    await connector.send(outbound("Lần sau", choices=CHOICES))
    assert len(zalo.calls) == calls + 1  # it is remembered for a while


async def test_more_choices_than_buttons_become_numbers(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    await connector.send(outbound("Chọn xã", choices=tuple(Choice(f"Xã số {n}", f"#x:{n}") for n in range(1, 8))))
    (said,) = zalo.to(CITIZEN)
    assert not said.buttons
    assert said.text.endswith("7. Xã số 7")


async def test_phone_and_link_buttons(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    choices = (
        Choice("Gọi 115", "tel:115"),
        Choice("Gọi tổng đài", "tel:0237 3852 246"),
        Choice("Xem", "https://a.vn/"),
    )
    await connector.send(outbound("Khẩn cấp", choices=choices))
    (said,) = zalo.to(CITIZEN)
    assert [(one["type"], one["payload"]) for one in said.buttons] == [
        ("oa.open.phone", {"phone_code": "115"}),
        ("oa.open.phone", {"phone_code": "842373852246"}),
        ("oa.open.url", {"url": "https://a.vn/"}),
    ]


async def test_a_long_text_goes_on_after_the_parts_that_went_out(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    whole = outbound(LONG * 2, choices=CHOICES)
    zalo.faults.next_codes = [0, 0, -32]
    with pytest.raises(NotYet) as failed:
        await connector.send(whole)
    assert len(failed.value.sent_parts) == 2
    sent = await connector.send(outbound(LONG * 2, choices=CHOICES, sent_parts=failed.value.sent_parts))
    said = zalo.to(CITIZEN)
    assert sent.provider_message_ids == tuple(one.id for one in said)
    assert " ".join(" ".join(one.text for one in said).split()) == " ".join((LONG * 2).split())
    assert all(len(one.text) <= 2000 for one in said)
    assert [bool(one.buttons) for one in said] == [False] * (len(said) - 1) + [True]


async def test_an_officers_answer_quotes_the_question(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    question = zalo.messages[0].id
    await connector.send(outbound("Đã có kết quả", author=Author.OPERATOR, reply_to=question))
    await connector.send(outbound("Không còn tin gốc", author=Author.OPERATOR, reply_to="goneforever"))
    await connector.send(outbound("Bot", reply_to=question))
    assert [one.quote for one in zalo.to(CITIZEN)] == [question, None, None]


async def test_visitors_without_an_identity_are_answered(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    await connector.send(outbound("Chào", citizen_ref="anonymous:55:c9"))
    assert zalo.to("55/c9")[0].body["recipient"] == {"anonymous_id": "55", "conversation_id": "c9"}


async def test_files_are_uploaded_and_sent(zalo: ZaloSimulator, connector: ZaloConnector, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG" + b"0" * 100)
    (tmp_path / "b.gif").write_bytes(b"GIF89a" + (3).to_bytes(2, "little") + (4).to_bytes(2, "little"))
    (tmp_path / "c.pdf").write_bytes(b"%PDF-")
    files = (
        Attachment(Kind.IMAGE, path="a.png"),
        Attachment(Kind.GIF, path="b.gif"),
        Attachment(Kind.FILE, path="c.pdf", name="Mẫu đơn.pdf"),
    )
    await connector.send(outbound("Gửi bác mẫu đơn", attachments=files))
    assert [one.kind for one in zalo.to(CITIZEN)] == ["text", "image", "gif", "file"]
    (element,) = zalo.to(CITIZEN)[2].body["message"]["attachment"]["payload"]["elements"]
    assert (element["width"], element["height"]) == (3, 4)


async def test_an_expired_upload_is_made_again(zalo: ZaloSimulator, connector: ZaloConnector, tmp_path: Path) -> None:
    (tmp_path / "c.pdf").write_bytes(b"%PDF-")
    zalo.faults.next_codes = [-100]
    await connector.send(outbound("", attachments=(Attachment(Kind.FILE, path="c.pdf"),)))
    assert len(zalo.uploads) == 2
    assert [one.kind for one in zalo.to(CITIZEN)] == ["file"]


@pytest.mark.parametrize("name", ["virus.exe", "missing.pdf"])
async def test_a_file_that_cannot_go_stops_the_whole_message(
    name: str, zalo: ZaloSimulator, connector: ZaloConnector, tmp_path: Path
) -> None:
    (tmp_path / "virus.exe").write_bytes(b"MZ")
    with pytest.raises(GiveUp) as failed:
        await connector.send(outbound("Kèm tệp", attachments=(Attachment(Kind.FILE, path=name),)))
    assert failed.value.action is Action.FIX
    assert zalo.to(CITIZEN) == []


def test_unknown_codes_and_unknown_people() -> None:
    assert meaning_of(-99999).remedy is Remedy.OPERATOR
    assert meaning_of(-201, "user_id is invalid").remedy is Remedy.STOP
    assert meaning_of(-201, "text is empty").remedy is Remedy.FIX


EVENING = now().replace(hour=15, minute=5, second=30, microsecond=0)
"""22:05:30 in Việt Nam."""


@pytest.mark.parametrize(
    ("code", "waits"),
    [
        (-234, timedelta(hours=7, minutes=59, seconds=30)),  # until 06:05
        (-133, timedelta(hours=7, minutes=59, seconds=30)),
        (-144, timedelta(hours=1, minutes=59, seconds=30)),  # until 00:05
        (-147, timedelta(hours=1, minutes=59, seconds=30)),
        (-32, timedelta(seconds=30)),  # until the next minute
    ],
)
def test_a_code_that_names_a_time_is_waited_for(code: int, waits: timedelta) -> None:
    failure = failure_for(code, "", EVENING)
    assert isinstance(failure, NotYet)
    assert failure.at - EVENING == waits
    assert str(code) in failure.reason


def test_after_the_morning_it_is_tomorrow_morning() -> None:
    morning = next_time(EVENING, MORNING)
    assert next_time(morning, MORNING) == morning + timedelta(days=1)
    assert next_time(morning - timedelta(seconds=1), MORNING) == morning


async def test_outside_seven_days_it_is_kept_for_the_next_message(
    zalo: ZaloSimulator, connector: ZaloConnector
) -> None:
    zalo.age(CITIZEN, hours=169)
    with pytest.raises(GiveUp) as failed:
        await connector.send(outbound())
    assert failed.value.action is Action.WINDOW


async def test_no_answer_is_ambiguous_and_history_settles_it(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    zalo.faults.cut_next = 1
    message = outbound("Gửi một lần thôi")
    with pytest.raises(Ambiguous):
        await connector.send(message)
    (said,) = zalo.to(CITIZEN)
    assert await connector.find_sent(message) == Sent((said.id,))


async def test_a_hanging_answer_is_ambiguous(zalo: ZaloSimulator, database: Database) -> None:
    zalo.faults.change({"hang_next": 1, "hang_s": 15.0})
    connector, patient = (ZaloConnector(settings_for(zalo, timeout_s=one), database, KEY) for one in (2.0, 60.0))
    with pytest.raises(Ambiguous):
        await connector.send(outbound("Chờ mãi"))
    while not zalo.to(CITIZEN):  # noqa: ASYNC110 (it is under way, in another thread)
        await asyncio.sleep(0.05)
    assert await patient.find_sent(outbound("Chờ mãi")) is not None
    for one in (connector, patient):
        await one.close()


async def test_what_never_left_is_not_found(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    await connector.send(outbound("Cùng một câu"))  # an earlier message with the same words, known to be another
    assert await connector.find_sent(outbound("Cùng một câu")) is None


async def test_too_early_to_ask_the_history(zalo: ZaloSimulator, database: Database) -> None:
    connector = ZaloConnector(settings_for(zalo, history_settle_s=5.0), database, KEY)
    with pytest.raises(RetryLater, match="too early"):
        await connector.find_sent(outbound("Vừa mới gửi"))
    await connector.close()


async def test_half_of_a_long_text_is_found(zalo: ZaloSimulator, connector: ZaloConnector, database: Database) -> None:
    await connector.send(outbound(LONG))
    zalo.messages.pop()
    restarted = ZaloConnector(connector.settings, database, KEY)
    with pytest.raises(RetryLater) as found:
        await restarted.find_sent(outbound(LONG))
    assert found.value.sent_parts == tuple(one.id for one in zalo.to(CITIZEN))
    assert len(found.value.sent_parts) >= 1
    await restarted.close()


async def test_a_history_that_is_refused_or_endless_tells_nothing(
    zalo: ZaloSimulator, connector: ZaloConnector, database: Database
) -> None:
    with pytest.raises(CannotTell):
        await connector.find_sent(outbound(citizen_ref="anonymous:1:2"))
    for number in range(60):
        zalo.running.call(partial(zalo.officer_says, CITIZEN, f"tin {number}"))
    with pytest.raises(CannotTell):
        await connector.find_sent(outbound("khác"))


async def test_nobody_listening_is_retried(zalo: ZaloSimulator, database: Database) -> None:
    connector = ZaloConnector(settings_for(zalo, api_base="http://127.0.0.1:9"), database, KEY)
    with pytest.raises(RetryLater) as failed:
        await connector.send(outbound())
    assert type(failed.value) is RetryLater
    await connector.close()


@pytest.mark.parametrize(
    ("status", "body", "wanted"),
    [
        (500, b"", RetryLater),
        (503, b"", RetryLater),
        (429, b"", RetryLater),
        (502, b"", Ambiguous),
        (504, b"", Ambiguous),
        (200, b"<html>", Ambiguous),
        (200, b"[]", Ambiguous),
        (200, b'{"error":0,"data":{}}', Ambiguous),
    ],
)
async def test_strange_answers(
    status: int, body: bytes, wanted: type[RetryLater], zalo: ZaloSimulator, database: Database
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    connector = ZaloConnector(settings_for(zalo), database, KEY, transport=transport)
    with pytest.raises(RetryLater) as failed:
        await connector.send(outbound())
    assert type(failed.value) is wanted
    await connector.close()


async def test_the_proof_is_sent_when_asked_for(zalo: ZaloSimulator, database: Database) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"error": 0, "data": {"message_id": "1"}})

    settings = settings_for(zalo, require_proof=True)
    connector = ZaloConnector(settings, database, KEY, transport=httpx.MockTransport(answer))
    await connector.send(outbound())
    assert len(seen[0].headers["appsecret_proof"]) == 64
    await connector.close()


async def test_names_are_optional(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    assert await connector.citizen_name(CITIZEN) == "Người dân 0001"
    assert await connector.citizen_name("404") is None
    await connector.show_typing(CITIZEN)


async def test_many_at_once_stay_under_the_pace(zalo: ZaloSimulator, database: Database) -> None:
    connector = ZaloConnector(settings_for(zalo, messages_per_second=50.0), database, KEY)
    await asyncio.gather(*(connector.send(outbound(f"tin {number}")) for number in range(60)))
    times = [one.at for one in zalo.to(CITIZEN)]
    assert len(times) == 60
    assert max(times) - min(times) > 0.1  # fifty go at once, ten wait their turn
    await connector.close()
