"""What a change changes beside the question and the answer, said so that a person can agree to it."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from bot.contracts.ids import UnitCode
from kb_import.plan import Change, ImportPlan

NOTHING = "(trống)"


class Said(NamedTuple):
    """One field of an entry, before and after, in Vietnamese."""

    name: str
    before: str
    after: str


def _day(value: date | None) -> str:
    return value.strftime("%d/%m/%Y") if value else ""


def say_place(plan: ImportPlan, code: str | None) -> str:
    """The name of a place; "" for the whole province."""
    return plan.place_names.get(UnitCode(code), code) if code else ""


def say_changes(plan: ImportPlan, change: Change) -> list[Said]:
    """Every field that differs, but for the question and the answer, whose words are shown one by one."""
    before, after = change.entry.draft, change.draft
    subjects: Mapping[Any, str] = plan.subject_names
    fields: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
        ("subject", "Lĩnh vực", lambda one: subjects.get(one, str(one)) if one is not None else ""),
        ("legal_basis", "Căn cứ", str),
        ("confirmed_on", "Ngày cập nhật", _day),
        ("valid_from", "Hiệu lực từ", _day),
        ("valid_until", "Hiệu lực đến", _day),
        ("place", "Địa bàn", lambda one: say_place(plan, one)),
    )
    said = [
        Said(label, say(getattr(before, name)) or NOTHING, say(getattr(after, name)) or NOTHING)
        for name, label, say in fields
        if getattr(before, name) != getattr(after, name)
    ]
    said += [Said("Thêm cách hỏi", "", one) for one in change.added_phrasings]
    said += [Said("Bỏ cách hỏi mà tệp không còn", one, "") for one in change.removed_phrasings]
    return said
