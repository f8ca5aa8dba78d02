"""The Zalo token pair: stored encrypted, replaced ahead of its end, by one process only.

A refresh token works once: two processes that refresh together, or one that loses the answer, lose the account, and an
administrator must consent again. So: a PostgreSQL advisory lock around the refresh, a second look at the table once
the lock is held, and the new pair committed before anybody uses it. Earlier pairs are kept for inquiry.
"""

import asyncio
import base64
import hashlib
from datetime import datetime, timedelta

import httpx
import structlog
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now, say_moment
from bot.base.db import Database
from bot.contracts.errors import Action, GiveUp, RetryLater
from connectors.tables import ChannelTokenRow
from connectors.zalo import oauth
from connectors.zalo.oauth import TokenPair
from connectors.zalo.settings import ZaloSettings

log = structlog.get_logger(__name__)
CHANNEL = "zalo"
PAIRS_KEPT = 5
ALARM_AFTER = timedelta(hours=1)
"""How long refreshing may fail before the operator is told; four hours are then left."""
REFRESH_ALARM = timedelta(days=14)
QUIET = timedelta(minutes=5)
"""After a failed refresh the pair in force is used on, if it can be, before the next try."""
SAVE_TRIES = 30
"""Half a minute: a PostgreSQL that was just killed comes back sooner."""


class TokenStore:
    """Gives the access token in force. Safe to use from many tasks and many processes."""

    def __init__(
        self, settings: ZaloSettings, database: Database, secret_key: bytes, client: httpx.AsyncClient
    ) -> None:
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
            pair = await self.current()
        except GiveUp as error:
            return (error.reason_vi,)
        if pair is None:
            seeded = self._settings.access_token.get_secret_value() and self._settings.refresh_token.get_secret_value()
            return () if seeded else ("Kênh Zalo chưa được cấp quyền: quản trị viên OA cần cấp quyền cho ứng dụng.",)
        late = pair.access_expires_at - timedelta(seconds=self._settings.refresh_ahead_s) + ALARM_AFTER
        warnings = []
        if at >= pair.refresh_expires_at - REFRESH_ALARM:
            warnings.append(
                f"Mã làm mới của Zalo hết hạn lúc {say_moment(pair.refresh_expires_at)}: cần cấp quyền lại."
            )
        if at >= late:
            warnings.append(
                f"Không làm mới được mã truy cập Zalo; mã đang dùng hết hạn lúc {say_moment(pair.access_expires_at)}."
            )
        return tuple(warnings)

    async def save(self, pair: TokenPair, origin: str) -> None:
        """Put a new pair in force. Returns only when it is committed: until then nobody may use it."""
        for attempt in range(SAVE_TRIES):
            try:
                async with self._database.transaction() as session:
                    await self._insert(session, pair, origin)
                break
            except DBAPIError as error:  # the pair exists only in this process now: do not let go of it
                log.critical("zalo.token_not_saved", attempt=attempt, error=type(error).__name__)
                if attempt == SAVE_TRIES - 1:
                    raise
                await asyncio.sleep(1.0)
        self._cached = pair
        log.info("zalo.token_saved", origin=origin, access_expires_at=pair.access_expires_at.isoformat())

    async def _renewed(self, at: datetime, *, unless_near_end: bool, rejected: str | None) -> TokenPair:
        async with self._turn, self._database.transaction() as session:
            await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": self._lock_key()})
            pair = await self._newest(session) or await self._seed(session, at)
            wanted = pair.access == rejected or (unless_near_end and self._is_near_end(pair, at))
            if not wanted:  # another process was here before us
                self._cached = pair
                return pair
            try:
                renewed = await oauth.refresh(self._client, self._settings, pair.refresh, at)
            except (RetryLater, GiveUp) as error:
                log.error("zalo.refresh_failed", reason=str(error), expires_at=pair.access_expires_at.isoformat())
                if pair.access == rejected or at >= pair.access_expires_at:
                    raise
                self._cached, self._quiet_until = pair, at + QUIET
                return pair
            await self.save(renewed, "refresh")  # its own transaction: committed while the lock is still held
            return renewed

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
