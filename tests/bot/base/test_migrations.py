"""Up, the same as the models; down, nothing left; up again."""

import importlib

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, pool

from bot.base.db import Base, sqlalchemy_url
from bot.migrations.run import downgrade, migrate

ROOMS = ("bot.conversation", "faq", "handoff", "kb_import", "connectors")
LEFT = """
select relname from pg_class join pg_namespace n on n.oid = relnamespace
where n.nspname = 'public' and relkind in ('r', 'S', 'v') and relname <> 'alembic_version'
union all select typname from pg_type join pg_namespace n on n.oid = typnamespace
where n.nspname = 'public' and typname like 'procrastinate%%'
union all select proname from pg_proc join pg_namespace n on n.oid = pronamespace
where n.nspname = 'public' and proname like 'procrastinate%%'
"""


def differences(url: str) -> list[object]:
    for room in ROOMS:
        importlib.import_module(f"{room}.tables")
    engine = create_engine(sqlalchemy_url(url), poolclass=pool.NullPool)
    with engine.connect() as connection:
        ours = set(Base.metadata.tables)
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _, name, kind, reflected, __: kind != "table" or not reflected or name in ours,
            },
        )
        return list(compare_metadata(context, Base.metadata))


def left(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(LEFT.replace("%%", "%")).fetchall()]


def test_the_migrations_make_what_the_models_say(database_url: str) -> None:
    assert differences(database_url) == []


def test_migrating_again_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    assert differences(database_url) == []


def test_down_leaves_nothing_and_up_works_again(database_url: str) -> None:
    downgrade(database_url)
    assert left(database_url) == []
    migrate(database_url)
    assert differences(database_url) == []


@pytest.mark.parametrize("table", ["messages", "tickets", "entries", "procrastinate_jobs"])
def test_the_comparison_would_notice(database_url: str, table: str) -> None:
    assert table in left(database_url)
