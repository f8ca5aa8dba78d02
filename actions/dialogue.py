"""Actions outside the form: each turns a tracker into one call of the services, and says what comes back."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, UserUtteranceReverted
from rasa_sdk.executor import CollectingDispatcher

from actions.form import empty_form
from actions.reading import find_ticket_code
from actions.said import entities_of, message_id_of, say
from actions.services import ActionServices, HandOverReason
from bot.conversation.closing import is_closing


class ServiceAction(Action):  # type: ignore[misc]  # rasa_sdk is untyped
    """An action that needs the services."""

    def __init__(self, services: ActionServices) -> None:
        self._services = services


class AnswerQuestion(ServiceAction):
    """A question inside the dialogue: the search answers, offers choices, or hands over."""

    def name(self) -> str:
        return "action_answer_question"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        text = str(tracker.latest_message.get("text") or "")
        for reply in await self._services.answer_question(message_id_of(tracker), text):
            say(dispatcher, reply)
        return []


class AskPerson(ServiceAction):
    """ "Cho tôi gặp cán bộ": a ticket, and a person takes over. Ends a form; its words stay in the history."""

    def name(self) -> str:
        return "action_ask_person"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        reply = await self._services.open_ticket(message_id_of(tracker), "question", reason=HandOverReason.ASKED)
        say(dispatcher, reply)
        return empty_form()


class Unclear(ServiceAction):
    """Second stage of the fallback: the new words are searched as a question, and the search hands over if it must."""

    def name(self) -> str:
        return "action_default_fallback"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        text = str(tracker.latest_message.get("text") or "")
        if is_closing(text):  # asked for other words, the citizen rather lets it be
            dispatcher.utter_message(response="utter_goodbye")
        else:
            for reply in await self._services.answer_question(message_id_of(tracker), text):
                say(dispatcher, reply)
        # Without this, no rule fits the message and Rasa falls back again, ten times over.
        return [UserUtteranceReverted()]


class TicketStatus(ServiceAction):
    """ "Phiếu TH-7K3P9 đến đâu rồi?" """

    def name(self) -> str:
        return "action_ticket_status"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        code = find_ticket_code(str(tracker.latest_message.get("text") or ""))
        say(dispatcher, await self._services.ticket_status(message_id_of(tracker), code))
        return []


class UnitContact(ServiceAction):
    """ "Cho xin số của CDC": the words go along whole, since a unit may be named in ways no list has."""

    def name(self) -> str:
        return "action_unit_contact"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        text = str(tracker.latest_message.get("text") or "")
        unit = entities_of(tracker.latest_message).get("unit") or text or None
        say(dispatcher, await self._services.unit_contact(message_id_of(tracker), unit))
        return []


class Emergency(ServiceAction):
    """Danger to life: the number first, then a person. Ends a form under way."""

    def name(self) -> str:
        return "action_emergency"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        text = str(tracker.latest_message.get("text") or "")
        for reply in await self._services.emergency(message_id_of(tracker), text):
            say(dispatcher, reply)
        return empty_form()


class Helped(ServiceAction):
    """The last answer helped."""

    def name(self) -> str:
        return "action_helped"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        say(dispatcher, await self._services.record_helpful(message_id_of(tracker), True))
        return []


class NotHelped(ServiceAction):
    """The last answer did not help."""

    def name(self) -> str:
        return "action_not_helped"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        say(dispatcher, await self._services.record_helpful(message_id_of(tracker), False))
        return []


class AskRephrase(Action):  # type: ignore[misc]
    """First stage of the fallback: instead of guessing an intent, ask for other words and show what can be done."""

    def name(self) -> str:
        return "action_default_ask_affirmation"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        dispatcher.utter_message(response="utter_ask_rephrase")
        return []
