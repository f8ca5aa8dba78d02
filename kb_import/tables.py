"""What the import room keeps: who brought which file when, what it changed (so that it can be undone), and mappings.

No foreign key leaves the room: banks, entries and accounts are known here by number only.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.db import Base
from bot.contracts.ids import AccountId, BankId, EntryId, UnitCode


class ImportRow(Base):
    """One applied import. Append-only, but for the mark that it was undone."""

    __tablename__ = "imports"
    __table_args__ = (Index("ix_imports_unit_at", "unit", "applied_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    unit: Mapped[UnitCode] = mapped_column(Text)
    bank: Mapped[BankId] = mapped_column(BigInteger)
    bank_name: Mapped[str] = mapped_column(Text)
    file_name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text)
    applied_at: Mapped[datetime]
    by: Mapped[AccountId | None] = mapped_column(BigInteger)
    """None: the command line."""
    added: Mapped[int]
    changed: Mapped[int]
    retired: Mapped[int]
    unchanged: Mapped[int]
    problems: Mapped[int]
    """Findings that were shown and accepted."""
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[AccountId | None] = mapped_column(BigInteger)


class ImportChangeRow(Base):
    """What one import did to one entry."""

    __tablename__ = "import_changes"
    __table_args__ = (CheckConstraint("kind in ('add', 'change', 'retire')", name="kind"),)

    import_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("imports.id"), primary_key=True)
    entry: Mapped[EntryId] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The draft before; null for an entry that was added."""
    version: Mapped[int]
    """The entry's version right after: undo is refused once somebody has changed it again."""


class ImportPhrasingsRow(Base):
    """The other ways to ask that an import's file held for one entry.

    Those of the last import that stands came from the unit's file; all others of the entry were added by editors.
    """

    __tablename__ = "import_phrasings"

    import_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("imports.id"), primary_key=True)
    entry: Mapped[EntryId] = mapped_column(BigInteger, primary_key=True)
    phrasings: Mapped[list[str]] = mapped_column(JSONB)


class ImportMappingRow(Base):
    """How a unit's columns are to be read when a header is not certain: settled once, remembered for its next file."""

    __tablename__ = "import_mappings"
    __table_args__ = (UniqueConstraint("unit", "signature"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    unit: Mapped[UnitCode] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(Text)
    """The header's words, folded (`SheetLayout.signature`)."""
    mapping: Mapped[str] = mapped_column(Text)
    """As --map takes it, without the sheet's name; "skip" under the signature of a sheet that is left out."""
    at: Mapped[datetime]
    by: Mapped[AccountId | None] = mapped_column(BigInteger)
