"""Tables of the connectors' room: the tokens a platform hands out and takes back."""

from datetime import datetime

from sqlalchemy import Identity, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.db import Base


class ChannelTokenRow(Base):
    """One pair of tokens. The newest row of (channel, account) is in force; the ones before are kept for inquiry."""

    __tablename__ = "channel_tokens"
    __table_args__ = (Index("ix_channel_tokens_newest", "channel", "account", "id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    channel: Mapped[str] = mapped_column(Text)
    account: Mapped[str] = mapped_column(Text)
    """The platform's id of the application the pair was given to."""
    sealed_access: Mapped[bytes] = mapped_column(LargeBinary)
    """Fernet tokens; the key lies outside the database."""
    sealed_refresh: Mapped[bytes] = mapped_column(LargeBinary)
    origin: Mapped[str] = mapped_column(Text)
    """ "settings", "consent" or "refresh": where the pair came from."""
    access_expires_at: Mapped[datetime]
    refresh_expires_at: Mapped[datetime]
    obtained_at: Mapped[datetime]


class ChannelConditionRow(Base):
    """What a platform last told us about an account of ours; the fields are those of `condition.Condition`."""

    __tablename__ = "channel_conditions"

    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    account: Mapped[str] = mapped_column(Text, primary_key=True)
    """The page's or the application's id."""
    barred_until: Mapped[datetime | None]
    barred_for_s: Mapped[int | None]
    trouble_vi: Mapped[str | None] = mapped_column(Text)
    trouble_at: Mapped[datetime | None]
    refresh_begun_at: Mapped[datetime | None]
    refresh_refused_at: Mapped[datetime | None]
    token_expires_at: Mapped[datetime | None]
    token_checked_at: Mapped[datetime | None]
    quota_kind: Mapped[str | None] = mapped_column(Text)
    quota_left: Mapped[int | None]
    quota_total: Mapped[int | None]
    quota_until: Mapped[datetime | None]
    usage_percent: Mapped[int | None]
    usage_at: Mapped[datetime | None]
    enforcement: Mapped[str | None] = mapped_column(Text)
    enforced_at: Mapped[datetime | None]
    webhooks_refused: Mapped[int | None]
    webhook_refused_at: Mapped[datetime | None]
    webhook_genuine_at: Mapped[datetime | None]


class CitizenQuotaRow(Base):
    """How much a platform still lets us write to one citizen, as its last answer said."""

    __tablename__ = "citizen_quotas"

    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    citizen_ref: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    left: Mapped[int | None]
    total: Mapped[int | None]
    until: Mapped[datetime | None]
    seen_at: Mapped[datetime] = mapped_column(index=True)
