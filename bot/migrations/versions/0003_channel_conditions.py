"""What platforms say about our accounts and quotas; since when a message has been failing"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Any = None
depends_on: Any = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "channel_conditions",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("barred_until", MOMENT, nullable=True),
        sa.Column("barred_for_s", sa.BigInteger(), nullable=True),
        sa.Column("trouble_vi", sa.Text(), nullable=True),
        sa.Column("trouble_at", MOMENT, nullable=True),
        sa.Column("refresh_begun_at", MOMENT, nullable=True),
        sa.Column("refresh_refused_at", MOMENT, nullable=True),
        sa.Column("token_expires_at", MOMENT, nullable=True),
        sa.Column("token_checked_at", MOMENT, nullable=True),
        sa.Column("quota_kind", sa.Text(), nullable=True),
        sa.Column("quota_left", sa.BigInteger(), nullable=True),
        sa.Column("quota_total", sa.BigInteger(), nullable=True),
        sa.Column("quota_until", MOMENT, nullable=True),
        sa.Column("usage_percent", sa.BigInteger(), nullable=True),
        sa.Column("usage_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("channel", "account", name=op.f("pk_channel_conditions")),
    )
    op.create_table(
        "citizen_quotas",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("citizen_ref", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("left", sa.BigInteger(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("channel", "citizen_ref", name=op.f("pk_citizen_quotas")),
    )
    op.create_index(op.f("ix_citizen_quotas_seen_at"), "citizen_quotas", ["seen_at"], unique=False)
    op.add_column("messages", sa.Column("failing_since", MOMENT, nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "failing_since")
    op.drop_table("citizen_quotas")
    op.drop_table("channel_conditions")
