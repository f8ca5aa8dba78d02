"""Bring a database to today's tables. One Alembic history for all rooms."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from bot.base.db import sqlalchemy_url

HERE = Path(__file__).parent


def alembic_config(url: str) -> Config:
    """Alembic's configuration without a file."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["url"] = sqlalchemy_url(url)
    return config


def migrate(url: str, revision: str = "head") -> None:
    """Run every migration that this database has not seen. Safe to call again; two callers wait for each other."""
    command.upgrade(alembic_config(url), revision)


def downgrade(url: str, revision: str = "base") -> None:
    """Undo migrations down to `revision`."""
    command.downgrade(alembic_config(url), revision)
