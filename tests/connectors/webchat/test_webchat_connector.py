"""The connector, and the pages as files."""

from datetime import UTC, datetime

import httpx
import pytest

from bot.base.db import Database
from bot.base.notify import Listener
from bot.contracts.connector import Connector, WindowState
from bot.contracts.errors import PayloadRefused, SignatureRefused
from bot.contracts.ids import MessageId
from bot.contracts.messages import Author, Outbound
from connectors.webchat.connector import WebchatConnector
from connectors.webchat.pages import STATIC
from connectors.webchat.parse import WEBCHAT
from connectors.webchat.settings import WebchatSettings
from tests.connectors.webchat.conftest import app_with
from tests.connectors.webchat.house import House

NOW = datetime(2026, 11, 24, tzinfo=UTC)


async def test_connector_keeps_the_contract_of_a_pulling_channel(news_database: Database) -> None:
    connector: Connector = WebchatConnector(news_database)
    assert connector.capabilities.pulls
    with pytest.raises(SignatureRefused):
        connector.verify(b"{}", {}, NOW)
    with pytest.raises(PayloadRefused):
        connector.parse(b"{}")
    assert connector.window(None, Author.BOT, NOW).state is WindowState.OPEN
    outbound = Outbound(MessageId(7), WEBCHAT, "w1", Author.BOT, "Chào bạn", NOW)
    assert (await connector.send(outbound)).provider_message_ids == ("7",)
    assert await connector.find_sent(outbound) == await connector.send(outbound)
    await connector.close()


async def test_typing_reaches_open_pages_and_never_raises(news_database: Database, listener: Listener) -> None:
    async with listener.subscribe("typing") as news:
        await WebchatConnector(news_database).show_typing("w1")
        heard = await news.get()
    assert heard["citizen_ref"] == "w1"
    away = Database("postgresql://nobody@127.0.0.1:1/nothing")
    await WebchatConnector(away).show_typing("w1")
    await away.close()


async def test_pages_say_who_runs_them_and_let_nothing_else_in(client: httpx.AsyncClient) -> None:
    for path in ("/", "/?embed=1", "/tra-cuu"):
        page = await client.get(path)
        assert page.status_code == 200
        assert "{{" not in page.text
        assert "Tổng đài 1022 Thanh Hóa" in page.text
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert ("frame-ancestors *" in policy) is ("embed" in path)
        assert page.headers["x-content-type-options"] == "nosniff"


async def test_sites_that_may_embed_can_be_named_and_names_are_escaped(
    house: House, settings: WebchatSettings, listener: Listener
) -> None:
    own = settings.model_copy(
        update={
            "embed_origins": ("https://thanhhoa.gov.vn",),
            "site_name": "<b>Tổng đài</b>",
            "emergency": ("115 Y tế",),
        }
    )
    transport = httpx.ASGITransport(app=app_with(house, own, listener))
    async with httpx.AsyncClient(transport=transport, base_url="http://chat.test") as client:
        page = await client.get("/?embed=1")
    assert "frame-ancestors 'self' https://thanhhoa.gov.vn" in page.headers["content-security-policy"]
    assert "<b>Tổng đài" not in page.text
    assert '<a href="tel:115"><b>115</b> Y tế</a>' in page.text


async def test_files_are_sent_packed_and_only_when_changed(client: httpx.AsyncClient) -> None:
    for path in ("/widget.js", "/webchat/chat.js", "/webchat/chat.css", "/webchat/icon.svg"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-encoding"] == "gzip"
        again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        plain = await client.get(path, headers={"Accept-Encoding": "identity"})
        assert plain.content == answer.content
    for missing in ("nothing.js", "..%2Fpages.py", "chat.html"):
        assert (await client.get(f"/webchat/{missing}")).status_code == 404


def test_pages_name_no_other_host() -> None:
    allowed = ("http://www.w3.org/2000/svg", "https://…", "https://${found}", "https://a.vn/b")
    for path in STATIC.iterdir():
        text = path.read_text("utf-8")
        for one in allowed:
            text = text.replace(one, "")
        assert "http://" not in text, path.name
        assert "https://" not in text, path.name
        assert "innerHTML" not in text, path.name
