"""Which ways to ask came from a unit's files"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Any = None
depends_on: Any = None

FROM_FIRST_VERSIONS = """
insert into import_phrasings (import_id, entry, phrasings)
select changed.import_id, changed.entry, kept.draft -> 'phrasings'
from import_changes changed
join entry_versions kept on kept.entry = changed.entry and kept.version = changed.version
where changed.kind = 'add' and kept.draft -> 'phrasings' <> '[]'
"""
"""An entry that an import added held, right after, the file's phrasings and no others."""


def upgrade() -> None:
    op.create_table(
        "import_phrasings",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("phrasings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_import_phrasings_import_id_imports")),
        sa.PrimaryKeyConstraint("import_id", "entry", name=op.f("pk_import_phrasings")),
    )
    op.execute(FROM_FIRST_VERSIONS)


def downgrade() -> None:
    op.drop_table("import_phrasings")
