"""The composition root: what the gateway serves with and without the platforms' settings."""

from pathlib import Path

import httpx
import pytest

from bot.app import build_gateway
from bot.base.settings import HouseSettings

ZALO = {"ZALO_APP_ID": "1", "ZALO_APP_SECRET": "2", "ZALO_OA_SECRET": "3"}


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> HouseSettings:
    """A house whose parts are built but not connected."""
    return HouseSettings(database_url=database_url, tongdai_data_dir=tmp_path)


async def answered(settings: HouseSettings, method: str, path: str) -> httpx.Response:
    """One request to a gateway that was just built."""
    transport = httpx.ASGITransport(app=build_gateway(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
        return await client.request(method, path)


async def test_a_channel_without_settings_is_off_and_says_so(settings: HouseSettings) -> None:
    response = await answered(settings, "POST", "/webhooks/zalo")
    assert response.status_code == 503
    assert "ZALO_APP_ID" in response.json()["message"]


async def test_an_unknown_channel_is_not_found(settings: HouseSettings) -> None:
    assert (await answered(settings, "POST", "/webhooks/fax")).status_code == 404
    assert (await answered(settings, "POST", "/webhooks/webchat")).status_code == 404


async def test_only_an_administrator_lets_us_write_in_the_accounts_name(
    settings: HouseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ZALO.items():
        monkeypatch.setenv(name, value)
    response = await answered(settings, "GET", "/zalo/consent")
    assert response.status_code == 403
    assert "quản trị" in response.text


async def test_a_webhook_that_nobody_signed_is_refused(
    settings: HouseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ZALO.items():
        monkeypatch.setenv(name, value)
    transport = httpx.ASGITransport(app=build_gateway(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
        signed = {"x-zevent-signature": "mac=" + "0" * 64}
        body = {"app_id": "1", "event_name": "user_send_text", "timestamp": "1764000000000"}
        assert (await client.post("/webhooks/zalo", json=body, headers=signed)).status_code == 403
        assert (await client.post("/webhooks/zalo", content=b"x" * 10_000_000)).status_code == 413


async def test_metrics_are_for_this_machine(settings: HouseSettings) -> None:
    transport = httpx.ASGITransport(app=build_gateway(settings), client=("203.0.113.7", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
        assert (await client.get("/metrics")).status_code == 403
    near = httpx.ASGITransport(app=build_gateway(settings), client=("127.0.0.1", 4000))
    async with httpx.AsyncClient(transport=near, base_url="http://house") as client:
        assert "tongdai_messages_total" in (await client.get("/metrics")).text
