"""The job queue (procrastinate's own schema)."""

from typing import Any

from alembic import op
from procrastinate.schema import SchemaManager

revision: str = "0001"
down_revision: str | None = None
branch_labels: Any = None
depends_on: Any = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))


def downgrade() -> None:
    bind = op.get_bind()
    bind.exec_driver_sql(
        "drop table if exists procrastinate_events, procrastinate_periodic_defers, "
        "procrastinate_jobs, procrastinate_workers cascade"
    )
    for row in bind.exec_driver_sql(
        "select oid::regprocedure::text from pg_proc where proname like 'procrastinate%%'"
    ).fetchall():
        bind.exec_driver_sql(f"drop function if exists {row[0]} cascade")
    for row in bind.exec_driver_sql(
        "select typname from pg_type where typname like 'procrastinate%%' and typtype in ('e','c') and typrelid = 0"
    ).fetchall():
        bind.exec_driver_sql(f"drop type if exists {row[0]} cascade")
    for row in bind.exec_driver_sql(
        "select typname from pg_type t join pg_class c on c.oid = t.typrelid "
        "where typname like 'procrastinate%%' and c.relkind = 'c'"
    ).fetchall():
        bind.exec_driver_sql(f"drop type if exists {row[0]} cascade")
