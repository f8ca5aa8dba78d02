"""The fields of an entry, and the draft that was typed into them."""

from collections.abc import Mapping, Sequence
from datetime import date

from nicegui import ui

from bot.contracts.errors import Refused
from bot.contracts.ids import BankId, SubjectId, UnitCode
from console.parts.asking import choice_field, text_field
from faq.entry import EntryDraft
from faq.store import Bank
from handoff.unit import Subject


class EntryForm:
    """Question, answer and what belongs to them. `banks` empty: the entry is in a bank already."""

    def __init__(
        self,
        draft: EntryDraft,
        subjects: Mapping[SubjectId, Subject],
        *,
        banks: Sequence[Bank] = (),
        unit_names: Mapping[UnitCode, str] | None = None,
    ) -> None:
        self._place = draft.place
        names = unit_names or {}
        with ui.element("div").classes("c-form").style("display:flex;flex-direction:column;gap:10px"):
            options = {one.id: f"{names.get(one.unit, one.unit)} · {one.name} ({one.live_entries})" for one in banks}
            first = next(iter(options), None)
            self._bank = choice_field("Bộ câu hỏi", options, value=first, mark="entry-bank") if banks else None
            self._question = text_field("Câu hỏi", value=draft.question, mark="entry-question")
            self._answer = text_field("Câu trả lời đã duyệt", value=draft.answer, mark="entry-answer", lines=True)
            self._phrasings = text_field(
                "Cách hỏi khác (mỗi dòng một cách)",
                value="\n".join(draft.phrasings),
                mark="entry-phrasings",
                lines=True,
            )
            subject_options = {one.id: f"{one.id}. {one.name}" for one in subjects.values()}
            self._subject = choice_field("Lĩnh vực", subject_options, value=draft.subject, mark="entry-subject")
            self._basis = text_field("Căn cứ pháp lý", value=draft.legal_basis, mark="entry-basis")
            with ui.row().classes("c-row no-wrap"):
                self._confirmed = _day("Cập nhật ngày", draft.confirmed_on)
                self._from = _day("Hiệu lực từ", draft.valid_from)
                self._until = _day("Hiệu lực đến", draft.valid_until)

    @property
    def bank(self) -> BankId:
        """The bank that was chosen. Raises Refused."""
        if self._bank is None or self._bank.value is None:
            raise Refused(problem="Chọn bộ câu hỏi.")
        return BankId(self._bank.value)

    def draft(self) -> EntryDraft:
        """What was typed. Raises Refused for a day that is none."""
        return EntryDraft(
            question=self._question.value or "",
            answer=(self._answer.value or "").strip(),
            phrasings=tuple(one.strip() for one in (self._phrasings.value or "").splitlines() if one.strip()),
            subject=SubjectId(self._subject.value) if self._subject.value else None,
            legal_basis=(self._basis.value or "").strip(),
            confirmed_on=parse_day(self._confirmed.value),
            valid_from=parse_day(self._from.value),
            valid_until=parse_day(self._until.value),
            place=self._place,
        )


def parse_day(typed: str | None) -> date | None:
    """The day that a browser's date field gives, None for an empty one. Raises Refused."""
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise Refused(problem=f"“{typed}” không phải là một ngày.") from None


def _day(label: str, value: date | None) -> ui.input:
    return ui.input(label, value=value.isoformat() if value else "").props("type=date outlined dense stack-label")
