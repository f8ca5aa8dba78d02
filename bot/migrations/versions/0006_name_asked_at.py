"""When a platform was last asked for a citizen's name"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Any = None
depends_on: Any = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("name_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_conversations_unnamed",
        "conversations",
        ["channel", "last_inbound_at"],
        unique=False,
        postgresql_where=sa.text("citizen_name is null"),
    )


def downgrade() -> None:
    op.drop_index("ix_conversations_unnamed", table_name="conversations")
    op.drop_column("conversations", "name_asked_at")
