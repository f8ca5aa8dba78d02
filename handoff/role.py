"""What our people may do. Pure; rights are checked in handoff/desk.py and its like, never in pages."""

from enum import StrEnum


class Role(StrEnum):
    """The part a person plays."""

    OPERATOR = "operator"
    UNIT_OFFICER = "unit_officer"
    EDITOR = "editor"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


ROLE_VI = {
    Role.OPERATOR: "Cán bộ trực",
    Role.UNIT_OFFICER: "Cán bộ đầu mối",
    Role.EDITOR: "Biên tập",
    Role.SUPERVISOR: "Giám sát",
    Role.ADMIN: "Quản trị",
}
