"""Short forms that staff add to the shipped table, or drop from it"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Any = None
depends_on: Any = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "short_forms",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("short", sa.Text(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=False),
        sa.CheckConstraint("effect in ('added','dropped')", name=op.f("ck_short_forms_effect")),
        sa.CheckConstraint("ended_at is null or ended_at >= at", name=op.f("ck_short_forms_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_short_forms")),
    )
    op.create_index(
        "uq_short_forms_in_force",
        "short_forms",
        ["short", "meaning"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )


def downgrade() -> None:
    op.drop_table("short_forms")
