"""The Messenger channel as the rest of the house sees it."""

import asyncio
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import httpx
import structlog

from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.connector import Capabilities, MessagingWindow
from bot.contracts.errors import Action, Ambiguous, CannotTell, GiveUp, NotYet, RetryLater, SignatureRefused
from bot.contracts.ids import Channel
from bot.contracts.messages import Attachment, Author, Event, Kind, Outbound, Sent
from connectors.attachments import FetchRefused, fetch
from connectors.condition import ConditionStore, warnings_for
from connectors.fields import Json, ident, text
from connectors.later import Later
from connectors.messenger import history, token
from connectors.messenger.enforcement import warnings_for_enforcement
from connectors.messenger.errors import Remedy, failure_for, meaning_of
from connectors.messenger.graph import Graph, GraphRefused
from connectors.messenger.marks import Mark
from connectors.messenger.parse import COMMENT, MESSENGER, enforcement_in, parse
from connectors.messenger.send import (
    MAX_CHARS,
    MAX_FILE,
    MAX_IMAGE,
    MAX_QUICK_REPLIES,
    MAX_TITLE,
    Part,
    attachment_body,
    body_of,
    parts_of,
    recipient_of,
)
from connectors.messenger.settings import MessengerSettings
from connectors.messenger.verify import MAX_BYTES, handshake, verify
from connectors.messenger.window import window
from connectors.pace import Pace
from connectors.refusals import Refusals, warnings_for_refused
from connectors.wire import ASK_AFTER_S, new_client, wait_for_history

log = structlog.get_logger(__name__)
BARRED_FIRST = timedelta(minutes=30)
BARRED_LONGEST = timedelta(hours=4)
BARRED_VI = f"{meaning_of(10, 1893063).vi} (mã 10/1893063)"


class MessengerConnector:
    """One Facebook page."""

    name: ClassVar[Channel] = MESSENGER
    capabilities: ClassVar[Capabilities] = Capabilities(
        max_chars=MAX_CHARS,
        max_buttons=MAX_QUICK_REPLIES,
        max_button_title=MAX_TITLE,
        images=True,
        files=True,
        typing=True,
        max_webhook_bytes=MAX_BYTES,
    )

    def __init__(
        self,
        settings: MessengerSettings,
        database: Database,
        *,
        storage: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`storage`: the folder that `Attachment.path` is relative to."""
        self.settings = settings
        self._storage = storage
        self._client = new_client(settings.timeout_s, transport)
        self.graph = Graph(settings, self._client)
        self._pace = Pace(settings.messages_per_second)
        self.condition = ConditionStore(database, MESSENGER, settings.page_id)
        self._later = Later()
        self._refusals = Refusals(self.condition, self._later)

    def handshake(self, query: Mapping[str, str]) -> str:
        """The text to answer `GET /webhooks/messenger` with. Raises SignatureRefused (403)."""
        return handshake(query, self.settings)

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
        events = parse(raw, self.settings)
        if action := enforcement_in(raw, self.settings):
            log.critical("messenger.policy_enforcement", action=action[:40])
            said, at = None if action == "unblock" else action[:40], now()
            self._later.do(lambda: self.condition.note_enforcement(said, at))
        return events

    def window(self, last_inbound: datetime | None, author: Author, now: datetime) -> MessagingWindow:
        """See window.py."""
        return window(last_inbound, author, now, human_agent=self.settings.human_agent)

    async def send(self, outbound: Outbound) -> Sent:
        """Send the parts that have not gone out yet. Raises RetryLater, Ambiguous or GiveUp with `sent_parts`."""
        parts = parts_of(outbound)
        sent = list(outbound.sent_parts)
        try:
            files = await self._read_files(parts)
            for index in range(len(sent), len(parts)):
                mark = Mark(outbound.message, index + 1, len(parts))
                sent.append(await self._deliver(outbound, parts[index], mark, files))
        except (RetryLater, GiveUp) as error:
            error.sent_parts = tuple(sent)
            if isinstance(error, GiveUp) and error.action is Action.OPERATOR:
                await self.condition.note_trouble(error.reason_vi)
            raise
        finally:
            if self.graph.used_percent is not None:
                await self.condition.note_usage(self.graph.used_percent, now())
        await self.condition.note_success()
        return Sent(tuple(sent))

    async def find_sent(self, outbound: Outbound) -> Sent | None:
        """Whether a message went out. The echo's ids come in `sent_parts`; else the page's conversation is read.

        Raises CannotTell, or RetryLater when only some of the parts went out (`sent_parts` says which) or Meta can't be
        reached.
        """
        parts = parts_of(outbound)
        missing = parts[len(outbound.sent_parts) :]
        if not missing:
            return Sent(outbound.sent_parts)
        if (outbound.context or "").startswith(COMMENT):
            raise CannotTell("a private reply may be in another thread")
        since = outbound.created_at - timedelta(seconds=self.settings.clock_skew_s)
        items = await history.since(self.graph, self.settings.page_id, outbound.citizen_ref, since)
        found = history.match(missing, items, known=outbound.others | set(outbound.sent_parts))
        sent = (*outbound.sent_parts, *found)
        if len(found) == len(missing):
            return Sent(sent)
        if found:
            raise RetryLater("messenger: some parts went out", after_s=1.0, sent_parts=sent)
        if missing[0].as_template:
            raise CannotTell("a template has no text in the history")
        wait_for_history(outbound.created_at, now(), self.settings.history_settle_s)
        return None

    async def show_typing(self, citizen_ref: str) -> None:
        """Ask Meta to show three dots; a failure is of no importance."""
        await self._sender_action(citizen_ref, "typing_on")

    async def mark_seen(self, citizen_ref: str) -> None:
        """Show the citizen that we saw their message; a failure is of no importance."""
        await self._sender_action(citizen_ref, "mark_seen")

    async def citizen_name(self, citizen_ref: str) -> str | None:
        """First and last name, if Meta gives them (the permission is optional). Raises RetryLater."""
        try:
            answer = await self.graph.call("GET", citizen_ref, params={"fields": "first_name,last_name"})
        except GraphRefused as refused:
            failure = failure_for(refused.code, refused.subcode, until=refused.until)
            if isinstance(failure, RetryLater):
                raise failure from refused
            return None
        return " ".join(one for one in (text(answer, "last_name"), text(answer, "first_name")) if one) or None

    async def keep_fresh(self) -> None:
        """Look once a day whether Meta still accepts the page's token, and until when: nothing renews it by itself."""
        at = now()
        checked = (await self.condition.read()).token_checked_at
        if checked is None or at >= checked + token.CHECKED_EVERY:
            found = await token.look(self.graph, self.settings)
            await self.condition.change(token_checked_at=at, token_expires_at=found.expires_at)
            if found.trouble_vi:
                await self.condition.note_trouble(found.trouble_vi)

    async def warnings(self) -> tuple[str, ...]:
        """What the operator should know about this page, in Vietnamese; empty when all is well."""
        at = now()
        await self._refusals.settle()
        known = await self.condition.read()
        return (
            *warnings_for_enforcement(known, at),
            *warnings_for(known, "Facebook", at),
            *token.warnings_for(known.token_expires_at, at),
            *warnings_for_refused(known, "Facebook", "MESSENGER_APP_SECRET", at),
        )

    async def fetch(self, attachment: Attachment) -> Attachment:
        """A copy of what a citizen attached, below `storage`. Raises FetchRefused."""
        if self._storage is None:
            raise FetchRefused("no_storage")
        return await fetch(attachment, self.settings.sources, self._storage)

    async def close(self) -> None:
        """Release connections."""
        await self._client.aclose()

    async def _deliver(
        self, outbound: Outbound, part: Part, mark: Mark, files: Mapping[Attachment, tuple[str, bytes]]
    ) -> str:
        """Send one part; the message's id at Meta."""
        await self._refuse_while_barred()
        await self._pace.wait()
        try:
            answer = await self._post(outbound, part, mark, files)
        except GraphRefused as refused:
            meaning = meaning_of(refused.code, refused.subcode)
            if meaning.remedy is Remedy.BARRED:
                await self._bar()
            commented = meaning.remedy is Remedy.WINDOW and "comment_id" in recipient_of(outbound, mark)
            if meaning.remedy is not Remedy.UPLOAD_AGAIN and not commented:
                raise failure_for(refused.code, refused.subcode, until=refused.until) from refused
            if commented:  # the comment had its one reply, or is too old; perhaps the person has written since
                outbound = replace(outbound, context=None)
            try:
                answer = await self._post(outbound, part, mark, files)
            except GraphRefused as again:
                raise failure_for(again.code, again.subcode, until=again.until) from again
        message_id = ident(answer, "message_id")
        if not message_id:
            raise Ambiguous("messenger gave no message_id", after_s=ASK_AFTER_S)
        return message_id

    async def _post(
        self, outbound: Outbound, part: Part, mark: Mark, files: Mapping[Attachment, tuple[str, bytes]]
    ) -> Json:
        path = f"{self.settings.page_id}/messages"
        lane = self.window(outbound.last_inbound_at, outbound.author, now())
        if part.attachment is None:
            return await self.graph.post(path, body_of(outbound, part, mark, lane))
        name, content = files[part.attachment]
        mime = part.attachment.mime or mimetypes.guess_type(name)[0] or "application/octet-stream"
        body = attachment_body(outbound, part.attachment, mark, lane)
        return await self.graph.post(path, body, files={"filedata": (name, content, mime)})

    async def _sender_action(self, citizen_ref: str, action: str) -> None:
        try:
            body = {"recipient": {"id": citizen_ref}, "sender_action": action}
            await self.graph.post(f"{self.settings.page_id}/messages", body)
        except (GraphRefused, RetryLater) as error:
            log.info("messenger.action_not_shown", action=action, error=type(error).__name__)

    async def _bar(self) -> None:
        """Meta barred the page: look again in half an hour, then after twice as long, up to four hours; NotYet."""
        before = (await self.condition.known()).barred_for_s
        lasts = min(BARRED_LONGEST, timedelta(seconds=before) * 2) if before else BARRED_FIRST
        until = now() + lasts
        log.critical("messenger.page_barred", until=until.isoformat())
        await self.condition.change(barred_until=until, barred_for_s=int(lasts.total_seconds()))
        raise NotYet(BARRED_VI, until)

    async def _refuse_while_barred(self) -> None:
        until = (await self.condition.known()).barred_until
        if until is not None and now() < until:
            raise NotYet(BARRED_VI, until)

    async def _read_files(self, parts: Sequence[Part]) -> dict[Attachment, tuple[str, bytes]]:
        """Name and bytes of every attachment, checked before anything is sent. Raises GiveUp."""
        files: dict[Attachment, tuple[str, bytes]] = {}
        for attachment in (one.attachment for one in parts if one.attachment):
            if attachment.path is None or self._storage is None:
                raise GiveUp("Tệp đính kèm không còn trong kho của hệ thống.", Action.FIX, code="attachment")
            try:
                content = await asyncio.to_thread((self._storage / attachment.path).read_bytes)
            except OSError as error:
                raise GiveUp("Không đọc được tệp đính kèm.", Action.FIX, code="attachment") from error
            if len(content) > (MAX_IMAGE if attachment.kind is Kind.IMAGE else MAX_FILE):
                raise GiveUp("Messenger chỉ nhận ảnh đến 8 MB và tệp đến 25 MB.", Action.FIX, code="attachment")
            files[attachment] = ((attachment.name or attachment.path).rsplit("/", 1)[-1], content)
        return files
