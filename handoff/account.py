"""A person on our side, as other rooms see them. Pure."""

from dataclasses import dataclass

from bot.contracts.ids import AccountId, UnitCode
from handoff.role import Role


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who logged in (or may)."""

    id: AccountId
    name: str
    display_name: str
    role: Role
    unit: UnitCode | None
    must_change_password: bool
    active: bool = True
