"""`tongdai eval`: the same numbers in every process, whatever order Python's sets have in it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

BANK = {
    "a": "Đăng ký khai sinh cho con cần những giấy tờ gì?",
    "b": "Đăng ký khai sinh quá hạn có bị phạt không?",
    "c": "Xin cấp lại thẻ bảo hiểm y tế bị mất ở đâu?",
}
ASKED = (
    "Dạ em chào anh chị ạ, cho em hỏi là con em được 2 tháng rồi thì đăng ký khai sinh cần giấy tờ gì với ạ? Em cảm ơn",
    "the bhyt bi mat xin cap lai o dau, va khai sinh tre co bi phat ko",
    "giá vàng hôm nay bao nhiêu một chỉ vậy mọi người",
)


def evaluated(folder: Path, seed: str) -> list[dict[str, Any]]:
    """What the command writes in a process with this hash seed."""
    rows = [{"id": key, "bank": "x", "question": text, "answer": "Có."} for key, text in BANK.items()]
    (folder / "b.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    asked = [{"id": str(number), "bank": "x", "text": text} for number, text in enumerate(ASKED)]
    (folder / "q.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in asked), "utf-8")
    out = folder / f"r{seed}.jsonl"
    files: list[str | Path] = ["--bank", folder / "b.jsonl", "--queries", folder / "q.jsonl", "--out", out]
    subprocess.run(
        [sys.executable, "-m", "bot.cli", "eval", *files], check=True, env={**os.environ, "PYTHONHASHSEED": seed}
    )
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def test_eval_is_deterministic_and_of_the_documented_shape(tmp_path: Path) -> None:
    first = evaluated(tmp_path, "1")
    assert first == evaluated(tmp_path, "2")
    assert [row["query_id"] for row in first] == ["0", "1", "2"]
    assert {row["decision"] for row in first} <= {"answer", "choose", "handover"}
    assert first[0]["ranked"][0] == "a"
    assert all(0.0 <= row["p"] <= 1.0 for row in first)
