"""When the calibration of the answers was last looked at, and what came of it"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Any = None
depends_on: Any = None


def upgrade() -> None:
    column = sa.Column("calibration_check", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    op.add_column("faq_index", column)


def downgrade() -> None:
    op.drop_column("faq_index", "calibration_check")
