"""`tongdai serve` and the commands beside it, as the IT staff use them."""

import json
import os
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import xlwt

from bot.base.db import libpq_url
from bot.base.postgres import embedded_database
from tests.conftest import with_database
from tests.ports import free_port
from tests.scenarios.conftest import Words, scratch
from tests.scenarios.house import House, eventually, opened

pytestmark = pytest.mark.slow


def say_sheet(path: Path, rows: list[tuple[str, str]]) -> Path:
    """A question bank as a department sends it: a real binary .xls."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Bộ câu hỏi")
    for column, title in enumerate(["STT", "Câu hỏi", "Nội dung trả lời", "Căn cứ", "Cập nhật ngày"]):
        sheet.write(0, column, title)
    for number, (question, answer) in enumerate(rows, start=1):
        for column, value in enumerate([number, question, answer, "", "01/10/2026"]):
            sheet.write(number, column, value)
    book.save(str(path))
    return path


def counts(house: House) -> tuple[int, ...]:
    """How much there is of what a start must not do again."""
    found = house.sql(
        "select (select count(*) from embeddings), (select count(*) from entries), "
        "(select count(*) from accounts), (select count(*) from units)"
    )
    return tuple(found[0])


def test_start_stop_start_again_and_a_killed_supervisor(folder: Path, words: Words) -> None:
    house = House(folder / "data")
    try:
        house.start()
        assert house.first_password
        assert house.printed("Đã nạp 10 bộ câu hỏi mẫu.")
        citizen = house.citizen()
        assert words.answer in citizen.ask(words.known)["text"]
        before = counts(house)
        embedded_until = house.sql("select max(created_at) from embeddings")

        assert house.stop(signal.SIGINT) == 0, house.said()
        house.wait_until_gone()

        began = time.monotonic()
        house.start()
        print(f"second start: {time.monotonic() - began:.1f} s")
        for not_again in ("Đã nạp", "Đang huấn luyện", "mật khẩu dùng một lần"):
            assert house.printed(not_again) is None
        assert counts(house) == before
        assert house.sql("select max(created_at) from embeddings") == embedded_until
        citizen = citizen.on(house.url)
        assert len(citizen.history()) == 2

        assert house.process is not None
        house.process.kill()
        house.process.wait()
        eventually(
            "the parts die with their supervisor",
            lambda: house.left_names() <= {"postgres"},
        )
        house.start()
        assert words.answer in citizen.ask(words.known)["text"]
        assert [one["from"] for one in citizen.history()] == ["citizen", "bot"] * 2
        assert house.stop() == 0
        house.wait_until_gone()
    finally:
        house.clear_away()


@pytest.mark.parametrize("begun", ["Khởi động PostgreSQL", "Tài khoản quản trị đầu tiên"])
def test_stop_while_still_starting_leaves_nothing(begun: str, folder: Path) -> None:
    """While PostgreSQL starts, and while the sample banks are imported."""
    house = House(folder / "data")
    try:
        house.launch()
        eventually("it has come so far", lambda: house.printed(begun))
        assert house.stop() == 0, house.said()
        house.wait_until_gone()
    finally:
        house.clear_away()


@pytest.fixture
def foreign_database() -> Iterator[str]:
    """An empty database on a PostgreSQL that is not the house's own."""
    with scratch() as path, embedded_database(path) as server:
        with psycopg.connect(libpq_url(server), autocommit=True) as connection:
            connection.execute("create database elsewhere")
        yield with_database(libpq_url(server), "elsewhere")


def test_two_houses_at_once_one_on_a_foreign_database(
    house: House, foreign_database: str, folder: Path, words: Words
) -> None:
    settings = {"DATABASE_URL": foreign_database, "TONGDAI_SAMPLE_BANKS": "false"}
    with opened(folder / "other", settings) as other:
        assert not (other.data / "postgres").exists()
        assert libpq_url(other.database_url) == libpq_url(foreign_database)
        here, there = house.citizen(), other.citizen()
        assert words.answer in here.ask(words.known)["text"]
        assert there.ask(words.known)["ticket"]  # its bank is empty: a person answers
        assert here.history()[0]["text"] == there.history()[0]["text"] == words.known
        assert other.sql("select count(*) from messages where direction = 'in'") == [(1,)]
        assert other.stop() == 0
        other.wait_until_gone()
    assert house.is_ready()


def test_port_in_use_is_a_sentence_and_exit_2(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        house = House(folder / "data", taken.getsockname()[1])
        done = house.command("serve")
    assert done.code == 2
    assert f"Không mở được cổng {house.port}" in done.err
    assert "Traceback" not in done.err
    house.wait_until_gone()


def test_same_data_folder_is_refused(house: House) -> None:
    second = House(house.data, free_port())
    done = second.command("serve")
    assert done.code == 2
    assert "Đã có một hệ thống đang chạy trên thư mục dữ liệu" in done.err
    assert house.is_ready()


def test_import_while_serving(house: House, tmp_path: Path) -> None:
    word = uuid.uuid4().hex[:6]
    question = f"Thủ tục cấp thẻ bến bãi mã {word} cho thuyền câu mực làm ở đâu?"
    file = say_sheet(tmp_path / f"ben-bai-{word}.xls", [(question, f"Nộp tại Cảng vụ, quầy {word}.")])
    before = counts(house)

    planned = house.command("import", str(file), "--unit", "SGTVT", "--plan", "--json")
    assert planned.code == 0, planned.err
    report = json.loads(planned.out)
    assert (report["add"], report["change"], report["retire"], report["unchanged"]) == (1, 0, 0, 0)
    assert report["entries"][0]["question"] == question
    assert counts(house)[1:] == before[1:]

    undecided = house.command("import", str(file), "--unit", "SGTVT")
    assert undecided.code == 3, undecided.out
    assert counts(house)[1:] == before[1:]

    done = house.command("import", str(file), "--unit", "SGTVT", "--yes")
    assert done.code == 0, done.err
    assert counts(house)[1] == before[1] + 1
    eventually("the imported answer is live", lambda: f"quầy {word}" in house.citizen().ask(question)["text"])

    again = house.command("import", str(file), "--unit", "SGTVT", "--yes", "--json")
    assert again.code == 0, again.err
    report = json.loads(again.out)
    assert (report["add"], report["change"], report["retire"], report["unchanged"]) == (0, 0, 0, 1)
    assert counts(house)[1] == before[1] + 1


def test_broken_file_changes_nothing_and_names_the_place(house: House, tmp_path: Path) -> None:
    broken = say_sheet(tmp_path / "hong.xls", [("Câu hỏi có trả lời?", "Có."), ("Câu hỏi không có trả lời?", "")])
    before = counts(house)
    done = house.command("import", str(broken), "--unit", "SYT", "--yes", "--json")
    assert done.code == 2, done.out
    problem = next(one for one in json.loads(done.out)["problems"] if one["severity"] == "error")
    assert (problem["sheet"], problem["row"], problem["column"]) == ("Bộ câu hỏi", 3, "C")
    no_bank = tmp_path / "anh.xls"
    no_bank.write_bytes(os.urandom(4096))
    assert house.command("import", str(no_bank), "--unit", "SYT", "--yes").code == 2
    assert house.command("import", str(broken), "--unit", "KHONGCO", "--yes").code == 2
    assert counts(house) == before


def test_user_add_and_ask(house: House, words: Words) -> None:
    name = f"op{uuid.uuid4().hex[:6]}"
    assert len(house.add_user(name, "operator")) >= 10
    twice = house.command("user", "add", name, "--role", "operator")
    assert twice.code == 2
    assert name in twice.err
    assert house.command("user", "add", f"{name}x", "--role", "unit_officer").code == 2

    found = json.loads(house.command("ask", words.known, "--json").out)
    assert found["decision"] == "answer"
    assert words.answer in found["answers"][0]["answer"]
    assert found["evidence"]["candidates"]


def test_commands_work_while_nothing_is_running(folder: Path, tmp_path: Path) -> None:
    question = "Nộp hồ sơ dịch vụ công trực tuyến ở đâu?"
    house = House(folder / "data", settings={"TONGDAI_SAMPLE_BANKS": "false"})
    file = say_sheet(tmp_path / "bo-cau-hoi.xls", [(question, "Trên dichvucong.gov.vn.")])
    assert house.command("import", str(file), "--unit", "STTTT", "--yes").code == 0
    assert json.loads(house.command("ask", question, "--json").out)["decision"] == "answer"
    house.wait_until_gone()
