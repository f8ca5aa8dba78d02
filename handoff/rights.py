"""Who may do what: the one table of rights. Pure."""

from collections.abc import Collection
from enum import StrEnum

from bot.contracts.errors import NotAllowed
from bot.contracts.ids import UnitCode
from handoff.account import Account
from handoff.role import Role
from handoff.ticket import AT_UNIT, MOVES, Move, State


class Action(StrEnum):
    """Something a person on our side may want to do with a ticket or a conversation."""

    READ = "read"
    TAKE_OVER = "take_over"
    REPLY = "reply"
    HAND_BACK = "hand_back"
    REASSIGN = "reassign"
    TRIAGE = "triage"
    FORWARD = "forward"
    SEND_BACK = "send_back"
    PROMISE = "promise"
    ANSWER = "answer"
    NOTE = "note"
    CALL = "call"
    """Tell by phone what could not be sent."""
    LINK = "link"
    """Say that two conversations are the same person's."""
    CLOSE = "close"
    REOPEN = "reopen"
    TEACH = "teach"
    MANAGE_ACCOUNTS = "manage_accounts"
    MANAGE_UNITS = "manage_units"
    TUNE = "tune"
    """Set how sure the bot must be."""


AT_THE_DESK = frozenset(
    {
        Action.READ,
        Action.TAKE_OVER,
        Action.REPLY,
        Action.HAND_BACK,
        Action.TRIAGE,
        Action.FORWARD,
        Action.SEND_BACK,
        Action.PROMISE,
        Action.ANSWER,
        Action.NOTE,
        Action.CALL,
        Action.LINK,
        Action.CLOSE,
        Action.REOPEN,
    }
)
RIGHTS: dict[Role, frozenset[Action]] = {
    Role.OPERATOR: AT_THE_DESK,
    Role.UNIT_OFFICER: frozenset({Action.READ, Action.SEND_BACK, Action.PROMISE, Action.ANSWER, Action.NOTE}),
    Role.EDITOR: frozenset({Action.TEACH}),
    Role.SUPERVISOR: AT_THE_DESK | {Action.REASSIGN, Action.TEACH},
    Role.ADMIN: frozenset(Action),
}
OVERSEERS = frozenset({Role.SUPERVISOR, Role.ADMIN})
"""May act on what others hold."""
HOLDERS_ONLY = frozenset({Action.TRIAGE, Action.FORWARD, Action.SEND_BACK, Action.PROMISE, Action.ANSWER, Action.CLOSE})
"""While somebody is at work on a ticket, only they do this with it (`desk` raises AlreadyTaken for others)."""
MOVE_OF = {
    Action.FORWARD: Move.FORWARD,
    Action.SEND_BACK: Move.SEND_BACK,
    Action.PROMISE: Move.PROMISE,
    Action.ANSWER: Move.ANSWER,
    Action.CLOSE: Move.CLOSE,
    Action.REOPEN: Move.REOPEN,
}
"""Actions that are one move of the ticket, and so depend on its state."""


def check_may(by: Account, action: Action) -> None:
    """Raises NotAllowed unless the role permits the action at all."""
    if not by.active or action not in RIGHTS[by.role]:
        raise NotAllowed


def check_may_with(by: Account, action: Action, forwarded_to: UnitCode | None, family: Collection[UnitCode]) -> None:
    """Raises NotAllowed unless `by` may do this with a ticket that was forwarded to `forwarded_to`.

    A unit officer has rights over tickets of the own unit only; `family` are the codes that unit answers for today.
    """
    check_may(by, action)
    if by.role is Role.UNIT_OFFICER and (forwarded_to is None or forwarded_to not in family):
        raise NotAllowed


def plan_actions(by: Account, state: State, *, holds: bool, is_held: bool) -> frozenset[Action]:
    """What `by` may do with a ticket in `state` now: role, state and who holds the conversation taken together."""
    may = set(RIGHTS[by.role]) if by.active else set()
    may -= {action for action, move in MOVE_OF.items() if (state, move) not in MOVES}
    if by.role is Role.UNIT_OFFICER and state not in AT_UNIT | {State.ANSWERED}:
        may -= {Action.ANSWER, Action.PROMISE, Action.SEND_BACK}
    if not holds:
        may -= {Action.REPLY}
        if by.role not in OVERSEERS or not is_held:
            may -= {Action.HAND_BACK}
        if state is State.IN_PROGRESS and by.role not in OVERSEERS:
            may -= HOLDERS_ONLY  # somebody else is at work on it
    if is_held:
        may -= {Action.TAKE_OVER}
    if holds or not is_held:
        may -= {Action.REASSIGN}
    return frozenset(may)
