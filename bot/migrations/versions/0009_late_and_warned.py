"""What failed is found by index like what waits; what platforms told one process about a page, for all of them"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Any = None
depends_on: Any = None

MOMENT = sa.DateTime(timezone=True)
BEFORE = "status in ('queued','sending','uncertain','held')"
AFTER = "status in ('queued','sending','uncertain','held','failed')"
COLUMNS = (
    ("enforcement", sa.Text()),
    ("enforced_at", MOMENT),
    ("webhooks_refused", sa.BigInteger()),
    ("webhook_refused_at", MOMENT),
    ("webhook_genuine_at", MOMENT),
)


def upgrade() -> None:
    op.drop_index("ix_messages_open", table_name="messages", postgresql_where=BEFORE)
    op.create_index("ix_messages_open", "messages", ["status"], unique=False, postgresql_where=AFTER)
    for name, kind in COLUMNS:
        op.add_column("channel_conditions", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name, _ in reversed(COLUMNS):
        op.drop_column("channel_conditions", name)
    op.drop_index("ix_messages_open", table_name="messages", postgresql_where=AFTER)
    op.create_index("ix_messages_open", "messages", ["status"], unique=False, postgresql_where=BEFORE)
