"""Vectors kept in PostgreSQL, so that a start embeds nothing again."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from sqlalchemy import ARRAY, ColumnElement, Text, any_, literal, select
from sqlalchemy.dialects.postgresql import insert

from bot.base.clock import now
from bot.base.db import Database, table_of
from faq.embed import Embedder, FloatArray, text_hash
from faq.entry import EntryDraft
from faq.index import pieces_of
from faq.normalise import Abbreviations
from faq.tables import EmbeddingRow

EMBED_AT_ONCE: Final = 32
STORE_AT_ONCE: Final = 256
READ_AT_ONCE: Final = 1000


async def load_vectors(
    database: Database,
    embedder: Embedder,
    texts: Sequence[str],
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, FloatArray]:
    """The vector of every text, from the database or computed now (and then stored)."""
    found = await _stored_vectors(database, embedder, texts)
    missing = [text for text in texts if text not in found]
    if missing:
        await embed_missing(database, embedder, missing, progress)
        found.update(await _stored_vectors(database, embedder, missing))
    return found


async def _stored_vectors(database: Database, embedder: Embedder, texts: Sequence[str]) -> dict[str, FloatArray]:
    found: dict[str, FloatArray] = {}
    by_hash = {text_hash(text): text for text in texts}
    hashes = list(by_hash)
    for at in range(0, len(hashes), READ_AT_ONCE):
        async with database.transaction() as session:
            rows = await session.execute(
                select(EmbeddingRow.text_hash, EmbeddingRow.vector).where(
                    EmbeddingRow.model == embedder.name, _is_one_of(hashes[at : at + READ_AT_ONCE])
                )
            )
            for key, stored in rows:
                found[by_hash[key]] = np.frombuffer(stored, "<f4").astype(np.float32)
    return found


def _is_one_of(hashes: Sequence[str]) -> ColumnElement[bool]:
    return EmbeddingRow.text_hash == any_(literal(list(hashes), ARRAY(Text)))


async def embed_missing(
    database: Database,
    embedder: Embedder,
    texts: Sequence[str],
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Compute and store the vectors that are not stored yet, some hundred a transaction; how many they were.

    Interrupted, it has kept what was stored: a second or two of work is lost. `texts` are what `texts_to_embed` gives.
    """
    by_hash = {text_hash(text): text for text in texts}
    hashes = list(by_hash)
    stored: set[str] = set()
    for at in range(0, len(hashes), READ_AT_ONCE):
        async with database.transaction() as session:
            stored.update(
                await session.scalars(
                    select(EmbeddingRow.text_hash).where(
                        EmbeddingRow.model == embedder.name, _is_one_of(hashes[at : at + READ_AT_ONCE])
                    )
                )
            )
    missing = sorted((key for key in hashes if key not in stored), key=lambda key: len(by_hash[key]))
    if progress and missing:
        progress(0, len(missing))
    rows: list[dict[str, object]] = []
    for at in range(0, len(missing), EMBED_AT_ONCE):
        batch = missing[at : at + EMBED_AT_ONCE]
        vectors = await asyncio.to_thread(embedder.embed, [by_hash[key] for key in batch])
        rows += [
            {"text_hash": key, "model": embedder.name, "vector": vector.astype("<f4").tobytes(), "created_at": now()}
            for key, vector in zip(batch, vectors, strict=True)
        ]
        if len(rows) >= STORE_AT_ONCE or at + len(batch) == len(missing):
            async with database.transaction() as session:
                await session.execute(insert(table_of(EmbeddingRow)).on_conflict_do_nothing(), rows)
            rows = []
        if progress:
            progress(at + len(batch), len(missing))
    return len(missing)


def texts_to_embed(drafts: Iterable[EntryDraft], table: Abbreviations) -> list[str]:
    """The texts of these entries that a search compares with, as the embedder reads them.

    `table` is `normalise.load_abbreviations(settings.abbreviations)`, the same that the engine uses.
    """
    return list(dict.fromkeys(piece.dense for draft in drafts for piece in pieces_of(draft, table)))
