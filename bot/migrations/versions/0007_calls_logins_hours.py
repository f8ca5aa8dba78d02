"""Messages told by phone; where people are logged in; when a unit can be reached"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Any = None
depends_on: Any = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=True),
        sa.Column("called_by", sa.BigInteger(), nullable=True),
        sa.Column("called_at", MOMENT, nullable=True),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("outcome in ('told','unreached')", name=op.f("ck_calls_outcome")),
        sa.CheckConstraint("(outcome is null) = (called_at is null)", name=op.f("ck_calls_outcome_has_time")),
        sa.ForeignKeyConstraint(["asked_by"], ["accounts.id"], name=op.f("fk_calls_asked_by_accounts")),
        sa.ForeignKeyConstraint(["called_by"], ["accounts.id"], name=op.f("fk_calls_called_by_accounts")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_calls")),
    )
    op.create_table(
        "logins",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(100), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_logins_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logins")),
    )
    op.create_index(
        "ix_logins_account_id", "logins", ["account_id"], unique=False, postgresql_where=sa.text("ended_at is null")
    )
    op.add_column("units", sa.Column("hours", sa.String(200), nullable=True))


def downgrade() -> None:
    op.drop_column("units", "hours")
    op.drop_table("logins")
    op.drop_table("calls")
