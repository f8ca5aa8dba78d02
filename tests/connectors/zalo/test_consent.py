"""The first authorisation, as an administrator's browser walks through it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from bot.base.db import Database
from connectors.zalo.connector import ZaloConnector
from connectors.zalo.consent import COOKIE, consent_router
from tests.connectors.zalo.conftest import CITIZEN, KEY, outbound, settings_for
from tests.simulators.zalo import ZaloSimulator

HOUSE = "http://1022.example"


class Walk:
    """A gateway without tokens, and a browser."""

    def __init__(self, zalo: ZaloSimulator, database: Database, **more: Any) -> None:
        given = {"access_token": "", "refresh_token": "", "callback_url": f"{HOUSE}/zalo/callback", **more}
        self.connector = ZaloConnector(settings_for(zalo, **given), database, KEY)
        self.is_admin = True
        app = FastAPI()
        app.include_router(consent_router(self.connector, KEY, self.may))
        self.browser = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOUSE)

    async def may(self, request: Request) -> bool:
        return self.is_admin

    async def agree(self) -> httpx.URL:
        """Begin, read Zalo's page, and find where its link leads."""
        begun = await self.browser.get("/zalo/consent")
        assert begun.status_code == 303
        async with httpx.AsyncClient(trust_env=False) as elsewhere:
            page = (await elsewhere.get(begun.headers["location"])).text
        return httpx.URL(page.split('href="')[1].split('"')[0])

    async def close(self) -> None:
        await self.browser.aclose()
        await self.connector.close()


@pytest.fixture
async def walk(zalo: ZaloSimulator, database: Database) -> AsyncIterator[Walk]:
    one = Walk(zalo, database)
    yield one
    await one.close()


async def test_an_administrator_opens_the_channel(walk: Walk, zalo: ZaloSimulator) -> None:
    target = await walk.agree()
    done = await walk.browser.get(target)
    assert (done.status_code, "Đã cấp quyền Zalo" in done.text) == (200, True)
    await walk.connector.send(outbound("Kênh đã mở"))
    assert [one.text for one in zalo.to(CITIZEN)] == ["Kênh đã mở"]
    assert (await walk.browser.get(target)).status_code == 400  # the cookie is gone


async def test_the_cookie_tells_nothing(walk: Walk) -> None:
    await walk.agree()
    kept = walk.browser.cookies[COOKIE]
    assert walk.connector.settings.app_id not in kept
    assert "verifier" not in kept


async def test_others_may_not(walk: Walk) -> None:
    target = await walk.agree()
    walk.is_admin = False
    for address in (httpx.URL("/zalo/consent"), target):
        assert (await walk.browser.get(address)).status_code == 403
    assert await walk.connector.tokens.current() is None


async def test_a_code_that_nobody_here_asked_for_is_refused(walk: Walk) -> None:
    target = await walk.agree()
    for query in ({"state": "forged"}, {"code": ""}):
        assert (await walk.browser.get(target.copy_merge_params(query))).status_code == 400
    walk.browser.cookies.clear()
    assert (await walk.browser.get(target)).status_code == 400
    assert (await walk.browser.get(target, headers={"cookie": f"{COOKIE}=forged"})).status_code == 400
    assert await walk.connector.tokens.current() is None


async def test_zalos_refusal_is_told(walk: Walk) -> None:
    target = await walk.agree()
    refused = await walk.browser.get(target.copy_merge_params({"code": "wrong"}))
    assert (refused.status_code, "Zalo không cấp" in refused.text) == (502, True)


async def test_the_wrong_account_and_the_missing_address(zalo: ZaloSimulator, database: Database) -> None:
    wrong = Walk(zalo, database, oa_id="31415")
    assert "nhầm" in (await wrong.browser.get(await wrong.agree())).text
    await wrong.close()
    nowhere = Walk(zalo, database, callback_url="")
    assert (await nowhere.browser.get("/zalo/consent")).status_code == 409
    await nowhere.close()


async def test_zalo_out_of_reach(zalo: ZaloSimulator, database: Database) -> None:
    walk = Walk(zalo, database)
    target = await walk.agree()
    away = Walk(zalo, database, oauth_base="http://127.0.0.1:9")
    away.browser.cookies.update(walk.browser.cookies)
    answer = await away.browser.get(target)
    assert (answer.status_code, "Không liên lạc được" in answer.text) == (502, True)
    await walk.close()
    await away.close()
