"""Alembic's entry: connects, takes a lock so that two starts don't migrate at once, and runs the migrations."""

import importlib
import importlib.util

from alembic import context
from sqlalchemy import create_engine, pool, text

from bot.base.db import Base

TABLES = ("bot.conversation.tables", "faq.tables", "handoff.tables", "kb_import.tables", "connectors.tables")
for module in TABLES:
    if importlib.util.find_spec(module):
        importlib.import_module(module)

MIGRATION_LOCK = 1_022_001


def ours(_: object, name: str | None, kind: str, __: bool, ___: object) -> bool:
    """Leave the tables of procrastinate and Rasa alone."""
    return not (kind == "table" and name is not None and name.startswith(("procrastinate_", "events")))


def run() -> None:
    """Run the migrations on the address that `bot.migrations.run` gave."""
    engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.commit()
        context.configure(connection=connection, target_metadata=Base.metadata, include_object=ours, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
