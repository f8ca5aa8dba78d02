"""Until the first release: every room's tables as the models say; replaced by the generated migration."""

from typing import Any

from alembic import op

from bot.base.db import Base

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Any = None
depends_on: Any = None


def upgrade() -> None:
    Base.metadata.create_all(op.get_bind())


def downgrade() -> None:
    Base.metadata.drop_all(op.get_bind())
