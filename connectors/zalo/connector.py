"""The Zalo channel as the rest of the house sees it."""

import asyncio
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx
import orjson
import structlog

from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.connector import Capabilities, MessagingWindow, Quota
from bot.contracts.errors import Action, Ambiguous, GiveUp, RetryLater, SignatureRefused
from bot.contracts.ids import Channel
from bot.contracts.messages import Attachment, Author, Event, Outbound, Sent
from connectors.attachments import FetchRefused, fetch
from connectors.condition import ConditionStore, warnings_for
from connectors.fields import Json, ident, part, text
from connectors.later import Later
from connectors.numbered import with_numbered
from connectors.pace import Pace
from connectors.refusals import Refusals, warnings_for_refused
from connectors.wire import ASK_AFTER_S, answer_object, ask, new_client, refuse_http_failure, wait_for_history
from connectors.zalo import history, oauth, quotas
from connectors.zalo.errors import CODES, Remedy, failure_for, meaning_of
from connectors.zalo.oauth import Consent
from connectors.zalo.parse import ANONYMOUS, ZALO, parse
from connectors.zalo.send import (
    MAX_BUTTON_TITLE,
    MAX_BUTTONS,
    MAX_CHARS,
    Part,
    file_body,
    media_body,
    parts_of,
    path_of,
    text_body,
    upload_for,
)
from connectors.zalo.settings import ZaloSettings
from connectors.zalo.tokens import TokenStore
from connectors.zalo.verify import MAX_BYTES, is_probe, verify
from connectors.zalo.window import window

log = structlog.get_logger(__name__)
TOKEN_CODES = frozenset(code for code, meaning in CODES.items() if meaning.remedy is Remedy.REFRESH)
SIMPLER_CODES = (-201, -233)
"""Refusals after which the same text is tried without its quote, then without buttons."""
BUTTONS_REST = timedelta(hours=1)
"""How long to send numbered text after Zalo refused buttons."""


class ZaloRefused(Exception):
    """Zalo answered with an error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"zalo {code}")
        self.code, self.message = code, message


class ZaloConnector:
    """One Official Account."""

    name: ClassVar[Channel] = ZALO
    capabilities: ClassVar[Capabilities] = Capabilities(
        max_chars=MAX_CHARS,
        max_buttons=MAX_BUTTONS,
        max_button_title=MAX_BUTTON_TITLE,
        images=True,
        files=True,
        location=True,
        max_webhook_bytes=MAX_BYTES,
    )

    def __init__(
        self,
        settings: ZaloSettings,
        database: Database,
        secret_key: bytes,
        *,
        storage: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`storage`: the folder that `Attachment.path` is relative to."""
        self.settings = settings
        self._storage = storage
        self._client = new_client(settings.timeout_s, transport)
        self.tokens = TokenStore(settings, database, secret_key, self._client, storage)
        self.condition = ConditionStore(database, ZALO, settings.app_id)
        self._refusals = Refusals(self.condition, Later())
        self._pace = Pace(settings.messages_per_second)
        self._buttons_from: datetime | None = None
        self._sent_here: dict[str, None] = {}
        self._quotas = quotas.Memory()

    is_probe = staticmethod(is_probe)

    def verify(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """See verify.py. Raises SignatureRefused or PayloadRefused."""
        try:
            verify(raw, headers, now, self.settings)
        except SignatureRefused:
            self._refusals.note_refused(now)
            raise
        self._refusals.note_genuine(now)

    def parse(self, raw: bytes) -> Sequence[Event]:
        """See parse.py. Raises PayloadRefused."""
        return parse(raw, self.settings.oa_id)

    def window(self, last_inbound: datetime | None, author: Author, now: datetime) -> MessagingWindow:
        """See window.py."""
        return window(last_inbound, author, now)

    async def send(self, outbound: Outbound) -> Sent:
        """Send the parts that have not gone out yet. Raises RetryLater, Ambiguous or GiveUp with `sent_parts`."""
        parts = parts_of(outbound, buttons=self._buttons_from is None or now() >= self._buttons_from)
        sent = list(outbound.sent_parts)
        try:
            files = await self._read_files(parts)
            for one in parts[len(sent) :]:
                sent.append(await self._deliver(outbound.citizen_ref, one, files))
        except (RetryLater, GiveUp) as error:
            error.sent_parts = tuple(sent)
            if isinstance(error, GiveUp) and error.action is Action.OPERATOR:
                await self.condition.note_trouble(error.reason_vi)
            raise
        await self.condition.note_success()
        return Sent(tuple(sent))

    async def find_sent(self, outbound: Outbound) -> Sent | None:
        """Look for the missing parts in Zalo's history of this citizen. Raises CannotTell, or RetryLater when only
        some of the parts went out (`sent_parts` says which) or Zalo can't be reached.
        """
        since = outbound.created_at - timedelta(seconds=self.settings.clock_skew_s)
        items = await history.since(self._get, outbound.citizen_ref, since)
        missing = parts_of(outbound)[len(outbound.sent_parts) :]
        if not missing:
            return Sent(outbound.sent_parts)
        found = history.match(missing, items, known=self._sent_here.keys() | outbound.others | set(outbound.sent_parts))
        sent = (*outbound.sent_parts, *found)
        if len(found) == len(missing):
            return Sent(sent)
        if found:
            raise RetryLater("zalo: some parts went out", after_s=1.0, sent_parts=sent)
        wait_for_history(outbound.created_at, now(), self.settings.history_settle_s)
        return None

    async def show_typing(self, citizen_ref: str) -> None:
        """Zalo's OA API has no typing indicator."""

    async def citizen_name(self, citizen_ref: str) -> str | None:
        """The name on the person's Zalo profile (webhooks carry none), if Zalo tells it. Raises RetryLater."""
        if citizen_ref.startswith(ANONYMOUS):
            return None
        try:
            answer = await self._get("/v3.0/oa/user/detail", {"user_id": citizen_ref})
        except GiveUp:
            return None
        return text(part(answer, "data"), "display_name") or None

    async def quota(self, citizen_ref: str) -> Quota | None:
        """What Zalo said with the last message to this citizen."""
        return await self.condition.quota(citizen_ref)

    async def keep_fresh(self) -> None:
        """Refresh the token ahead of its end even when nobody writes; call it every quarter of an hour."""
        await self.condition.forget_old_quotas(now())
        await self.tokens.access(now())

    async def warnings(self) -> tuple[str, ...]:
        """What the operator should know about this channel's account, in Vietnamese; empty when all is well."""
        at = now()
        await self._refusals.settle()
        token = await self.tokens.warnings(at)
        known = await self.condition.read()
        refused = warnings_for_refused(known, "Zalo", "ZALO_OA_SECRET, ZALO_APP_ID", at)
        return (*token, *warnings_for(known, "Zalo", at), *refused)

    def new_consent(self) -> Consent:
        """Start of the first authorisation: send the administrator to `.url`, keep `.state` and `.verifier`."""
        return oauth.new_consent(self.settings)

    async def finish_consent(self, code: str, verifier: str) -> None:
        """End of it: the code that Zalo sent back becomes the pair in force. Raises RetryLater or GiveUp."""
        await self.tokens.save(await oauth.exchange(self._client, self.settings, code, verifier, now()), "consent")

    async def fetch(self, attachment: Attachment) -> Attachment:
        """A copy of what a citizen attached, below `storage`. Raises FetchRefused."""
        if self._storage is None:
            raise FetchRefused("no_storage")
        return await fetch(attachment, self.settings.sources, self._storage)

    async def close(self) -> None:
        """Release connections."""
        await self._client.aclose()

    async def _deliver(self, citizen_ref: str, part: Part, files: Mapping[Attachment, bytes]) -> str:
        """Send one part; the message's id at Zalo."""
        await self._pace.wait()
        try:
            if part.attachment is not None:
                return await self._deliver_file(citizen_ref, part.attachment, files)
            *fancier, plainest = _variants(part)
            for one in fancier:
                try:
                    return await self._post_message(citizen_ref, text_body(citizen_ref, one))
                except ZaloRefused as refused:
                    stops = meaning_of(refused.code, refused.message).remedy is Remedy.STOP
                    if stops or refused.code not in SIMPLER_CODES:
                        raise
                    log.warning("zalo.sent_simpler", code=refused.code, buttons=len(one.choices))
                    if refused.code == -233 and one.choices and not one.quote:
                        self._buttons_from = now() + BUTTONS_REST
            return await self._post_message(citizen_ref, text_body(citizen_ref, plainest))
        except ZaloRefused as refused:
            raise failure_for(refused.code, refused.message, now()) from refused

    async def _deliver_file(self, citizen_ref: str, attachment: Attachment, files: Mapping[Attachment, bytes]) -> str:
        """Upload and send. What was uploaded is forgotten at once: Zalo drops it after seven days anyway."""
        content = files[attachment]
        kind = upload_for(attachment, len(content))
        try:
            return await self._upload_and_send(citizen_ref, attachment, kind, content)
        except ZaloRefused as refused:
            if meaning_of(refused.code).remedy is not Remedy.UPLOAD_AGAIN:
                raise
            return await self._upload_and_send(citizen_ref, attachment, kind, content)

    async def _upload_and_send(self, citizen_ref: str, attachment: Attachment, kind: str, content: bytes) -> str:
        name = (attachment.name or attachment.path or "file").rsplit("/", 1)[-1]
        try:
            answer = await self._call("POST", f"/v2.0/oa/upload/{kind}", files={"file": (name, content)})
        except Ambiguous as error:  # an upload that nobody sees may be repeated
            raise RetryLater(error.reason, after_s=5.0) from error
        data = part(answer, "data")
        if kind == "file":
            return await self._post_message(citizen_ref, file_body(citizen_ref, ident(data, "token")))
        size = gif_size(content) if kind == "gif" else (0, 0)
        return await self._post_message(citizen_ref, media_body(citizen_ref, kind, ident(data, "attachment_id"), size))

    async def _post_message(self, citizen_ref: str, body: Json) -> str:
        data = part(await self._call("POST", path_of(citizen_ref), json=body), "data")
        message_id = ident(data, "message_id")
        if not message_id:
            raise Ambiguous("zalo gave no message_id", after_s=ASK_AFTER_S)
        await self._note_quota(citizen_ref, message_id, quotas.quota_in(data, now()))
        self._sent_here[message_id] = None
        if len(self._sent_here) > 5000:
            del self._sent_here[next(iter(self._sent_here))]
        return message_id

    async def _note_quota(self, citizen_ref: str, message_id: str, quota: Quota) -> None:
        if not quota.kind:
            log.warning("zalo.message_charged", message_id=message_id)
        else:
            log.info("zalo.message_sent", message_id=message_id, quota=quota.kind)
        if quota.kind in quotas.OF_THE_ACCOUNT:
            await self.condition.note_account_quota(quota)
        elif self._quotas.is_news(citizen_ref, quota):
            await self.condition.note_quota(citizen_ref, quota)

    async def _get(self, path: str, data: Mapping[str, Any]) -> Json:
        """A reading call: parameters are one JSON in `data`. Raises RetryLater or GiveUp."""
        try:
            return await self._call("GET", path, params={"data": orjson.dumps(dict(data)).decode()})
        except ZaloRefused as refused:
            raise failure_for(refused.code, refused.message, now()) from refused

    async def _call(self, method: str, path: str, **request: Any) -> Json:
        """One API call; with a fresh token once more when Zalo no longer accepts ours. Raises ZaloRefused too."""
        token = await self._access()
        try:
            return await self._call_once(method, path, token, **request)
        except ZaloRefused as refused:
            if refused.code not in TOKEN_CODES:
                raise
            log.warning("zalo.token_refused", code=refused.code)
        try:
            token = await self.tokens.replace(token, now())
        except Ambiguous as error:
            raise RetryLater(error.reason, after_s=5.0) from error
        return await self._call_once(method, path, token, **request)

    async def _access(self) -> str:
        try:
            return await self.tokens.access(now())
        except Ambiguous as error:  # about the refresh, not about the message: that one never left
            raise RetryLater(error.reason, after_s=5.0) from error

    async def _call_once(self, method: str, path: str, token: str, **request: Any) -> Json:
        headers = {"access_token": token}
        if self.settings.require_proof:
            key = self.settings.app_secret.get_secret_value().encode()
            headers["appsecret_proof"] = hmac.new(key, token.encode(), hashlib.sha256).hexdigest()
        url = f"{self.settings.api_base.rstrip('/')}{path}"
        response = await ask(self._client, method, url, headers=headers, **request)
        refuse_http_failure(response)
        body = answer_object(response)
        if (used := quotas.used_percent(response.headers)) is not None:
            await self.condition.note_usage(used, now())
        code = ident(body, "error") or "0"
        if code != "0":
            raise ZaloRefused(int(code) if code.lstrip("-").isdigit() else -1, text(body, "message"))
        return body

    async def _read_files(self, parts: Sequence[Part]) -> dict[Attachment, bytes]:
        """Every attachment's bytes, checked before anything is sent. Raises GiveUp."""
        files: dict[Attachment, bytes] = {}
        for attachment in (one.attachment for one in parts if one.attachment):
            if attachment.path is None or self._storage is None:
                raise GiveUp("Tệp đính kèm không còn trong kho của hệ thống.", Action.FIX, code="attachment")
            try:
                files[attachment] = await asyncio.to_thread((self._storage / attachment.path).read_bytes)
            except OSError as error:
                raise GiveUp("Không đọc được tệp đính kèm.", Action.FIX, code="attachment") from error
            upload_for(attachment, len(files[attachment]))
        return files


def _variants(part: Part) -> Iterator[Part]:
    """The same text, fanciest first: as wanted, without quote, without buttons."""
    yield part
    if part.quote:
        yield replace(part, quote=None)
    if part.choices:
        yield Part(text=with_numbered(part.text, part.choices))


def gif_size(content: bytes) -> tuple[int, int]:
    """Width and height in pixels from a GIF's header; 1×1 if it is none."""
    if content[:3] != b"GIF" or len(content) < 10:
        return (1, 1)
    return (int.from_bytes(content[6:8], "little"), int.from_bytes(content[8:10], "little"))
