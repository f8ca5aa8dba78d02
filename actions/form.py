"""The report form's actions: start with what is already said, read each turn, submit, cancel.

Which step is next is Rasa's business (report_form in domain.yml); what a message means is reading.py's.
"""

from collections.abc import Mapping
from typing import Any, assert_never

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.reading import (
    SKIPPED,
    SLOTS,
    Adds,
    Corrects,
    Fills,
    Interrupts,
    Slot,
    Turn,
    Unusable,
    Words,
    first_values,
    read_turn,
)
from actions.said import entities_of, message_id_of, say
from actions.services import ActionServices, Report, ReportKind
from bot.contracts.ids import MessageId
from bot.contracts.messages import Reply
from nlu_data.vi_nlu.text import fold

NAMES_VI: Mapping[Slot, str] = {
    "report_what": "nội dung",
    "report_where": "địa điểm",
    "report_when": "thời gian",
    "report_photo": "hình ảnh",
    "report_phone": "số điện thoại",
}

LEAVES_FORM = frozenset({"emergency", "ask_person", "stop"})
"""Intents that end the form by a rule (nlu_data/dialogue/rules.yml)."""


def words_of(tracker: Tracker) -> Words:
    """The latest message as the form reads it. What is no text is in its metadata: "photo", "phone", "place"."""
    latest: Mapping[str, Any] = tracker.latest_message
    intent: Mapping[str, Any] = latest.get("intent") or {}
    text = str(latest.get("text") or "")
    metadata: Mapping[str, Any] = latest.get("metadata") or {}
    return Words(
        text="" if text.startswith("/") else text,
        intent=str(intent.get("name") or ""),
        confidence=float(intent.get("confidence") or 0.0),
        entities=entities_of(latest),
        photo=str(message_id_of(tracker)) if metadata.get("photo") else None,
        phone=metadata.get("phone"),
        place=metadata.get("place"),
    )


class StartReport(Action):  # type: ignore[misc]  # rasa_sdk is untyped
    """Empties the form, then keeps what the opening sentence already tells."""

    def name(self) -> str:
        return "action_start_report"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        words = words_of(tracker)
        values: dict[Slot, str | None] = {**dict.fromkeys(SLOTS), **first_values(words)}
        if words.photo is not None:
            values["report_photo"] = words.photo
        if words.place is not None:
            values["report_where"] = words.place
        dispatcher.utter_message(response="utter_report_started")
        return [SlotSet("report_kind", kind_of(words.text).value), *(SlotSet(*one) for one in values.items())]


def kind_of(text: str) -> ReportKind:
    """Which of the plan's three words the opening sentence uses; a report unless it says otherwise."""
    plain = fold(text)
    if any(word in plain for word in ("kien nghi", "de nghi", "de xuat", "gop y")):
        return ReportKind.PROPOSAL
    if any(word in plain for word in ("ho tro", "giup do", "cuu tro", "xin giup")):
        return ReportKind.HELP
    return ReportKind.REPORT


class ReadReportTurn(Action):  # type: ignore[misc]
    """Rasa calls this after each message while the form is active."""

    def __init__(self, services: ActionServices) -> None:
        self._services = services

    def name(self) -> str:
        return "validate_report_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        asked = tracker.get_slot("requested_slot")
        words = words_of(tracker)
        shared = words.photo or words.phone or words.place
        if asked not in SLOTS or (words.intent in LEAVES_FORM and not shared):
            return []
        turn = read_turn(words, asked)
        if isinstance(turn, Interrupts):
            for reply in await self._answer(message_id_of(tracker), words, turn):
                say(dispatcher, reply)
            dispatcher.utter_message(response="utter_back_to_report")
        return _events_of(turn, asked, tracker, dispatcher)

    async def _answer(self, message: MessageId, words: Words, turn: Interrupts) -> list[Reply]:
        match turn.intent:
            case "ticket_status":
                return [await self._services.ticket_status(message, words.entities.get("ticket_code"))]
            case "unit_contact":
                return [await self._services.unit_contact(message, words.entities.get("unit") or words.text)]
            case _:
                return list(await self._services.answer_question(message, words.text))


def _events_of(turn: Turn, asked: Slot, tracker: Tracker, dispatcher: CollectingDispatcher) -> list[EventType]:
    """Slots after this turn. A None for `asked` makes the form ask for it again."""
    match turn:
        case Fills(values):
            filled: dict[Slot, str | None] = {asked: None, **values}
            before = tracker.get_slot("report_photo") if asked != "report_photo" else None
            if values.get("report_photo", "").isdigit() and before not in (None, SKIPPED):
                filled["report_photo"] = f"{before},{values['report_photo']}"
            place = tracker.get_slot("report_where") if asked != "report_where" else None
            if "report_where" in values and place not in (None, SKIPPED):  # a point on the map makes words exact
                filled["report_where"] = f"{place}; {values['report_where']}"
            return [SlotSet(*one) for one in filled.items()]
        case Corrects(slot, value):
            dispatcher.utter_message(text=f"Tôi đã sửa {NAMES_VI[slot]} thành: {value}")
            return [SlotSet(asked, None), SlotSet(slot, value)]
        case Adds(text):
            dispatcher.utter_message(response="utter_report_added")
            return [
                SlotSet(asked, None),
                SlotSet("report_what", f"{tracker.get_slot('report_what') or ''}\n{text}".strip()),
            ]
        case Unusable(response):
            dispatcher.utter_message(response=response)
            return [SlotSet(asked, None)]
        case Interrupts():
            return [SlotSet(asked, None)]
        case _:
            assert_never(turn)


class SubmitReport(Action):  # type: ignore[misc]
    """The finished form becomes a ticket."""

    def __init__(self, services: ActionServices) -> None:
        self._services = services

    def name(self) -> str:
        return "action_submit_report"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        say(dispatcher, await self._services.submit_report(message_id_of(tracker), report_of(tracker)))
        return empty_form()


def report_of(tracker: Tracker) -> Report:
    """The form's slots as a report."""

    def given(slot: Slot) -> str:
        value = tracker.get_slot(slot)
        return "" if value in (None, SKIPPED) else str(value)

    photo = given("report_photo")
    ids = [one for one in photo.split(",") if one.isdigit()]
    return Report(
        kind=ReportKind(tracker.get_slot("report_kind") or ReportKind.REPORT),
        what=given("report_what"),
        where=given("report_where"),
        when=given("report_when"),
        photos=tuple(MessageId(int(one)) for one in ids),
        photo_note=photo if photo and not ids else None,
        phone=given("report_phone") or None,
    )


class CancelReport(Action):  # type: ignore[misc]
    """Forget a half-filled form."""

    def name(self) -> str:
        return "action_cancel_report"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        dispatcher.utter_message(response="utter_report_cancelled")
        return empty_form()


def empty_form() -> list[EventType]:
    """Events that empty every slot of the form."""
    return [SlotSet(slot, None) for slot in (*SLOTS, "report_kind")]
