"""Fetching what citizens attach: from the platform only, bounded, kept as data."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.base.db import Database
from bot.contracts.messages import Attachment, Kind
from connectors.attachments import FetchRefused, Sources, _resolve, fetch, type_of
from connectors.messenger.connector import MessengerConnector
from connectors.messenger.settings import MessengerSettings
from connectors.zalo.settings import ZaloSettings
from tests.connectors.messenger.conftest import settings_for
from tests.simulators.messenger import MessengerSimulator

HOSTS = Sources(hosts=("fbcdn.net",))
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100
PUBLIC = "157.240.7.1"


async def public(host: str, port: int) -> list[str]:
    return [PUBLIC]


def answering(content: bytes = PNG, status: int = 200, **more: str) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, content=content, headers=more))


def image(url: str | None = "https://scontent.xx.fbcdn.net/i.jpg?x=1", name: str | None = None) -> Attachment:
    return Attachment(Kind.IMAGE, url=url, name=name)


def files_in(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Relative path → rights and content."""
    found = [one for one in folder.rglob("*") if one.is_file()]
    return {str(one.relative_to(folder)): (one.stat().st_mode & 0o777, one.read_bytes()) for one in found}


async def test_it_is_kept_under_a_name_of_ours(tmp_path: Path) -> None:
    kept = await fetch(image(name="../../x.sh"), HOSTS, tmp_path, resolve=public, transport=answering())
    assert kept.path is not None
    assert (kept.size, kept.mime) == (len(PNG), "image/png")
    assert kept.path.endswith(".png")
    assert ".." not in kept.path
    assert files_in(tmp_path) == {kept.path: (0o600, PNG)}


async def test_the_connection_goes_to_the_address_that_was_checked(tmp_path: Path) -> None:
    """No second look-up, so a name can't turn to our own network in between; the certificate is still the name's."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=PNG)

    await fetch(image(), HOSTS, tmp_path, resolve=public, transport=httpx.MockTransport(answer))
    assert seen[0].url.host == PUBLIC
    assert seen[0].headers["host"] == "scontent.xx.fbcdn.net"
    assert seen[0].extensions["sni_hostname"] == "scontent.xx.fbcdn.net"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "not_https"),
        ("", "not_https"),
        ("http://scontent.xx.fbcdn.net/i.jpg", "not_https"),
        ("file:///etc/passwd", "not_https"),
        ("https://user@scontent.xx.fbcdn.net/i.jpg", "not_https"),
        ("https://scontent.xx.fbcdn.net:8443/i.jpg", "not_https"),
        ("https://evil.example/i.jpg", "foreign_host"),
        ("https://fbcdn.net.evil.example/i.jpg", "foreign_host"),
        ("https://notfbcdn.net/i.jpg", "foreign_host"),
        ("https://127.0.0.1/i.jpg", "foreign_host"),
        ("https://[::1]/i.jpg", "foreign_host"),
        ("https://evil.example\\@fbcdn.net/i.jpg", ""),
        ("https://a\x00b/", "bad_url"),
    ],
)
async def test_other_places_are_never_asked(url: str | None, why: str, tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"asked {request.url}")

    with pytest.raises(FetchRefused, match=why):
        await fetch(image(url), HOSTS, tmp_path, resolve=public, transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.5",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fe80::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "224.0.0.1",
    ],
)
async def test_names_that_point_into_our_network_are_refused(address: str, tmp_path: Path) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return [PUBLIC, address]

    with pytest.raises(FetchRefused, match="private_address"):
        await fetch(image(), HOSTS, tmp_path, resolve=resolve, transport=answering())


async def test_unknown_names(tmp_path: Path) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(FetchRefused, match="unknown_host"):
        await fetch(image(), HOSTS, tmp_path, resolve=resolve)
    assert "127.0.0.1" in await _resolve("localhost", 443)


@pytest.mark.parametrize("status", [301, 302, 404, 500])
async def test_redirects_are_not_followed(status: int, tmp_path: Path) -> None:
    transport = answering(b"", status, location="http://169.254.169.254/")
    with pytest.raises(FetchRefused, match=f"status_{status}"):
        await fetch(image(), HOSTS, tmp_path, resolve=public, transport=transport)


async def test_too_large(tmp_path: Path) -> None:
    with pytest.raises(FetchRefused, match="too_large"):
        await fetch(image(), HOSTS, tmp_path, max_bytes=50, resolve=public, transport=answering())
    assert files_in(tmp_path) == {}


async def test_too_slow(tmp_path: Path) -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b"0"
            await asyncio.sleep(0.02)

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=drip()))
    with pytest.raises(FetchRefused, match="too_slow"):
        await fetch(image(), HOSTS, tmp_path, total_s=0.2, resolve=public, transport=transport)


async def test_a_broken_connection(tmp_path: Path) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused") from ssl.SSLError()

    with pytest.raises(FetchRefused, match="failed_ConnectError"):
        await fetch(image(), HOSTS, tmp_path, resolve=public, transport=httpx.MockTransport(answer))


async def test_an_origin_of_the_settings_is_trusted(tmp_path: Path) -> None:
    sources = Sources(hosts=(), origins=("http://127.0.0.1:8091",))
    kept = await fetch(image("http://127.0.0.1:8091/s.png"), sources, tmp_path, transport=answering())
    assert kept.path is not None
    with pytest.raises(FetchRefused):
        await fetch(image("http://127.0.0.1:8092/s.png"), sources, tmp_path, transport=answering())


@pytest.mark.parametrize(
    ("content", "name", "ending"),
    [
        (b"\xff\xd8\xff\xe0", "x", "jpg"),
        (b"GIF89a", "x", "gif"),
        (b"RIFF0000WEBP", "x", "webp"),
        (b"%PDF-1.7", "x.exe", "pdf"),
        (b"#!AMR\n", "v", "amr"),
        (b"0000ftypisom", "v", "mp4"),
        (b"PK\x03\x04", "đơn.DOCX", "docx"),
        (b"\xd0\xcf\x11\xe0", "đơn.doc", "doc"),
    ],
)
def test_types_we_keep(content: bytes, name: str, ending: str) -> None:
    assert type_of(content, name)[0] == ending


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "x.png"),
        (b"<html><script>", "x.png"),
        (b"<svg onload=", "x.svg"),
        (b"MZ\x90", "x.jpg"),
        (b"\x7fELF", "x.pdf"),
        (b"#!/bin/sh", "x.png"),
        (b"PK\x03\x04", "x.jar"),
        (b"PK\x03\x04", "x.apk"),
    ],
)
def test_types_we_do_not_keep(content: bytes, name: str) -> None:
    with pytest.raises(FetchRefused, match="unwanted_type"):
        type_of(content, name)


async def test_a_sticker_is_fetched_from_the_platform_that_sent_it(tmp_path: Path, database: Database) -> None:
    simulator = MessengerSimulator().start()
    connector = MessengerConnector(settings_for(simulator), database, storage=tmp_path)
    kept = await connector.fetch(Attachment(Kind.STICKER, url=f"{simulator.url}/s.png"))
    assert kept.mime == "image/png"
    with pytest.raises(FetchRefused, match="no_storage"):
        await MessengerConnector(settings_for(simulator), database).fetch(kept)
    await connector.close()
    simulator.stop()


def test_real_platforms_trust_no_plain_origin() -> None:
    for settings in (MessengerSettings(_env_file=None), ZaloSettings(_env_file=None)):
        assert settings.sources.origins == ()
        assert settings.sources.hosts
