"""What the answers room keeps in PostgreSQL. Only this room writes these tables; rows stay inside it.

No foreign key leaves the room: units, accounts and tickets are known here by code or number only.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.db import Base
from bot.contracts.ids import AccountId, BankId, EntryId, SubjectId, UnitCode


class BankRow(Base):
    """A question bank: one unit's list of entries under one name."""

    __tablename__ = "banks"
    __table_args__ = (UniqueConstraint("unit", "name"),)

    id: Mapped[BankId] = mapped_column(BigInteger, primary_key=True)
    unit: Mapped[UnitCode] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class EntryRow(Base):
    """An entry as it is now; `retired_at` set: no longer answered, kept for history."""

    __tablename__ = "entries"
    __table_args__ = (
        Index("ix_entries_bank_live", "bank", postgresql_where="retired_at is null"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("question <> ''", name="question"),
        CheckConstraint("valid_from is null or valid_until is null or valid_from <= valid_until", name="validity"),
    )

    id: Mapped[EntryId] = mapped_column(BigInteger, primary_key=True)
    bank: Mapped[BankId] = mapped_column(BigInteger, ForeignKey("banks.id"))
    version: Mapped[int]
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    subject: Mapped[SubjectId | None] = mapped_column(SmallInteger)
    legal_basis: Mapped[str] = mapped_column(Text)
    confirmed_on: Mapped[date | None]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    place: Mapped[str | None] = mapped_column(Text)
    ordinal: Mapped[int]
    """Place in the bank's own order, as the unit's file has it."""
    created_at: Mapped[datetime]
    created_by: Mapped[AccountId | None] = mapped_column(BigInteger)
    updated_at: Mapped[datetime]
    updated_by: Mapped[AccountId | None] = mapped_column(BigInteger)
    retired_at: Mapped[datetime | None]


class EntryVersionRow(Base):
    """What an entry said in each of its versions, the present one included."""

    __tablename__ = "entry_versions"

    entry: Mapped[EntryId] = mapped_column(BigInteger, ForeignKey("entries.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    change: Mapped[str] = mapped_column(Text)
    """A `Change`: added, changed, phrasing, retired or restored."""
    draft: Mapped[dict[str, Any]] = mapped_column(JSONB)
    by: Mapped[AccountId | None] = mapped_column(BigInteger)
    at: Mapped[datetime]
    why: Mapped[str] = mapped_column(Text)


class PhrasingRow(Base):
    """Another way to ask for an entry."""

    __tablename__ = "phrasings"
    __table_args__ = (UniqueConstraint("entry", "text"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry: Mapped[EntryId] = mapped_column(BigInteger, ForeignKey("entries.id"))
    text: Mapped[str] = mapped_column(Text)


class EmbeddingRow(Base):
    """A vector already paid for: of a text (by the hash of what the model read), by a model. float32, little-endian."""

    __tablename__ = "embeddings"

    text_hash: Mapped[str] = mapped_column(Text, primary_key=True)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class FaqIndexRow(Base):
    """The one row that says which generation of the banks is published, and how answers are decided for it."""

    __tablename__ = "faq_index"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    generation: Mapped[int]
    published_at: Mapped[datetime]
    target: Mapped[float | None]
    """Share of automatic answers that must be right, as an administrator set it; null: the setting."""
    calibration: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """A `Calibration` as JSON, fitted for `calibrated_for`; null: the shipped one."""
    calibrated_for: Mapped[int | None]
    calibrated_at: Mapped[datetime | None]
    calibration_check: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """The last `recalibrate.Check` as JSON: whether the calibration still holds; null: never looked at."""


class ShortFormRow(Base):
    """A change of staff to the shipped table of abbreviations; `ended_at` set: taken back, kept for history."""

    __tablename__ = "short_forms"
    __table_args__ = (
        Index("uq_short_forms_in_force", "short", "meaning", unique=True, postgresql_where="ended_at is null"),
        CheckConstraint("effect in ('added','dropped')", name="effect"),
        CheckConstraint("ended_at is null or ended_at >= at", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    short: Mapped[str] = mapped_column(Text)
    meaning: Mapped[str] = mapped_column(Text)
    effect: Mapped[str] = mapped_column(Text)
    """An `abbreviations.Effect`."""
    by: Mapped[AccountId | None] = mapped_column(BigInteger)
    at: Mapped[datetime]
    why: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[AccountId | None] = mapped_column(BigInteger)
    ended_why: Mapped[str] = mapped_column(Text)
