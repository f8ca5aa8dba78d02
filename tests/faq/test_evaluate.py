"""`tongdai eval` over files, as outsiders use it."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.contracts.errors import Refused
from faq.evaluate import evaluate

BANK: list[dict[str, Any]] = [
    {"id": "a", "bank": "x", "question": "Đăng ký kết hôn cần giấy tờ gì?", "answer": "Căn cước và tờ khai."},
    {"id": "b", "bank": "x", "question": "Thủ tục đăng ký khai sinh cho con?", "answer": ""},
    {"id": "c", "bank": "y", "question": "Lịch tiêm vắc xin của phường?", "answer": "Thứ ba."},
]
QUERIES: list[dict[str, Any]] = [
    {"id": "1", "bank": "x", "text": "dang ky ket hon can giay to gi"},
    {"id": "2", "bank": "x", "text": "KHAI SINH CHO CON", "gold": "misleading", "kind": 3},
    {"id": "3", "bank": "y", "text": "😀"},
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def test_every_query_is_decided_in_its_own_bank_twice_the_same(tmp_path: Path) -> None:
    bank, queries = write(tmp_path / "b.jsonl", BANK), write(tmp_path / "q.jsonl", QUERIES)
    evaluate(bank, queries, tmp_path / "one.jsonl")
    evaluate(bank, queries, tmp_path / "two.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "one.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["query_id"] for line in lines] == ["1", "2", "3"]
    assert lines[0]["ranked"][0] == "a"
    assert lines[1]["ranked"][0] == "b"
    assert lines[2] == {"query_id": "3", "ranked": [], "p": 0.0, "decision": "handover"}
    assert all(0 <= line["p"] <= 1 for line in lines)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    bank = write(tmp_path / "b.jsonl", BANK)
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"id": "1", "bank": "x", "text": "a"}\n{"id": 2}\n', encoding="utf-8")
    with pytest.raises(Refused, match="dòng 2"):
        evaluate(bank, queries, tmp_path / "out.jsonl")
