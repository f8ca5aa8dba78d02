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
