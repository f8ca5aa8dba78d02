"""Accounts of our people: adding one, logging in, passwords.

Passwords are stored as argon2id. A name that nobody has costs an attacker the same time as a wrong password, and gets
the same answer. Addresses are limited by the console, before anything here is asked.
"""

import asyncio
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NewType

import structlog
from pwdlib import PasswordHash
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import now as clock
from bot.base.db import Database
from bot.contracts.errors import Conflict, NotAllowed, NotFound, Refused
from bot.contracts.ids import AccountId, UnitCode
from handoff.account import Account
from handoff.journal import audit
from handoff.logins import end_logins_of
from handoff.rights import Action, check_may
from handoff.role import ROLE_VI, Role
from handoff.tables import AccountRow, UnitRow

log = structlog.get_logger(__name__)
OneTimePassword = NewType("OneTimePassword", str)
"""Good until the first login, which must change it. Shown once, stored nowhere."""

OF_A_UNIT = frozenset({Role.UNIT_OFFICER, Role.EDITOR})
"""Roles whose rights are those over a unit's tickets or banks: without a unit they could do nothing."""
MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
TELLING_NAME_CHARS = 3
"""A shorter login, such as "ha", stands in half of all passwords by chance."""
MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 200
"""Argon2 reads all of it: without a limit one request could hash a megabyte."""
_HASHES = PasswordHash.recommended()
_NOBODY = _HASHES.hash(secrets.token_urlsafe(16))
"""What a password for an unknown name is compared with."""


class LoginRefused(NotAllowed):
    """Wrong name, wrong password, or locked for now: which of these it was is not told."""

    code, status = "login.refused", 401
    vi = "Sai tên đăng nhập hoặc mật khẩu, hoặc tài khoản đang tạm khoá. Vui lòng thử lại sau ít phút."


class NameTaken(Conflict):
    """There is an account of this name."""

    code, vi = "account.name_taken", "Đã có tài khoản tên “{name}”."


async def add_account(
    session: AsyncSession,
    name: str,
    role: Role,
    unit: UnitCode | None = None,
    display_name: str | None = None,
    *,
    by: Account | None = None,
) -> OneTimePassword:
    """A new account and the password for its first login. `by` None: from the command line.

    Raises NameTaken, Refused (a bad name; an officer or editor without a unit), NotFound (the unit), NotAllowed.
    """
    if by is not None:
        check_may(by, Action.MANAGE_ACCOUNTS)
    login = name.strip().lower()
    if not login or len(login) > 60 or any(one.isspace() for one in login):
        raise Refused(problem="Tên đăng nhập gồm 1 đến 60 ký tự, không có dấu cách.")
    if role in OF_A_UNIT and unit is None:
        raise Refused(problem=f"Tài khoản vai trò {ROLE_VI[role]} phải thuộc một đơn vị. Hãy chọn đơn vị.")
    if unit is not None and await session.get(UnitRow, unit) is None:
        raise NotFound(what=f"đơn vị mang mã “{unit}”")
    if await session.scalar(select(AccountRow.id).where(AccountRow.name == login)):
        raise NameTaken(name=login)
    password = new_password()
    row = AccountRow(
        name=login,
        display_name=(display_name or name).strip(),
        role=role,
        unit=unit,
        password_hash=await asyncio.to_thread(_HASHES.hash, password),
    )
    session.add(row)
    await session.flush()
    await audit(session, "account_added", by, clock(), account=row.id, role=role.value, unit=unit)
    return password


async def authenticate(database: Database, name: str, password: str, now: datetime) -> Account:
    """Who logs in. Raises LoginRefused; after MAX_FAILURES in a row also for the right password, for LOCKED_FOR.

    Takes the database, not a session: a refusal must be counted although it raises, and the slow hash must not keep a
    transaction open.
    """
    login = name.strip().lower()
    async with database.transaction() as session:
        row = await session.scalar(select(AccountRow).where(AccountRow.name == login))
    stored = row.password_hash if row else _NOBODY
    right, newer = await asyncio.to_thread(_HASHES.verify_and_update, password[:MAX_PASSWORD_CHARS], stored)
    if row is None:
        log.info("handoff.login_refused", account=None)
        raise LoginRefused
    async with database.transaction() as session:
        fresh = await session.get_one(AccountRow, row.id, with_for_update=True)
        locked = fresh.locked_until is not None and fresh.locked_until > now
        changed = fresh.password_hash != stored
        ok = right and not locked and not changed and fresh.active
        if ok:
            fresh.failed_logins, fresh.locked_until = 0, None
            fresh.password_hash = newer or stored
            await audit(session, "logged_in", account_of(fresh), now)
        elif not locked:
            fresh.failed_logins += 1
            if fresh.failed_logins >= MAX_FAILURES:
                fresh.failed_logins, fresh.locked_until = 0, now + LOCKED_FOR
                await audit(session, "locked", account_of(fresh), now)
    if not ok:
        log.info("handoff.login_refused", account=row.id, locked=locked)
        raise LoginRefused
    return account_of(fresh)


async def change_password(session: AsyncSession, account: AccountId, old: str, new: str, *, now: datetime) -> Account:
    """The person's own new password; every login of theirs ends, this one too.

    Raises LoginRefused for a wrong old one, Refused for a weak new one.
    """
    row = await _get_row(session, account)
    if not row.active or not await asyncio.to_thread(_HASHES.verify, old[:MAX_PASSWORD_CHARS], row.password_hash):
        raise LoginRefused
    _check_strength(new, row.name, old)
    row.password_hash = await asyncio.to_thread(_HASHES.hash, new)
    row.must_change_password = False
    await end_logins_of(session, row.id, now=now)
    await audit(session, "password_changed", account_of(row), now)
    return account_of(row)


async def reset_password(
    session: AsyncSession, account: AccountId, by: Account | None, *, now: datetime
) -> OneTimePassword:
    """A new one-time password for somebody who forgot theirs; unlocks the account. Raises NotAllowed, NotFound."""
    if by is not None:
        check_may(by, Action.MANAGE_ACCOUNTS)
    row = await _get_row(session, account)
    password = new_password()
    row.password_hash = await asyncio.to_thread(_HASHES.hash, password)
    row.must_change_password, row.failed_logins, row.locked_until = True, 0, None
    await end_logins_of(session, row.id, now=now)
    await audit(session, "password_reset", by, now, account=row.id)
    return password


async def set_active(session: AsyncSession, account: AccountId, active: bool, by: Account, *, now: datetime) -> None:
    """Close an account, or open it again. Raises NotAllowed, NotFound."""
    check_may(by, Action.MANAGE_ACCOUNTS)
    row = await _get_row(session, account)
    row.active = active
    if not active:
        await end_logins_of(session, row.id, now=now)
    await audit(session, "account_opened" if active else "account_closed", by, now, account=row.id)


async def get_account(session: AsyncSession, account: AccountId) -> Account:
    """One account as it is now; ask again on each request, so that a closed account is out at once. Raises NotFound."""
    return account_of(await _get_row(session, account))


async def find_account(session: AsyncSession, name: str) -> Account | None:
    """The account of this name, or None."""
    row = await session.scalar(select(AccountRow).where(AccountRow.name == name.strip().lower()))
    return account_of(row) if row else None


async def has_accounts(session: AsyncSession) -> bool:
    """Is there anybody who could log in? If not, this is a first start."""
    return await session.scalar(select(AccountRow.id).limit(1)) is not None


async def load_accounts_for(session: AsyncSession, by: Account) -> list[Account]:
    """All accounts, by name: for administrators, and for supervisors who reassign. Raises NotAllowed."""
    if by.role is not Role.SUPERVISOR:
        check_may(by, Action.MANAGE_ACCOUNTS)
    return [account_of(row) for row in await session.scalars(select(AccountRow).order_by(AccountRow.name))]


async def load_names(session: AsyncSession, accounts: Collection[AccountId]) -> dict[AccountId, str]:
    """Display names."""
    found = await session.execute(select(AccountRow.id, AccountRow.display_name).where(AccountRow.id.in_(accounts)))
    return {account: name for account, name in found}


def new_password() -> OneTimePassword:
    """16 signs in groups of four, without those that look alike; about 79 bits."""
    letters = "23456789abcdefghjkmnpqrstuvwxyz"
    return OneTimePassword("-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4)))


def account_of(row: AccountRow) -> Account:
    """The row as other rooms know it."""
    return Account(row.id, row.name, row.display_name, row.role, row.unit, row.must_change_password, row.active)


def _check_strength(new: str, name: str, old: str) -> None:
    if not MIN_PASSWORD_CHARS <= len(new) <= MAX_PASSWORD_CHARS:
        raise Refused(problem=f"Mật khẩu mới cần từ {MIN_PASSWORD_CHARS} đến {MAX_PASSWORD_CHARS} ký tự.")
    named = len(name) >= TELLING_NAME_CHARS and name in new.lower()
    if new == old or named or len(set(new)) < 4:
        raise Refused(problem="Mật khẩu mới phải khác mật khẩu cũ, không chứa tên đăng nhập và không quá đơn giản.")


async def _get_row(session: AsyncSession, account: AccountId) -> AccountRow:
    row = await session.get(AccountRow, account)
    if row is None:
        raise NotFound(what="tài khoản")
    return row
