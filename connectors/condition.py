"""What is known about a channel's account, shared by all processes and kept over restarts; and its warnings.

Platforms tell us in the middle of a send that the page is barred, the token dead or the quota nearly used. The worker
hears it, the console (another process) must show it, and a restart must not forget it: so it is a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now, say_moment
from bot.base.db import Database
from bot.contracts.connector import Connector, Quota, Warns
from bot.contracts.errors import ChannelError
from bot.contracts.ids import Channel
from connectors.tables import ChannelConditionRow, CitizenQuotaRow

log = structlog.get_logger(__name__)
NEARLY_USED = 0.1
"""Of an account's quota this much is left: the operator is told."""
BUSY_PERCENT = 80
USAGE_LASTS = timedelta(hours=1)
USAGE_NOTED_EVERY = timedelta(minutes=5)
QUOTAS_KEPT = timedelta(days=8)
"""No platform's window is longer than seven days."""
BLIND_VI = "Không đọc được tình trạng kênh: cơ sở dữ liệu không trả lời."


@dataclass(frozen=True, slots=True)
class Condition:
    """One account, as its row has it. Everything is optional: nothing is known before the first trouble."""

    barred_until: datetime | None = None
    barred_for_s: int | None = None
    """How long the last bar was taken to last: the next one is taken to last twice as long."""
    trouble_vi: str | None = None
    """Why the platform refused our account, in the operator's words; cleared by the next message that goes out."""
    trouble_at: datetime | None = None
    refresh_begun_at: datetime | None = None
    """A token refresh that has had no answer yet."""
    refresh_refused_at: datetime | None = None
    """The platform said no to the refresh token in force: only a new consent helps."""
    token_expires_at: datetime | None = None
    token_checked_at: datetime | None = None
    quota_kind: str | None = None
    quota_left: int | None = None
    quota_total: int | None = None
    quota_until: datetime | None = None
    usage_percent: int | None = None
    """Of the platform's rate limits, when it last told us."""
    usage_at: datetime | None = None
    enforcement: str | None = None
    """What the platform announced against our page: "warning", "block"; None when it announced nothing, or its end."""
    enforced_at: datetime | None = None
    webhooks_refused: int | None = None
    """Webhooks with a wrong signature since the last genuine one."""
    webhook_refused_at: datetime | None = None
    webhook_genuine_at: datetime | None = None


NOTHING_KNOWN = Condition()


class ConditionStore:
    """The row of one account. Writing never raises: a message that went out must not fail because of a note."""

    def __init__(self, database: Database, channel: Channel, account: str) -> None:
        self._database, self._channel, self._account = database, channel, account
        self._known: Condition | None = None

    async def known(self) -> Condition:
        """As this process last read or wrote it; read from PostgreSQL the first time."""
        if self._known is None:
            try:
                self._known = await self.read()
            except SQLAlchemyError as error:
                log.warning("channel.condition_unread", channel=self._channel, error=type(error).__name__)
                return NOTHING_KNOWN
        return self._known

    async def read(self) -> Condition:
        """As PostgreSQL has it now. Raises SQLAlchemyError."""
        async with self._database.transaction() as session:
            return await read_condition(session, self._channel, self._account)

    async def change(self, **fields: Any) -> None:
        """Write some fields of `Condition`; nothing happens when they are as they were."""
        before = await self.known()
        if any(getattr(before, name) != value for name, value in fields.items()):
            await self._put(fields, fields)

    async def _put(self, new: dict[str, Any], changed: dict[str, Any]) -> None:
        """Write `new` as the first row, or `changed` into the row that is there."""
        try:
            async with self._database.transaction() as session:
                await _write(session, self._channel, self._account, new, changed)
                self._known = await read_condition(session, self._channel, self._account)
        except SQLAlchemyError as error:
            log.error("channel.condition_unwritten", channel=self._channel, error=type(error).__name__)

    async def note_enforcement(self, action: str | None, at: datetime) -> None:
        """The platform announced something against our page; None: it took it back."""
        fields = {"enforcement": action, "enforced_at": at if action else None}
        await self._put(fields, fields)  # whatever this process believes: another one may have heard more

    async def note_refused_webhooks(self, number: int, at: datetime) -> None:
        """So many more had a wrong signature, the last one now."""
        known = func.coalesce(ChannelConditionRow.webhooks_refused, 0)
        await self._put(
            {"webhooks_refused": number, "webhook_refused_at": at},
            {"webhooks_refused": known + number, "webhook_refused_at": at},
        )

    async def note_genuine_webhook(self, at: datetime) -> None:
        """One was right: those that were refused before don't matter."""
        fields = {"webhooks_refused": 0, "webhook_refused_at": None, "webhook_genuine_at": at}
        await self._put(fields, fields)

    async def note_trouble(self, reason_vi: str) -> None:
        """The platform refused our account, not this one message."""
        begun = (await self.known()).trouble_at
        await self.change(trouble_vi=reason_vi, trouble_at=begun or now())

    async def note_success(self) -> None:
        """A message went out: whatever was wrong is over."""
        await self.change(trouble_vi=None, trouble_at=None, barred_until=None, barred_for_s=None)

    async def note_usage(self, percent: int, at: datetime) -> None:
        """How much of its rate limits the platform says is used. Written only when it is much, and not all the time."""
        known = await self.known()
        is_news = known.usage_at is None or at >= known.usage_at + USAGE_NOTED_EVERY
        if percent >= BUSY_PERCENT and (is_news or percent > (known.usage_percent or 0)):
            await self.change(usage_percent=percent, usage_at=at)

    async def note_account_quota(self, quota: Quota) -> None:
        """What the platform said about the quota that all our messages share."""
        await self.change(
            quota_kind=quota.kind, quota_left=quota.left, quota_total=quota.total, quota_until=quota.until
        )

    async def note_quota(self, citizen_ref: str, quota: Quota) -> None:
        """What the platform said about messages to one citizen."""
        values = {
            "kind": quota.kind,
            "left": quota.left,
            "total": quota.total,
            "until": quota.until,
            "seen_at": quota.seen_at,
        }
        statement = insert(CitizenQuotaRow).values(channel=self._channel, citizen_ref=citizen_ref, **values)
        try:
            async with self._database.transaction() as session:
                await session.execute(
                    statement.on_conflict_do_update(index_elements=["channel", "citizen_ref"], set_=values)
                )
        except SQLAlchemyError as error:
            log.error("channel.quota_unwritten", channel=self._channel, error=type(error).__name__)

    async def quota(self, citizen_ref: str) -> Quota | None:
        """What is known about one citizen's quota. Raises SQLAlchemyError."""
        async with self._database.transaction() as session:
            row = await session.get(CitizenQuotaRow, (self._channel, citizen_ref))
            return Quota(row.kind, row.seen_at, row.left, row.total, row.until) if row else None

    async def forget_old_quotas(self, at: datetime) -> None:
        """Drop what is older than any platform's window."""
        async with self._database.transaction() as session:
            await session.execute(
                delete(CitizenQuotaRow).where(
                    CitizenQuotaRow.channel == self._channel, CitizenQuotaRow.seen_at < at - QUOTAS_KEPT
                )
            )


async def forget_citizen(session: AsyncSession, channel: Channel, citizen_ref: str) -> None:
    """The citizen's data are erased."""
    await session.execute(
        delete(CitizenQuotaRow).where(CitizenQuotaRow.channel == channel, CitizenQuotaRow.citizen_ref == citizen_ref)
    )


async def write_condition(session: AsyncSession, channel: Channel, account: str, **fields: Any) -> None:
    """Write some fields of `Condition` in the caller's transaction."""
    await _write(session, channel, account, fields, fields)


async def _write(
    session: AsyncSession, channel: Channel, account: str, new: dict[str, Any], changed: dict[str, Any]
) -> None:
    statement = insert(ChannelConditionRow).values(channel=channel, account=account, **new)
    await session.execute(statement.on_conflict_do_update(index_elements=["channel", "account"], set_=changed))


async def read_condition(session: AsyncSession, channel: Channel, account: str) -> Condition:
    row = (
        await session.execute(
            select(ChannelConditionRow)
            .where(ChannelConditionRow.channel == channel, ChannelConditionRow.account == account)
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if row is None:
        return NOTHING_KNOWN
    return Condition(**{name: getattr(row, name) for name in Condition.__dataclass_fields__})


def warnings_for(known: Condition, called: str, at: datetime) -> tuple[str, ...]:
    """Sentences for what any platform may do to an account, the most urgent first. Pure."""
    found = []
    if known.barred_until is not None and at < known.barred_until:
        found.append(f"{called} tạm cấm gửi tin; hệ thống thử lại lúc {say_moment(known.barred_until)}.")
    if known.trouble_vi and known.trouble_at:
        found.append(f"{called} từ chối gửi tin từ {say_moment(known.trouble_at)}: {known.trouble_vi}")
    if _is_nearly_used(known, at):
        found.append(f"{called}: gói tin sắp hết, còn {known.quota_left}/{known.quota_total} tin.")
    if (known.usage_percent or 0) >= BUSY_PERCENT and known.usage_at is not None and at < known.usage_at + USAGE_LASTS:
        found.append(f"{called}: đã dùng {known.usage_percent}% hạn mức lời gọi, tin có thể đi chậm.")
    return tuple(found)


def _is_nearly_used(known: Condition, at: datetime) -> bool:
    if known.quota_left is None or not known.quota_total or (known.quota_until is not None and at >= known.quota_until):
        return False
    return known.quota_left <= known.quota_total * NEARLY_USED


async def warnings_of(
    connectors: Mapping[Channel, Connector], why_off: Mapping[Channel, str]
) -> dict[Channel, tuple[str, ...]]:
    """Every channel's sentences for the people at the desk; channels without any are left out."""
    found: dict[Channel, tuple[str, ...]] = {channel: (reason,) for channel, reason in why_off.items()}
    for channel, connector in connectors.items():
        if not isinstance(connector, Warns):
            continue
        try:
            said = await connector.warnings()
        except (SQLAlchemyError, ChannelError) as error:  # one broken channel hides no other
            log.error("channel.warnings_unread", channel=channel, error=type(error).__name__)
            said = (BLIND_VI,)
        if said:
            found[channel] = said
    return found
