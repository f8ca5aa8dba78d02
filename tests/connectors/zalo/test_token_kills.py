"""A process is killed in the middle of a token refresh: what is lost, what is not, and what the operator is told."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.errors import GiveUp, RetryLater
from connectors.zalo import tokens as tokens_module
from connectors.zalo.connector import ZaloConnector
from connectors.zalo.oauth import TokenPair
from tests.connectors.zalo.conftest import CITIZEN, KEY, outbound, settings_for
from tests.simulators.zalo import ZaloSimulator

ROOT = Path(__file__).resolve().parents[3]
REFRESHER = """
import asyncio, sys
from bot.base.clock import now
from bot.base.db import Database
from connectors.zalo.connector import ZaloConnector
from connectors.zalo.settings import ZaloSettings

async def main():
    database = Database(sys.argv[1])
    connector = ZaloConnector(ZaloSettings(_env_file=None, timeout_s=300.0), database, sys.argv[2].encode())
    token = await connector.tokens.access(now())
    print("refreshing", flush=True)
    await connector.tokens.replace(token, now())

asyncio.run(main())
"""


def refresh_and_die(zalo: ZaloSimulator, database: Database, *, granted: bool) -> None:
    """Another process asks for a new pair and is killed with -9 before it has the answer."""
    zalo.faults.hang_refresh = "after" if granted else "before"
    environment = {**os.environ, **zalo.environment()}
    process = subprocess.Popen(
        [sys.executable, "-c", REFRESHER, database.url, KEY.decode()], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"refreshing\n"
    deadline = time.monotonic() + 240
    while not zalo.refreshes:
        assert process.poll() is None, "it ended before it asked"
        assert time.monotonic() < deadline, "it never asked"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    zalo.faults.hang_refresh = ""


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next process comes up when a request of the dead one can't be under way any more."""
    monkeypatch.setattr(tokens_module, "IN_FLIGHT", timedelta(0))


def files_in(folder: Path) -> list[tuple[int, bytes]]:
    """Rights and content of each."""
    return [(one.stat().st_mode & 0o777, one.read_bytes()) for one in folder.iterdir()]


async def test_zalo_never_got_the_request_so_the_old_token_still_works(
    zalo: ZaloSimulator, database: Database, later: None
) -> None:
    await asyncio.to_thread(refresh_and_die, zalo, database, granted=False)
    survivor = ZaloConnector(settings_for(zalo), database, KEY)
    assert "chưa có kết quả" in (await survivor.warnings())[0]
    zalo.expire_tokens()
    await survivor.send(outbound())
    assert len(zalo.to(CITIZEN)) == 1
    assert zalo.refreshes == ["sim-refresh-0", "sim-refresh-0"]
    assert await survivor.warnings() == ()
    await survivor.close()


async def test_zalo_had_said_yes_so_the_grant_is_lost_and_consent_is_the_way_out(
    zalo: ZaloSimulator, database: Database, later: None
) -> None:
    await asyncio.to_thread(refresh_and_die, zalo, database, granted=True)
    settings = settings_for(zalo, callback_url="https://1022.example/zalo/callback")
    survivor = ZaloConnector(settings, database, KEY)
    for _ in range(3):
        with pytest.raises(GiveUp, match="cấp quyền lại"):
            await survivor.send(outbound())
    assert zalo.refreshes == ["sim-refresh-0", "sim-refresh-0"]  # asked once more, then left in peace
    warning = (await survivor.warnings())[0]
    assert "trang /zalo/consent" in warning
    assert "bị ngắt giữa chừng" in warning
    consent = survivor.new_consent()
    code = zalo.consent_code(consent.url)
    await survivor.finish_consent(code, consent.verifier)
    assert await survivor.tokens.warnings(now()) == ()
    await survivor.send(outbound())
    assert len(zalo.to(CITIZEN)) == 1
    assert await survivor.warnings() == ()
    await survivor.close()


async def test_a_refresh_that_may_still_be_under_way_is_not_begun_again(
    zalo: ZaloSimulator, database: Database
) -> None:
    """PostgreSQL was killed and the lock with it, or the process just died: wait before the old token is used."""
    await asyncio.to_thread(refresh_and_die, zalo, database, granted=False)
    other = ZaloConnector(settings_for(zalo), database, KEY)
    zalo.expire_tokens()
    with pytest.raises(RetryLater, match="under way"):
        await other.send(outbound())
    assert zalo.refreshes == ["sim-refresh-0"]
    await other.close()


async def test_nothing_leaves_before_it_is_written_down(
    zalo: ZaloSimulator, connector: ZaloConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await connector.tokens.access(now())

    async def away(**fields: object) -> None:
        raise DBAPIError("commit", None, ConnectionError("killed"))

    monkeypatch.setattr(connector.tokens, "_note_now", away)
    with pytest.raises(DBAPIError):
        await connector.tokens.replace(token, now())
    assert zalo.refreshes == []


async def test_a_pair_that_postgresql_can_not_take_survives_the_process(
    zalo: ZaloSimulator, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is there, PostgreSQL is gone, then the process dies too: the pair lies sealed in the data folder."""
    first = ZaloConnector(settings_for(zalo), database, KEY, storage=tmp_path)
    token = await first.tokens.access(now())

    async def gone(*_: object) -> None:
        raise DBAPIError("insert", None, ConnectionError("killed"))

    loop, put_aside, lies_there = asyncio.get_running_loop(), first.tokens._put_aside, asyncio.Event()

    def and_say_so(pair: TokenPair) -> None:
        put_aside(pair)
        loop.call_soon_threadsafe(lies_there.set)

    monkeypatch.setattr(first.tokens, "_insert", gone)
    monkeypatch.setattr(first.tokens, "_put_aside", and_say_so)
    refreshing = asyncio.create_task(first.tokens.replace(token, now()))
    await lies_there.wait()
    refreshing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await refreshing
    ((rights, content),) = files_in(tmp_path)
    assert rights == 0o600
    assert all(one.encode() not in content for one in zalo.access)
    second = ZaloConnector(settings_for(zalo), database, KEY, storage=tmp_path)
    await second.send(outbound())
    assert len(zalo.to(CITIZEN)) == 1
    assert zalo.refreshes == ["sim-refresh-0"]
    assert files_in(tmp_path) == []
    assert await second.warnings() == ()
    for one in (first, second):
        await one.close()


@pytest.mark.parametrize("content", [b"", b"half a tok", b"\xff" * 300])
async def test_an_unreadable_pair_aside_is_dropped(
    content: bytes, zalo: ZaloSimulator, database: Database, tmp_path: Path
) -> None:
    (tmp_path / tokens_module.RESCUED).write_bytes(content)
    connector = ZaloConnector(settings_for(zalo), database, KEY, storage=tmp_path)
    await connector.send(outbound())
    assert files_in(tmp_path) == []
    await connector.close()
