"""The token pair: one process refreshes, ahead of time, and nothing is lost on the way."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.errors import Action, GiveUp, RetryLater
from connectors.tables import ChannelTokenRow
from connectors.zalo import tokens as tokens_module
from connectors.zalo.connector import ZaloConnector
from connectors.zalo.oauth import TokenPair, challenge_of, new_consent
from tests.connectors.zalo.conftest import CITIZEN, KEY, outbound, settings_for
from tests.simulators.zalo import ZaloSimulator


async def rows(database: Database) -> list[ChannelTokenRow]:
    async with database.transaction() as session:
        return list((await session.execute(select(ChannelTokenRow).order_by(ChannelTokenRow.id))).scalars())


async def test_the_settings_seed_the_store_once_and_sealed(connector: ZaloConnector, database: Database) -> None:
    await connector.send(outbound())
    await connector.send(outbound())
    (row,) = await rows(database)
    assert row.origin == "settings"
    assert b"sim-access-0" not in row.sealed_access
    assert b"sim-refresh-0" not in row.sealed_refresh


async def test_a_token_is_replaced_five_hours_ahead(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    await connector.tokens.access(now())
    assert zalo.refreshes == []
    await connector.tokens.access(now() + timedelta(hours=20, minutes=1))
    assert zalo.refreshes == ["sim-refresh-0"]
    await connector.send(outbound())
    assert len(zalo.to(CITIZEN)) == 1


async def test_twenty_processes_refresh_once(zalo: ZaloSimulator, database: Database) -> None:
    """Each has its own connector, its own cache and its own database connections; the token works only once."""
    databases = [Database(database.url, pool_size=2) for _ in range(10)]
    connectors = [ZaloConnector(settings_for(zalo), one, KEY) for one in databases for _ in range(2)]
    await asyncio.gather(*(one.send(outbound()) for one in connectors))
    zalo.expire_tokens()
    await asyncio.gather(*(one.send(outbound()) for one in connectors))
    assert zalo.refreshes == ["sim-refresh-0"]
    assert len(zalo.to(CITIZEN)) == 40
    for connector in connectors:
        await connector.close()
    for one in databases:
        await one.close()


@pytest.mark.parametrize("code", [-216, -220])
async def test_a_refused_token_is_replaced_once_and_the_message_goes_out(
    code: int, zalo: ZaloSimulator, connector: ZaloConnector
) -> None:
    zalo.faults.next_codes = [code]
    await connector.send(outbound())
    assert len(zalo.refreshes) == 1
    assert len(zalo.to(CITIZEN)) == 1


async def test_earlier_pairs_are_kept(zalo: ZaloSimulator, connector: ZaloConnector, database: Database) -> None:
    for _ in range(8):
        await connector.tokens.replace(await connector.tokens.access(now()), now())
    kept = await rows(database)
    assert [one.origin for one in kept] == ["refresh"] * tokens_module.PAIRS_KEPT


async def test_the_pair_in_force_serves_while_refreshing_fails(zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    token = await connector.tokens.access(now())
    zalo.live_refresh.clear()  # somebody used the grant elsewhere
    later = now() + timedelta(hours=21)
    assert await connector.tokens.access(later) == token
    assert await connector.tokens.access(later + timedelta(minutes=1)) == token
    assert len(zalo.refreshes) == 1  # no storm
    (warning,) = await connector.tokens.warnings(later + timedelta(hours=1))
    assert warning.startswith("Zalo không nhận mã làm mới. Quản trị viên OA cần cấp quyền lại")
    assert "Mã đang dùng hết hạn lúc" in warning
    with pytest.raises(GiveUp, match="cấp quyền lại") as failed:
        await connector.tokens.access(now() + timedelta(hours=26))
    assert failed.value.action is Action.OPERATOR


async def test_the_operator_is_told_before_the_grant_ends(connector: ZaloConnector) -> None:
    assert await connector.warnings() == ()
    await connector.keep_fresh()
    assert await connector.warnings() == ()
    soon = now() + timedelta(days=80)
    assert any("hết hạn" in one for one in await connector.tokens.warnings(soon))


async def test_without_any_token_the_operator_must_act(zalo: ZaloSimulator, database: Database) -> None:
    connector = ZaloConnector(settings_for(zalo, access_token="", refresh_token=""), database, KEY)
    with pytest.raises(GiveUp, match="Chưa cấp quyền") as failed:
        await connector.send(outbound())
    assert failed.value.action is Action.OPERATOR
    assert "chưa được cấp quyền" in (await connector.warnings())[0]
    await connector.close()


async def test_another_secret_key_cannot_read_the_pair(
    zalo: ZaloSimulator, connector: ZaloConnector, database: Database
) -> None:
    await connector.send(outbound())
    stranger = ZaloConnector(settings_for(zalo), database, b"another key")
    with pytest.raises(GiveUp, match="khoá bí mật đã đổi"):
        await stranger.send(outbound())
    assert "khoá bí mật đã đổi" in (await stranger.warnings())[0]
    await stranger.close()


async def test_first_authorisation(zalo: ZaloSimulator, database: Database) -> None:
    callback = "https://1022.example/zalo/callback"
    settings = settings_for(zalo, access_token="", refresh_token="", callback_url=callback)
    connector = ZaloConnector(settings, database, KEY)
    consent = connector.new_consent()
    assert len(consent.verifier) == 43
    async with httpx.AsyncClient() as browser:
        page = (await browser.get(consent.url)).text
    target = httpx.URL(page.split('href="')[1].split('"')[0])
    assert target.params["state"] == consent.state
    with pytest.raises(GiveUp):
        await connector.finish_consent("wrong", consent.verifier)
    await connector.finish_consent(target.params["code"], consent.verifier)
    await connector.send(outbound())
    (row,) = await rows(database)
    assert row.origin == "consent"
    with pytest.raises(GiveUp):  # a code works once
        await connector.finish_consent(target.params["code"], consent.verifier)
    await connector.close()


def test_a_fixed_verifier_is_used_when_the_console_holds_the_challenge(zalo: ZaloSimulator) -> None:
    fixed = new_consent(settings_for(zalo, code_verifier="v" * 43))
    assert fixed.verifier == "v" * 43
    assert httpx.URL(fixed.url).params["code_challenge"] == challenge_of("v" * 43)
    assert new_consent(settings_for(zalo)).verifier != new_consent(settings_for(zalo)).verifier


def test_challenge_is_that_of_rfc_7636() -> None:
    """Appendix B of the RFC."""
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_a_new_pair_survives_a_database_that_stumbles(
    zalo: ZaloSimulator, connector: ZaloConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit fails once, as when PostgreSQL is killed; the pair is not let go."""
    real = connector.tokens._insert
    failures: list[int] = []

    async def stumble(*given: object) -> None:
        if not failures:
            failures.append(1)
            raise DBAPIError("commit", None, ConnectionError("killed"))
        await real(*given)  # type: ignore[arg-type]

    await connector.tokens.access(now())
    monkeypatch.setattr(connector.tokens, "_insert", stumble)
    new = await connector.tokens.replace("sim-access-0", now())
    assert failures
    assert (await connector.tokens.current() or pytest.fail("nothing stored")).access == new


async def test_oauth_without_an_answer_is_retried_later(zalo: ZaloSimulator, database: Database) -> None:
    connector = ZaloConnector(settings_for(zalo, oauth_base="http://127.0.0.1:9"), database, KEY)
    zalo.expire_tokens()
    with pytest.raises(RetryLater):
        await connector.send(outbound())
    assert zalo.to(CITIZEN) == []
    await connector.close()


async def test_the_lock_is_let_go_afterwards(connector: ZaloConnector, database: Database) -> None:
    await connector.send(outbound())
    async with database.transaction() as session:
        held = await session.execute(
            text(
                "select count(*) from pg_locks join pg_database on pg_database.oid = pg_locks.database "
                "where locktype = 'advisory' and datname = current_database()"
            )
        )
        assert held.scalar_one() == 0


def test_a_pair_does_not_print_its_tokens() -> None:
    assert "secret" not in repr(TokenPair("secret-a", "secret-r", now(), now()))
