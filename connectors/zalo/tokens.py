"""The Zalo token pair: stored encrypted, replaced ahead of its end, by one process only.

A refresh token works once: two processes that refresh together, or one that loses the answer, lose the account, and an
administrator must consent again. So: a PostgreSQL advisory lock around the refresh, a second look at the table once
the lock is held, the intent committed before the request leaves, and the new pair committed before anybody uses it.
Earlier pairs are kept for inquiry.

    intent ─► Zalo ─► new pair + intent done, one transaction
                 └► no answer, or we died: the intent stays. After IN_FLIGHT the old refresh token is tried again; it
                    still works if Zalo never got the request. If Zalo refuses it, the answer was lost with the pair:
                    an alarm, and an administrator consents again.

What is left of the gap: the process dies between Zalo's answer and the commit, some milliseconds. When PostgreSQL is
away just then, the pair is kept sealed in a file of the data folder until it is back.
"""

import asyncio
import base64
import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import orjson
import structlog
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now, say_moment
from bot.base.db import Database
from bot.contracts.errors import Action, GiveUp, RetryLater
from bot.contracts.ids import Channel
from connectors.condition import Condition, read_condition, write_condition
from connectors.tables import ChannelTokenRow
from connectors.zalo import oauth
from connectors.zalo.oauth import TokenPair
from connectors.zalo.settings import ZaloSettings

log = structlog.get_logger(__name__)
CHANNEL = Channel("zalo")
PAIRS_KEPT = 5
ALARM_AFTER = timedelta(hours=1)
"""How long refreshing may fail before the operator is told; four hours are then left."""
REFRESH_ALARM = timedelta(days=14)
QUIET = timedelta(minutes=5)
"""After a failed refresh the pair in force is used on, if it can be, before the next try."""
IN_FLIGHT = timedelta(seconds=20)
"""A refresh begun less than this ago may still be under way in another process, even if its lock is gone."""
REFUSED_QUIET = timedelta(minutes=15)
"""After Zalo refused the refresh token it is not asked again for this long: only a consent helps."""
SAVE_TRIES = 30
"""Half a minute: a PostgreSQL that was just killed comes back sooner."""
RESCUED = "zalo-tokens.sealed"
"""Where a new pair lies while PostgreSQL can't take it."""


REFUSED_VI = "Zalo không nhận mã làm mới. Quản trị viên OA cần cấp quyền lại (trang /zalo/consent)."


class TokenStore:
    """Gives the access token in force. Safe to use from many tasks and many processes."""

    def __init__(
        self,
        settings: ZaloSettings,
        database: Database,
        secret_key: bytes,
        client: httpx.AsyncClient,
        storage: Path | None = None,
    ) -> None:
        """`storage`: the data folder, for a pair that PostgreSQL can't take at the moment."""
        self._rescued = storage / RESCUED if storage else None
        self._settings, self._database, self._client = settings, database, client
        self._seal = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"zalo tokens" + secret_key).digest()))
        self._cached: TokenPair | None = None
        self._quiet_until: datetime | None = None
        self._turn = asyncio.Lock()

    async def access(self, at: datetime) -> str:
        """The access token to use at `at`; refreshes first when its end is near. Raises RetryLater or GiveUp."""
        if (pair := self._cached) is None or self._is_near_end(pair, at):
            pair = await self._renewed(at, unless_near_end=True, rejected=None)
        return pair.access

    async def replace(self, rejected: str, at: datetime) -> str:
        """An access token other than `rejected`, which Zalo just refused. Raises RetryLater or GiveUp."""
        return (await self._renewed(at, unless_near_end=False, rejected=rejected)).access

    async def current(self) -> TokenPair | None:
        """The pair in force as the table has it, without refreshing; None before the first consent."""
        async with self._database.transaction() as session:
            return await self._newest(session)

    async def warnings(self, at: datetime) -> tuple[str, ...]:
        """For the operator, in Vietnamese: the account is not authorised, or its token nears its end unrefreshed."""
        try:
            async with self._database.transaction() as session:
                pair = await self._newest(session)
                known = await read_condition(session, CHANNEL, self._settings.app_id)
        except GiveUp as error:
            return (error.reason_vi,)
        if pair is None:
            seeded = self._settings.access_token.get_secret_value() and self._settings.refresh_token.get_secret_value()
            return () if seeded else ("Kênh Zalo chưa được cấp quyền: quản trị viên OA cần cấp quyền cho ứng dụng.",)
        return warnings_for(pair, known, at, timedelta(seconds=self._settings.refresh_ahead_s))

    async def save(self, pair: TokenPair, origin: str) -> None:
        """Put a new pair in force. Returns only when it is committed: until then nobody may use it."""
        for attempt in range(SAVE_TRIES):
            try:
                async with self._database.transaction() as session:
                    await self._insert(session, pair, origin)
                    await self._note(session, refresh_begun_at=None, refresh_refused_at=None)
                break
            except DBAPIError as error:  # the pair exists only in this process now: do not let go of it
                log.critical("zalo.token_not_saved", attempt=attempt, error=type(error).__name__)
                await asyncio.to_thread(self._put_aside, pair)
                if attempt == SAVE_TRIES - 1:
                    raise
                await asyncio.sleep(1.0)
        await asyncio.to_thread(self._clear_aside)
        self._cached = pair
        log.info("zalo.token_saved", origin=origin, access_expires_at=pair.access_expires_at.isoformat())

    async def _renewed(self, at: datetime, *, unless_near_end: bool, rejected: str | None) -> TokenPair:
        async with self._turn, self._database.transaction() as session:
            await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": self._lock_key()})
            await self._take_up_aside()
            pair = await self._newest(session) or await self._seed(session, at)
            wanted = pair.access == rejected or (unless_near_end and self._is_near_end(pair, at))
            if not wanted:  # another process was here before us
                self._cached = pair
                return pair
            known = await read_condition(session, CHANNEL, self._settings.app_id)
            try:
                return await self._refreshed(pair, known, at)
            except (RetryLater, GiveUp) as error:
                log.error("zalo.refresh_failed", reason=str(error), expires_at=pair.access_expires_at.isoformat())
                if pair.access == rejected or at >= pair.access_expires_at:
                    raise
                self._cached, self._quiet_until = pair, at + QUIET
                return pair

    async def _refreshed(self, pair: TokenPair, known: Condition, at: datetime) -> TokenPair:
        """A new pair, committed while the lock is still held. Raises RetryLater or GiveUp."""
        if known.refresh_refused_at is not None and at < known.refresh_refused_at + REFUSED_QUIET:
            raise GiveUp(REFUSED_VI, Action.OPERATOR, code="refresh_refused")
        if known.refresh_begun_at is not None and at < known.refresh_begun_at + IN_FLIGHT:
            raise RetryLater("a token refresh is under way", after_s=5.0)
        await self._note_now(refresh_begun_at=at)
        try:
            renewed = await oauth.refresh(self._client, self._settings, pair.refresh, at)
        except GiveUp:  # an earlier one without an answer stays on record: it may be where the pair got lost
            await self._note_now(refresh_refused_at=at, refresh_begun_at=known.refresh_begun_at)
            raise
        await self.save(renewed, "refresh")
        return renewed

    async def _note_now(self, **fields: datetime | None) -> None:
        """Committed at once, whatever becomes of the caller's transaction. Raises DBAPIError."""
        async with self._database.transaction() as session:
            await self._note(session, **fields)

    async def _note(self, session: AsyncSession, **fields: datetime | None) -> None:
        await write_condition(session, CHANNEL, self._settings.app_id, **fields)

    def _put_aside(self, pair: TokenPair) -> None:
        """Keep a pair that PostgreSQL can't take, sealed, where only we can read it."""
        if self._rescued is None or self._rescued.exists():
            return
        times = [pair.access_expires_at.isoformat(), pair.refresh_expires_at.isoformat()]
        sealed = self._seal.encrypt(orjson.dumps([pair.access, pair.refresh, *times]))
        descriptor = os.open(self._rescued, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())

    def _clear_aside(self) -> None:
        if self._rescued is not None:
            self._rescued.unlink(missing_ok=True)

    async def _take_up_aside(self) -> None:
        """The process that put a pair aside died before PostgreSQL came back: its pair is the one in force."""
        if self._rescued is None or not await asyncio.to_thread(self._rescued.exists):
            return
        try:
            access, refresh, *times = orjson.loads(
                self._seal.decrypt(await asyncio.to_thread(self._rescued.read_bytes))
            )
            pair = TokenPair(access, refresh, *(datetime.fromisoformat(one) for one in times))
        except (InvalidToken, OSError, ValueError):  # half written, or sealed with another key
            log.error("zalo.token_aside_unreadable")
            await asyncio.to_thread(self._clear_aside)
            return
        log.warning("zalo.token_taken_up")
        await self.save(pair, "refresh")

    def _is_near_end(self, pair: TokenPair, at: datetime) -> bool:
        if self._quiet_until is not None and at < min(self._quiet_until, pair.access_expires_at):
            return False
        return at >= pair.access_expires_at - timedelta(seconds=self._settings.refresh_ahead_s)

    async def _newest(self, session: AsyncSession) -> TokenPair | None:
        row = (
            await session.execute(
                select(ChannelTokenRow)
                .where(ChannelTokenRow.channel == CHANNEL, ChannelTokenRow.account == self._settings.app_id)
                .order_by(ChannelTokenRow.id.desc())
                .limit(1)
            )
        ).scalar_one_or_none()
        if row is None:
            return None
        try:
            access, refresh = self._seal.decrypt(row.sealed_access), self._seal.decrypt(row.sealed_refresh)
        except InvalidToken as error:
            reason = "Không giải mã được mã truy cập Zalo: khoá bí mật đã đổi. Cần cấp quyền lại cho Official Account."
            raise GiveUp(reason, Action.OPERATOR, code="sealed") from error
        return TokenPair(access.decode(), refresh.decode(), row.access_expires_at, row.refresh_expires_at)

    async def _seed(self, session: AsyncSession, at: datetime) -> TokenPair:
        """On the first start the pair comes from the settings; how old it is nobody knows, so Zalo's -216 will tell."""
        access = self._settings.access_token.get_secret_value()
        refresh = self._settings.refresh_token.get_secret_value()
        if not access or not refresh:
            raise GiveUp("Chưa cấp quyền Official Account cho ứng dụng.", Action.OPERATOR, code="no_token")
        pair = TokenPair(access, refresh, at + oauth.ACCESS_LIFE, at + oauth.REFRESH_LIFE)
        await self._insert(session, pair, "settings")
        return pair

    async def _insert(self, session: AsyncSession, pair: TokenPair, origin: str) -> None:
        row = ChannelTokenRow(
            channel=CHANNEL,
            account=self._settings.app_id,
            sealed_access=self._seal.encrypt(pair.access.encode()),
            sealed_refresh=self._seal.encrypt(pair.refresh.encode()),
            origin=origin,
            access_expires_at=pair.access_expires_at,
            refresh_expires_at=pair.refresh_expires_at,
            obtained_at=now(),
        )
        session.add(row)
        await session.flush()
        kept = (
            select(ChannelTokenRow.id)
            .where(ChannelTokenRow.channel == CHANNEL, ChannelTokenRow.account == self._settings.app_id)
            .order_by(ChannelTokenRow.id.desc())
            .limit(PAIRS_KEPT)
        )
        await session.execute(
            delete(ChannelTokenRow).where(
                ChannelTokenRow.channel == CHANNEL,
                ChannelTokenRow.account == self._settings.app_id,
                ChannelTokenRow.id.not_in(kept),
            )
        )

    def _lock_key(self) -> int:
        """A signed 64-bit number for this account."""
        digest = hashlib.sha256(f"{CHANNEL}:{self._settings.app_id}".encode()).digest()
        return int.from_bytes(digest[:8], signed=True)


def warnings_for(pair: TokenPair, known: Condition, at: datetime, ahead: timedelta) -> tuple[str, ...]:
    """What to tell about the pair in force, the most urgent first; it is replaced `ahead` of its end. Pure."""
    warnings = []
    ends = say_moment(pair.access_expires_at)
    if known.refresh_refused_at is not None:
        lost = (
            f" Lần làm mới lúc {say_moment(known.refresh_begun_at)} bị ngắt giữa chừng, có thể mã mới đã mất."
            if known.refresh_begun_at
            else ""
        )
        left = f" Mã đang dùng hết hạn lúc {ends}." if at < pair.access_expires_at else " Kênh Zalo không gửi được tin."
        warnings.append(f"{REFUSED_VI}{lost}{left}")
    elif known.refresh_begun_at is not None and at >= known.refresh_begun_at + IN_FLIGHT:
        warnings.append(
            f"Lần làm mới mã truy cập Zalo lúc {say_moment(known.refresh_begun_at)} chưa có kết quả; "
            "hệ thống thử lại bằng mã cũ. Nếu Zalo không nhận, cần cấp quyền lại (trang /zalo/consent)."
        )
    if at >= pair.access_expires_at - ahead + ALARM_AFTER and known.refresh_refused_at is None:
        warnings.append(f"Không làm mới được mã truy cập Zalo; mã đang dùng hết hạn lúc {ends}.")
    if at >= pair.refresh_expires_at - REFRESH_ALARM:
        warnings.append(f"Mã làm mới của Zalo hết hạn lúc {say_moment(pair.refresh_expires_at)}: cần cấp quyền lại.")
    return tuple(warnings)
