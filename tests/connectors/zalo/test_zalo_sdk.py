"""Our requests beside those of `zalo-sdk` 0.3.0, where it is right; why only in tests: docs/decisions/0005."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import requests
import zalo_sdk
from zalo_sdk.oa import (
    Client,
    ZaloAttachment,
    ZaloAttachmentTemplate,
    ZaloMessageBody,
    ZaloRecipient,
    ZaloTemplateElement,
    ZaloTemplateType,
)

from bot.base.clock import now
from bot.contracts.messages import Choice
from connectors.zalo import oauth
from connectors.zalo.errors import CODES
from connectors.zalo.send import Part, file_body, media_body, text_body
from tests.connectors.zalo.conftest import CITIZEN, settings_for
from tests.simulators.zalo import ZaloSimulator

SDK = Client(app_id="4300", secret_key="s", access_token="token")


def sdk_body(**message: Any) -> Any:
    return SDK.create_request_body(ZaloRecipient(user_id=CITIZEN), ZaloMessageBody(**message))


def test_text_and_quote() -> None:
    assert text_body(CITIZEN, Part("Chào")) == sdk_body(text="Chào")
    assert text_body(CITIZEN, Part("Chào", quote="m1")) == sdk_body(text="Chào", quote_message_id="m1")


def test_file() -> None:
    assert file_body(CITIZEN, "token-1") == sdk_body(attachment=ZaloAttachment("file", {"token": "token-1"}))


def test_picture() -> None:
    """The SDK knows pictures by address only, and always writes `buttons`; the frame is the same."""
    element = ZaloTemplateElement(media_type="image", url="https://a.vn/a.png")
    payload = ZaloAttachmentTemplate(ZaloTemplateType.media, [element], []).toDict()
    theirs = sdk_body(attachment=ZaloAttachment("template", payload))
    ours = media_body(CITIZEN, "image", "id-1", (0, 0))
    frame = theirs["message"]["attachment"]["payload"]
    assert frame.pop("buttons") == []
    frame["elements"][0]["attachment_id"] = "id-1"
    del frame["elements"][0]["url"]
    assert ours == theirs


def test_where_the_sdk_is_wrong_we_do_not_follow() -> None:
    """It puts the last element where a button belongs; without an element it crashes."""
    with pytest.raises(NameError):
        ZaloAttachmentTemplate(ZaloTemplateType.list, [], [{"title": "Có"}]).toDict()
    buttons = text_body(CITIZEN, Part("?", choices=(Choice("Có", "#helped"),)))["message"]["attachment"]["payload"]
    assert [one["title"] for one in buttons["buttons"]] == ["Có"]


def test_consent_address(zalo: ZaloSimulator) -> None:
    settings = settings_for(zalo, app_id="4300", oauth_base="https://oauth.zaloapp.com", callback_url="https://a.vn/cb")
    ours = oauth.new_consent(settings)
    challenge = oauth.challenge_of(ours.verifier)
    theirs = SDK.request_authoriation_code_url("https://a.vn/cb", challenge, ours.state)
    assert urlsplit(ours.url)[:3] == urlsplit(theirs)[:3]
    assert dict(parse_qsl(urlsplit(ours.url).query)) == dict(parse_qsl(urlsplit(theirs).query))


async def test_token_forms(zalo: ZaloSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, dict[str, str], str | None]] = []
    answer = {"access_token": "a", "refresh_token": "r", "expires_in": "90000"}

    def theirs(url: str, data: dict[str, str], headers: dict[str, str]) -> requests.Response:
        seen.append((url, data, headers["secret_key"]))
        response = requests.Response()
        response.status_code, response._content = 200, b'{"access_token":"a","refresh_token":"r","expires_in":"90000"}'
        return response

    def ours(request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        seen.append((str(request.url), form, request.headers.get("secret_key")))
        return httpx.Response(200, json=answer)

    monkeypatch.setattr(requests, "post", theirs)
    settings = settings_for(zalo, app_id="4300", app_secret="s", oauth_base="https://oauth.zaloapp.com")
    sdk = Client(app_id="4300", secret_key="s", refresh_token="r0")
    async with httpx.AsyncClient(transport=httpx.MockTransport(ours)) as client:
        sdk.refresh_acccess_token()
        await oauth.refresh(client, settings, "r0", now())
        sdk.get_access_token_from_authorization_code("code", "verifier")
        await oauth.exchange(client, settings, "code", "verifier", now())
    assert seen[0] == seen[1]
    assert seen[2] == seen[3]


async def test_the_sdk_gets_its_message_through_our_simulator(zalo: ZaloSimulator) -> None:
    """The simulator is no echo of our own connector: the SDK's requests pass it too, and its errors read the same."""
    sdk = Client(app_id=zalo.app_id, secret_key="s", access_token="sim-access-0", endpoint_prefix=zalo.url)
    answer = sdk.send_message(ZaloRecipient(user_id=CITIZEN), ZaloMessageBody(text="Chào từ SDK"))
    assert answer["data"]["message_id"] == zalo.to(CITIZEN)[0].id
    assert sdk.get_user_detail(CITIZEN)["data"]["user_id"] == CITIZEN
    assert "attachment_id" in sdk.upload_file(b"\x89PNG", "image", "a.png", "image/png")["data"]
    with pytest.raises(zalo_sdk.ZaloOAException):
        sdk.send_message(ZaloRecipient(user_id="404"), ZaloMessageBody(text="Chào"))


def test_our_table_knows_every_code_the_sdk_names() -> None:
    retired = {0, -207, -208, -222}  # of the API that Zalo shut down
    assert set(zalo_sdk.ZaloOAException.ERROR_CODE_TO_STR) - retired <= set(CODES)
