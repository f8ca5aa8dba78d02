"""Sending over Messenger: what the citizen gets, and what the outbox is told when they get nothing."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.errors import Action, Ambiguous, CannotTell, GiveUp, NotYet, RetryLater
from bot.contracts.messages import Attachment, Author, Choice, Echo, Inbound, Kind, Outbound, Sent
from connectors.messenger import connector as connector_module
from connectors.messenger.connector import MessengerConnector
from connectors.messenger.errors import ANY, CODES, Remedy, failure_for, meaning_of
from connectors.messenger.marks import Mark
from connectors.messenger.send import body_of, parts_of
from tests.connectors.messenger.conftest import CITIZEN, outbound, settings_for
from tests.simulators.messenger import MessengerSimulator

YES_NO = (Choice("Có", "#helped"), Choice("Chưa", "#not-helped"))
QUESTIONS = (
    Choice("Đi qua chốt kiểm soát cần giấy tờ gì?", "#q:12"),
    Choice("Xin giấy đi đường ở đâu, thủ tục thế nào?", "#q:13"),
    Choice("Gặp cán bộ", "#person"),
)
LONG = "Người dân cần mang giấy đi đường khi qua chốt kiểm soát. " * 80


async def test_a_text_arrives_with_its_id(meta: MessengerSimulator, connector: MessengerConnector) -> None:
    sent = await connector.send(outbound("Dạ, mời bác đến trạm y tế."))
    (said,) = meta.to(CITIZEN)
    assert said.text == "Dạ, mời bác đến trạm y tế."
    assert said.body["messaging_type"] == "RESPONSE"
    assert sent == Sent((said.id,))


async def test_few_short_choices_are_a_button_template(meta: MessengerSimulator, connector: MessengerConnector) -> None:
    await connector.send(outbound("Câu trả lời có giúp được bác không?", choices=YES_NO))
    (said,) = meta.to(CITIZEN)
    assert [(one["type"], one["title"], one["payload"]) for one in said.buttons] == [
        ("postback", "Có", "#helped"),
        ("postback", "Chưa", "#not-helped"),
    ]


async def test_questions_are_numbered_with_the_numbers_as_quick_replies(
    meta: MessengerSimulator, connector: MessengerConnector
) -> None:
    await connector.send(outbound("Ý bác là…", choices=QUESTIONS))
    (said,) = meta.to(CITIZEN)
    assert "\n1. Đi qua chốt kiểm soát cần giấy tờ gì?\n2. Xin giấy" in said.text
    assert [(one["title"], one["payload"]) for one in said.buttons] == [
        ("1", "#q:12"),
        ("2", "#q:13"),
        ("3. Gặp cán bộ", "#person"),
    ]


async def test_a_long_answer_with_short_choices_gets_quick_replies(
    meta: MessengerSimulator, connector: MessengerConnector
) -> None:
    await connector.send(outbound("Câu này rất dài. " * 60, choices=YES_NO))
    (said,) = meta.to(CITIZEN)
    assert [one["content_type"] for one in said.buttons] == ["text", "text"]


async def test_a_number_to_dial_needs_a_template(meta: MessengerSimulator, connector: MessengerConnector) -> None:
    await connector.send(outbound("Câu này rất dài. " * 60, choices=(Choice("Gọi 115", "tel:115"),)))
    first, second = meta.to(CITIZEN)
    assert first.buttons == []
    assert second.buttons == [{"type": "phone_number", "title": "Gọi 115", "payload": "115"}]


async def test_too_many_choices_are_only_numbered(meta: MessengerSimulator, connector: MessengerConnector) -> None:
    await connector.send(outbound("Chọn xã", choices=tuple(Choice(f"Xã {n}", f"#x:{n}") for n in range(1, 16))))
    (said,) = meta.to(CITIZEN)
    assert said.buttons == []
    assert said.text.endswith("15. Xã 15")


async def test_a_long_text_goes_on_after_the_parts_that_went_out(
    meta: MessengerSimulator, connector: MessengerConnector
) -> None:
    meta.faults.next_codes = [0, 0, 613]
    with pytest.raises(RetryLater) as failed:
        await connector.send(outbound(LONG * 2, choices=QUESTIONS))
    assert len(failed.value.sent_parts) == 2
    sent = await connector.send(outbound(LONG * 2, choices=QUESTIONS, sent_parts=failed.value.sent_parts))
    said = meta.to(CITIZEN)
    assert sent.provider_message_ids == tuple(one.id for one in said)
    assert all(len(one.text) <= 2000 for one in said)
    assert [bool(one.buttons) for one in said] == [False] * (len(said) - 1) + [True]


def test_subcodes_come_first_and_unknown_codes_go_to_the_operator() -> None:
    assert meaning_of(10, 2018278).remedy is Remedy.WINDOW
    assert meaning_of(10, 999) is CODES[10, ANY]
    assert meaning_of(77777, None).remedy is Remedy.OPERATOR
    until = now() + timedelta(minutes=15)
    failure = failure_for(4, None, until=until)
    assert isinstance(failure, NotYet)
    assert failure.at == until


async def test_a_refused_attachment_is_tried_twice(
    meta: MessengerSimulator, connector: MessengerConnector, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    meta.faults.next_codes = ["100/2018047"]
    await connector.send(outbound("Ảnh đây", attachments=(Attachment(Kind.IMAGE, path="a.png"),), sent_parts=("m_1",)))
    assert [one.kind for one in meta.to(CITIZEN)] == ["image"]


async def test_too_large_files_are_refused_before_anything_is_sent(
    meta: MessengerSimulator, connector: MessengerConnector, tmp_path: Path
) -> None:
    (tmp_path / "big.png").write_bytes(b"0" * (8 * 1024 * 1024 + 1))
    for name in ("big.png", "missing.png"):
        with pytest.raises(GiveUp):
            await connector.send(outbound("Ảnh đây", attachments=(Attachment(Kind.IMAGE, path=name),)))
    assert meta.to(CITIZEN) == []


async def test_a_barred_page_is_left_alone_for_longer_and_longer(
    meta: MessengerSimulator, connector: MessengerConnector, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = now()
    monkeypatch.setattr(connector_module, "now", lambda: at)
    meta.faults.next_codes = ["10/1893063"] * 4
    waits = []
    for _ in range(4):
        with pytest.raises(NotYet) as failed:
            await connector.send(outbound(last_inbound_at=at))
        waits.append((failed.value.at - at).total_seconds() / 60)
        again = MessengerConnector(connector.settings, database)  # after a restart, Meta is not asked either
        for one in (connector, again):
            with pytest.raises(NotYet) as still:
                await one.send(outbound(last_inbound_at=at))
            assert still.value.at == failed.value.at
            assert "tạm cấm" in (await one.warnings())[0]
        await again.close()
        at = failed.value.at + timedelta(seconds=1)
    assert waits == [30, 60, 120, 240]
    assert meta.faults.next_codes == []
    await connector.send(outbound(last_inbound_at=at))
    assert await connector.warnings() == ()


async def test_people_write_for_seven_days_bots_for_one(meta: MessengerSimulator, database: Database) -> None:
    connector = MessengerConnector(settings_for(meta, human_agent=True), database)
    meta.age(CITIZEN, hours=30)
    wrote = now() - timedelta(hours=30)
    await connector.send(outbound("Cán bộ đây", author=Author.OPERATOR, last_inbound_at=wrote))
    (said,) = meta.to(CITIZEN)
    assert (said.body["messaging_type"], said.body["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")
    with pytest.raises(GiveUp) as failed:
        await connector.send(outbound("Bot đây", last_inbound_at=wrote))
    assert failed.value.action is Action.WINDOW
    await connector.close()


@pytest.mark.parametrize("author", [Author.BOT, Author.SYSTEM, Author.CITIZEN])
@pytest.mark.parametrize("hours", [0.1, 23, 30, 160, 200])
async def test_a_bot_never_bears_the_tag_for_people(
    author: Author, hours: float, meta: MessengerSimulator, database: Database
) -> None:
    connector = MessengerConnector(settings_for(meta, human_agent=True), database)
    message = outbound(author=author, last_inbound_at=now() - timedelta(hours=hours))
    for lane in (author, Author.OPERATOR):  # not even if it were given a window made for people
        window = connector.window(message.last_inbound_at, lane, now())
        assert "tag" not in body_of(message, parts_of(message)[0], Mark(message.message, 1, 1), window)


async def test_an_officers_answer_quotes_the_question(meta: MessengerSimulator, connector: MessengerConnector) -> None:
    question = meta.messages[0].id
    await connector.send(outbound("Cán bộ", author=Author.OPERATOR, reply_to=question))
    await connector.send(outbound("Bot", reply_to=question))
    assert [one.body.get("reply_to") for one in meta.to(CITIZEN)] == [{"mid": question}, None]


async def test_a_comment_gets_one_private_reply(meta: MessengerSimulator, connector: MessengerConnector) -> None:
    comment = meta.running.call(lambda: meta.comment("3000000000000000001", "Ở đâu tiêm?"))
    message = outbound(LONG, citizen_ref="3000000000000000001", context=f"comment:{comment}")
    with pytest.raises(GiveUp) as failed:  # the rest waits until they write
        await connector.send(message)
    assert failed.value.action is Action.WINDOW
    (said,) = meta.to("3000000000000000001")
    assert said.body["recipient"] == {"comment_id": comment}
    meta.running.call(lambda: meta.say("3000000000000000001", "Cảm ơn"))
    rest = outbound(LONG, citizen_ref=said.user, context=message.context, sent_parts=failed.value.sent_parts)
    await connector.send(rest)
    assert [one.body["recipient"] for one in meta.to(said.user)[1:]] == [{"id": said.user}] * (len(parts_of(rest)) - 1)


async def test_a_second_answer_to_a_comment_goes_to_the_chat_once_they_wrote(
    meta: MessengerSimulator, connector: MessengerConnector
) -> None:
    person = "3000000000000000001"
    comment = meta.running.call(lambda: meta.comment(person, "Ở đâu tiêm?"))
    first, second = (outbound(text, citizen_ref=person, context=f"comment:{comment}") for text in ("Một", "Hai"))
    await connector.send(first)
    with pytest.raises(GiveUp) as failed:
        await connector.send(second)
    assert failed.value.action is Action.WINDOW
    meta.running.call(lambda: meta.say(person, "Cảm ơn"))
    await connector.send(second)
    assert [(one.text, one.body["recipient"]) for one in meta.to(person)] == [
        ("Một", {"comment_id": comment}),
        ("Hai", {"id": person}),
    ]


async def test_the_echo_names_our_row(meta: MessengerSimulator, connector: MessengerConnector) -> None:
    await connector.send(outbound("Chào"))
    metadata = meta.to(CITIZEN)[0].body["message"]["metadata"]
    for told, by_human, row in ((metadata, False, 7), ("someone else's", True, None), (None, True, None)):
        message = {"is_echo": True, "mid": "m_9", "text": "Chào", "app_id": 1, "metadata": told}
        event = {"sender": {"id": meta.page_id}, "recipient": {"id": CITIZEN}, "timestamp": 1790000000000}
        (echo,) = connector.parse(meta._pack([{**event, "message": message}]))
        assert isinstance(echo, Echo)
        assert (echo.by_human, echo.outbound, echo.citizen_ref) == (by_human, row, CITIZEN)


async def test_no_answer_is_ambiguous_and_the_conversation_settles_it(
    meta: MessengerSimulator, connector: MessengerConnector
) -> None:
    meta.faults.cut_next = 1
    message = outbound("Gửi một lần thôi")
    with pytest.raises(Ambiguous):
        await connector.send(message)
    (said,) = meta.to(CITIZEN)
    assert await connector.find_sent(message) == Sent((said.id,))
    assert await connector.find_sent(outbound("Chưa hề gửi")) is None
    assert await connector.find_sent(outbound("Echo đã tới", sent_parts=("m_5",))) == Sent(("m_5",))


async def test_half_of_a_long_text_is_found(meta: MessengerSimulator, connector: MessengerConnector) -> None:
    await connector.send(outbound(LONG))
    meta.messages.pop()
    with pytest.raises(RetryLater) as found:
        await connector.find_sent(outbound(LONG))
    assert found.value.sent_parts == tuple(one.id for one in meta.to(CITIZEN))


@pytest.mark.parametrize(
    "message",
    [
        outbound("Mẫu nút", choices=YES_NO),
        outbound(context="comment:1"),
        outbound(citizen_ref="nobody"),
        outbound("", attachments=(Attachment(Kind.FILE, path="x.pdf"),)),
    ],
)
async def test_what_the_conversation_cannot_tell(message: Outbound, connector: MessengerConnector) -> None:
    with pytest.raises(CannotTell):
        await connector.find_sent(message)


async def test_a_refused_history_tells_nothing(meta: MessengerSimulator, connector: MessengerConnector) -> None:
    meta.history_works = False
    with pytest.raises(CannotTell):
        await connector.find_sent(outbound())


async def test_typing_names_and_a_wrong_token(meta: MessengerSimulator, connector: MessengerConnector) -> None:
    await connector.show_typing(CITIZEN)
    await connector.mark_seen(CITIZEN)
    assert meta.actions == [(CITIZEN, "typing_on"), (CITIZEN, "mark_seen")]
    assert await connector.citizen_name(CITIZEN) == "Người Dân 0001"
    meta.expire_tokens()
    assert await connector.citizen_name(CITIZEN) is None
    await connector.show_typing(CITIZEN)  # never raises
    with pytest.raises(GiveUp, match="hết hạn") as failed:
        await connector.send(outbound())
    assert failed.value.action is Action.OPERATOR


@pytest.mark.parametrize(
    ("status", "body", "headers", "wanted", "after_s"),
    [
        (500, b"oops", {}, RetryLater, 5.0),
        (429, b"", {"retry-after": "7"}, NotYet, 7.0),
        (429, b"", {}, RetryLater, 60.0),
        (503, b"", {"retry-after": "40"}, NotYet, 40.0),
        (502, b"", {}, Ambiguous, None),
        (200, b"<html>", {}, Ambiguous, None),
        (200, b"{}", {}, Ambiguous, None),
        (
            400,
            b'{"error":{"code":80006}}',
            {"x-business-use-case-usage": '{"1":[{"estimated_time_to_regain_access":3}]}'},
            NotYet,
            180.0,
        ),
        (400, b'{"error":{"code":613}}', {"x-business-use-case-usage": "[broken"}, RetryLater, 30.0),
    ],
)
async def test_strange_answers(
    status: int,
    body: bytes,
    headers: dict[str, str],
    wanted: type[RetryLater],
    after_s: float | None,
    meta: MessengerSimulator,
    database: Database,
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body, headers=headers))
    connector = MessengerConnector(settings_for(meta), database, transport=transport)
    with pytest.raises(RetryLater) as failed:
        await connector.send(outbound())
    assert type(failed.value) is wanted
    if isinstance(failed.value, NotYet):
        assert failed.value.at - now() == pytest.approx(timedelta(seconds=after_s or 0), abs=timedelta(seconds=60))
    else:
        assert after_s in (None, failed.value.after_s)
    await connector.close()


async def test_the_token_stays_out_of_the_address(meta: MessengerSimulator, database: Database) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"message_id": "m_1"})

    connector = MessengerConnector(
        settings_for(meta, graph_api_version="v26.0"), database, transport=httpx.MockTransport(answer)
    )
    await connector.send(outbound())
    assert meta.page_token not in str(seen[0].url)
    assert seen[0].url.path.startswith("/v26.0/")
    assert len(seen[0].url.params["appsecret_proof"]) == 64
    await connector.close()


async def test_a_pressed_quick_reply_comes_back_as_its_choice(meta: MessengerSimulator, database: Database) -> None:
    connector = MessengerConnector(settings_for(meta), database)
    message = {"mid": "m_2", "text": "1", "quick_reply": {"payload": "#q:12"}}
    event = {"sender": {"id": CITIZEN}, "recipient": {"id": meta.page_id}, "timestamp": 1790000000000}
    (inbound,) = connector.parse(meta._pack([{**event, "message": message}]))
    assert isinstance(inbound, Inbound)
    assert (inbound.kind, inbound.payload, inbound.text) == (Kind.BUTTON, "#q:12", "1")
