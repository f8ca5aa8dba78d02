"""Dialogues through the real Rasa, our actions and PostgreSQL, as citizens would have them."""

import asyncio
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from actions.services import Report, ReportKind
from bot.contracts.ids import MessageId
from tests.actions.conftest import House, Recorder

pytestmark = pytest.mark.slow


async def test_small_talk_is_answered_by_fixed_texts(house: House, services: Recorder) -> None:
    greeting = await house.say("c1", "xin chào ad ạ")
    assert "trợ lý tự động của Tổng đài 1022" in greeting.text
    assert "gặp cán bộ" in greeting.text
    assert [one["payload"] for one in greeting.replies[0]["buttons"]] == ["/report", "/ticket_status", "/ask_person"]
    assert "Rất vui" in (await house.say("c1", "cam on nhieu nhe")).text
    assert "ngoài phạm vi" in (await house.say("c1", "kết quả xổ số hôm nay")).text
    assert "xin lỗi" in (await house.say("c1", "bot ngu quá")).text
    assert "Tạm biệt" in (await house.say("c1", "tạm biệt nhé")).text
    assert services.calls == []


async def test_report_survives_a_question_a_correction_and_pictures(house: House, services: Recorder) -> None:
    asked = [
        (await house.say("c1", "toi muon phan anh")).text,
        (await house.say("c1", "bãi rác ở chợ bốc mùi hôi thối")).text,
        (await house.say("c1", "cho hỏi tiêm mũi 3 ở đâu ạ?")).text,
        (await house.say("c1", "gần cổng chợ Điện Biên")).text,
        (await house.say("c1", "à nhầm, ở phường Hàm Rồng")).text,
        (await house.say("c1", "từ hôm qua")).text,
        (await house.say("c1", "", photo=True)).text,
        (await house.say("c1", "/photo", photo=True)).text,
    ]
    assert "Sự việc cụ thể" in asked[0]
    assert "ở đâu" in asked[1]
    assert asked[2].startswith("Đoạn một.\n\nĐoạn hai."), "an approved answer comes word for word, in one message"
    assert asked[2].endswith("một địa điểm dễ nhận ra."), "and the form asks again"
    assert "khi nào" in asked[3]
    assert "sửa địa điểm" in asked[4]
    assert "hình ảnh" in asked[5]
    assert "số điện thoại" in asked[6]
    assert "số điện thoại" in asked[7]
    assert (await house.tracker("c1"))["active_loop"]["name"] == "report_form"
    done = await house.say("c1", "so dt 0912.345.678")
    assert done.replies[0]["custom"]["ticket"] == "TH-2ABCD"
    assert services.calls == [
        ("answer_question", MessageId(3), "cho hỏi tiêm mũi 3 ở đâu ạ?"),
        (
            "submit_report",
            MessageId(9),
            Report(
                kind=ReportKind.REPORT,
                what="bãi rác ở chợ bốc mùi hôi thối",
                where="ở phường Hàm Rồng",
                when="từ hôm qua",
                photos=(MessageId(7), MessageId(8)),
                phone="0912345678",
            ),
        ),
    ]
    assert not (await house.tracker("c1"))["active_loop"]


async def test_opening_sentence_fills_what_it_tells_and_steps_can_be_left_out(house: House, services: Recorder) -> None:
    start = await house.say("c1", "tôi xin kiến nghị lắp đèn đường ở phường Hàm Rồng, tối qua có người ngã")
    assert "hình ảnh" in start.text
    await house.say("c1", "bỏ qua")
    await house.say("c1", "không tiện cho số ạ")
    report = services.calls[-1][2]
    assert report.kind is ReportKind.PROPOSAL
    assert (report.where, report.when, report.photos, report.phone) == ("phường Hàm Rồng", "tối qua", (), None)


@pytest.mark.parametrize("words", ["hủy", "thôi không gửi nữa", "huy phan anh"])
async def test_report_can_be_given_up(house: House, services: Recorder, words: str) -> None:
    await house.say("c1", "tôi muốn phản ánh")
    assert "đã hủy" in (await house.say("c1", words)).text
    tracker = await house.tracker("c1")
    assert not tracker["active_loop"]
    assert tracker["slots"]["report_kind"] is None
    assert services.calls == []


async def test_emergency_and_person_end_a_form(house: House, services: Recorder) -> None:
    await house.say("c1", "tôi muốn phản ánh")
    urgent = await house.say("c1", "mẹ tôi khó thở quá cứu với")
    assert urgent.replies[0]["text"] == "Hãy gọi 115 ngay."
    assert not (await house.tracker("c1"))["active_loop"]
    await house.say("c1", "phản ánh")
    person = await house.say("c1", "thôi cho tôi gặp cán bộ")
    assert person.replies[0]["custom"]["ticket"] == "TH-7K3P9"
    assert not (await house.tracker("c1"))["active_loop"]
    assert [one[0] for one in services.calls] == ["emergency", "open_ticket"]


async def test_ticket_status_and_unit_contact(house: House, services: Recorder) -> None:
    assert (await house.say("c1", "phiếu th 7k3p9 đến đâu rồi")).text == "Phiếu TH-7K3P9 đang xử lý."
    contact = await house.say("c1", "cho xin số điện thoại sở y tế")
    assert contact.replies[0]["buttons"] == [{"title": "Gặp cán bộ", "payload": "/ask_person"}]
    assert [one[2] for one in services.calls] == ["TH-7K3P9", "sở y tế"]


async def test_after_two_unclear_messages_the_search_decides(house: House, services: Recorder) -> None:
    first = await house.say("c1", "qwertyuiop")
    assert "chưa hiểu ý bạn" in first.text
    assert services.calls == []
    assert (await house.tracker("c1"))["active_loop"]["name"] == "action_two_stage_fallback"
    await house.say("c1", "zxcvbnm lkjhg")
    assert services.calls == [("answer_question", MessageId(2), "zxcvbnm lkjhg")]
    tracker = await house.tracker("c1")
    assert not tracker["active_loop"]
    at = max(i for i, one in enumerate(tracker["events"]) if one["event"] == "user")
    assert tracker["events"][at]["metadata"]["message_id"] == 2
    assert [one["text"] for one in tracker["events"][at:] if one["event"] == "bot"] == ["Đoạn một.\n\nĐoạn hai."]


async def test_after_an_unclear_message_the_citizen_may_let_it_be(house: House, services: Recorder) -> None:
    await house.say("c1", "qwertyuiop")
    said = await house.say("c1", "thôi được rồi, tôi tự làm được")
    assert "Tạm biệt bạn" in said.text
    assert services.calls == []


async def test_after_an_unclear_message_a_question_is_taken(house: House, services: Recorder) -> None:
    await house.say("c1", "qwertyuiop")
    await house.say("c1", "làm căn cước công dân ở đâu ạ?")
    assert services.calls == [("answer_question", MessageId(2), "làm căn cước công dân ở đâu ạ?")]
    assert not (await house.tracker("c1"))["active_loop"]


async def test_failed_action_leaves_the_form_as_it_was(house: House, services: Recorder) -> None:
    for words in ("phản ánh", "rác thải đổ ra đường", "chợ Vườn Hoa", "hôm nay", "bỏ qua"):
        await house.say("c1", words)
    services.broken = True
    assert (await house.say("c1", "0912345678")).status == 500
    services.broken = False
    assert (await house.tracker("c1"))["slots"]["requested_slot"] == "report_phone"
    again = await house.say("c1", "0912345678")
    assert again.replies[0]["custom"]["ticket"] == "TH-2ABCD"
    assert [one[0] for one in services.calls] == ["submit_report"]


async def test_a_turn_is_found_by_its_message_after_a_restart(house: House, services: Recorder) -> None:
    await house.say("c1", "phản ánh")
    house.rasa.kill()
    await asyncio.to_thread(house.rasa.start)
    tracker = await house.tracker("c1")
    assert tracker["active_loop"]["name"] == "report_form"
    at = next(
        i
        for i, one in enumerate(tracker["events"])
        if one["event"] == "user" and one["metadata"].get("message_id") == 1
    )
    said = [one["text"] for one in tracker["events"][at:] if one["event"] == "bot"]
    assert said[-1].startswith("Sự việc cụ thể")
    assert "ở đâu" in (await house.say("c1", "rác thải đổ ra đường")).text


async def test_the_same_message_twice_is_one_turn(house: House, services: Recorder) -> None:
    await house.say("c1", "tôi muốn phản ánh")
    body = {"sender": house.sender("c1"), "message": "rác thải đổ ra đường", "metadata": {"message_id": 77}}
    twice = await asyncio.gather(*(house.client.post("/webhooks/rest/webhook", json=body) for _ in range(2)))
    later = await house.client.post("/webhooks/rest/webhook", json=body)
    assert twice[0].json() == twice[1].json() == later.json()
    assert (await house.tracker("c1"))["slots"]["requested_slot"] == "report_where"


async def test_header_names_the_form_under_way(house: House) -> None:
    async def loop_after(text: str) -> str:
        metadata = {"message_id": len(text)}
        body: dict[str, Any] = {"sender": house.sender("c9"), "message": text, "metadata": metadata}
        answer = await house.client.post("/webhooks/rest/webhook", json=body)
        return answer.headers["X-Active-Loop"]

    assert await loop_after("xin chào") == ""
    assert await loop_after("tôi muốn phản ánh") == "report_form"
    assert await loop_after("hủy") == ""


async def test_nothing_without_the_token(house: House) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.rasa.port}") as stranger:
        body = {"sender": "c1", "message": "xin chào"}
        assert (await stranger.post("/webhooks/rest/webhook", json=body)).status_code == 403
        assert (await stranger.post("/webhooks/rest/webhook?token=no", json=body)).status_code == 403
        assert (await stranger.post("/model/parse", json={"text": "xin chào"})).status_code == 401
        assert (await stranger.get("/conversations/c1/tracker")).status_code == 401


async def test_rasa_listens_on_loopback_only(house: House) -> None:
    listening = {
        one.laddr.ip for one in psutil.Process(house.rasa.pid).net_connections() if one.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


async def test_dialogue_goes_on_after_postgresql_dropped_every_connection(house: House, dialogue_database: str) -> None:
    await house.say("c1", "tôi muốn phản ánh")
    with psycopg.connect(dialogue_database, autocommit=True) as connection:
        query = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'rasa'"
        dropped = connection.execute(query).fetchone()
    assert dropped is not None
    assert dropped[0] >= 1
    assert "ở đâu" in (await house.say("c1", "rác thải đổ ra đường")).text
    assert (await house.tracker("c1"))["slots"]["report_what"] == "rác thải đổ ra đường"


async def test_citizens_at_once_keep_their_own_forms(house: House, services: Recorder) -> None:
    async def report(number: int) -> None:
        for words in (
            "phản ánh",
            f"rác thải số {number} ngoài đường",
            f"ngõ {number} phố Hàng Than",
            "hôm nay",
            "bỏ qua",
            "bỏ qua",
        ):
            assert (await house.say(f"c{number}", words)).status == 200

    await asyncio.gather(*(report(number) for number in range(10)))
    reports = sorted((one[2].what, one[2].where) for one in services.calls)
    assert reports == sorted((f"rác thải số {n} ngoài đường", f"ngõ {n} phố Hàng Than") for n in range(10))
