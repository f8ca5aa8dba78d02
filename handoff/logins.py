"""Where somebody is logged in: one row a login, so that each can be ended without the others.

The console's cookie names the row; one that has ended is out at its next click.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.notify import notify
from bot.contracts.errors import NotFound
from bot.contracts.ids import AccountId
from handoff.account import Account
from handoff.journal import audit
from handoff.rights import Action, check_may
from handoff.tables import LoginRow

LoginId = NewType("LoginId", int)

LOGINS = "logins"
"""News of this topic: a login of `account` ended, whoever shows a page of theirs should look."""
LASTS = timedelta(hours=12)
"""One shift and its handover; then the password again."""
SEEN_AGAIN_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Login:
    """One browser in which somebody is logged in."""

    id: LoginId
    device: str
    """As its browser calls itself, in a few words: "Chrome trên Windows"."""
    address: str
    begun_at: datetime
    seen_at: datetime
    """To five minutes."""


async def begin_login(
    session: AsyncSession, account: AccountId, *, device: str, address: str, now: datetime
) -> LoginId:
    """Somebody gave the right password."""
    row = LoginRow(account_id=account, device=device[:100], address=address[:64], begun_at=now, seen_at=now)
    session.add(row)
    await session.flush()
    return LoginId(row.id)


async def is_logged_in(session: AsyncSession, login: LoginId, account: AccountId, *, now: datetime) -> bool:
    """Does this login still hold? Notes that somebody is there, every few minutes."""
    row = await session.get(LoginRow, login)
    if row is None or row.account_id != account or row.ended_at is not None or row.begun_at + LASTS <= now:
        return False
    if row.seen_at + SEEN_AGAIN_AFTER <= now:
        await session.execute(update(LoginRow).where(LoginRow.id == login).values(seen_at=now))
    return True


async def load_logins_for(session: AsyncSession, by: Account, account: AccountId, *, now: datetime) -> list[Login]:
    """Where `account` is logged in now, latest first: one's own, or anybody's for administrators. Raises NotAllowed."""
    _check(by, account)
    rows = await session.scalars(
        select(LoginRow)
        .where(LoginRow.account_id == account, LoginRow.ended_at.is_(None), LoginRow.begun_at > now - LASTS)
        .order_by(LoginRow.seen_at.desc(), LoginRow.id.desc())
    )
    return [Login(LoginId(row.id), row.device, row.address, row.begun_at, row.seen_at) for row in rows]


async def end_login(session: AsyncSession, login: LoginId, by: Account, *, now: datetime) -> None:
    """Log one browser out; one that is out already stays out. Raises NotAllowed, NotFound."""
    row = await session.get(LoginRow, login, with_for_update=True)
    if row is None:
        raise NotFound(what="phiên đăng nhập")
    _check(by, row.account_id)
    if row.ended_at is None:
        row.ended_at = now
        await notify(session, LOGINS, account=row.account_id)
        await audit(session, "logged_out", by, now, account=row.account_id, login=login)


async def end_logins_of(session: AsyncSession, account: AccountId, *, now: datetime) -> None:
    """Log an account out everywhere: it was closed, or its password changed."""
    await session.execute(
        update(LoginRow).where(LoginRow.account_id == account, LoginRow.ended_at.is_(None)).values(ended_at=now)
    )
    await notify(session, LOGINS, account=account)


def _check(by: Account, account: AccountId) -> None:
    if by.id != account:
        check_may(by, Action.MANAGE_ACCOUNTS)
