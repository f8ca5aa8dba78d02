"""The job of an inbound message: who has the conversation, what does it mean, what do we say.

Everything it decides is written in one transaction with `handled_at`, so a job that is run again after a crash finds
either nothing done or everything. Rasa's dialogue keeps its own state; `_talk` makes sure it sees a message once.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy import BigInteger, Boolean, DateTime, Text, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.base.clock import in_vietnam, now
from bot.base.db import Database, Together, table_of
from bot.base.jobs import WaitAndRetry
from bot.base.metrics import ANSWER_SECONDS, DECISIONS
from bot.base.notify import notify
from bot.contracts.ids import MessageId
from bot.contracts.messages import Author, Choice, DeliveryState, Kind, Reply
from bot.conversation import texts
from bot.conversation.advert import is_advert
from bot.conversation.choices import HELPED, NOT_HELPED, PERSON, entry_in, find_choice
from bot.conversation.closing import is_closing
from bot.conversation.emergency import INTENT, by_intent, find_emergency
from bot.conversation.path import Path, plan_path, without_unhelpful
from bot.conversation.rasa import RasaClient, RasaUnavailable, Understanding
from bot.conversation.respond import (
    TO_PERSON,
    Response,
    answer_chosen,
    answer_reply,
    call_person,
    let_rest,
    respond_to,
    respond_to_emergency,
)
from bot.conversation.scenes import Scenes
from bot.conversation.tables import ConversationRow, DecisionRow, MessageRow
from bot.conversation.turn import Turn, load_turn
from bot.outbox.post import Outbox
from faq.decide import Answer, Decision
from faq.engine import FaqEngine
from handoff.journal import LOCK, lock_key
from handoff.tables import HoldRow
from handoff.ticket import Reason

log = structlog.get_logger(__name__)

RETRY_RASA_S = 1.0
TYPING_AFTER_S = 0.3
"""An answer that is there sooner needs no sign that somebody is writing."""
COMMAND = "/"
"""Begins the payload of a button that Rasa offered: an intent, given to the dialogue as it is."""
MAX_PLACE = 200
"""Characters of a place that are remembered."""
SILENT_KINDS = frozenset({Kind.UNFOLLOW, Kind.REACTION})


_conversations, _messages = table_of(ConversationRow), table_of(MessageRow)
_remembered = (
    update(_conversations)
    .where(_conversations.c.id == bindparam("conversation"))
    .values(
        in_dialogue=bindparam("in_dialogue", type_=Boolean),
        last_choices=func.coalesce(bindparam("offered", type_=JSONB(none_as_null=True)), _conversations.c.last_choices),
        last_question=func.coalesce(bindparam("question", type_=Text), _conversations.c.last_question),
        last_place=func.coalesce(bindparam("place", type_=Text), _conversations.c.last_place),
    )
)
_handled = (
    update(_messages)
    .where(_messages.c.id == bindparam("message"))
    .values(handled_at=bindparam("now", type_=DateTime(timezone=True)))
)
# The three rows that every handled message changes, in one round trip; built once.
_WRITE = (
    insert(table_of(DecisionRow))
    .values(
        message=bindparam("message", type_=BigInteger),
        outcome=bindparam("outcome", type_=Text),
        intent=bindparam("intent", type_=Text),
        evidence=bindparam("evidence", type_=JSONB),
    )
    .on_conflict_do_nothing()
    .add_cte(_remembered.cte("remembered"), _handled.cte("handled"))
)
_kept = select(_messages.c.id).where(
    _messages.c.conversation_id == bindparam("conversation"), _messages.c.status == DeliveryState.HELD.value
)
_hold = select(table_of(HoldRow).c.conversation_id).where(
    table_of(HoldRow).c.conversation_id == bindparam("conversation")
)
_look = select(_messages.c.handled_at.is_not(None), _hold.exists(), _kept.exists()).where(
    _messages.c.id == bindparam("message")
)
_LOCK_AND_LOOK = Together(LOCK, _look)


@dataclass(frozen=True, slots=True)
class Conversing:
    """What the job needs."""

    database: Database
    engine: FaqEngine
    rasa: RasaClient
    outbox: Outbox
    rasa_patience_s: float
    show_typing: Callable[[Turn], None]
    scenes: Scenes | None = None
    """A second opinion where the intent wavers; None: the intent decides alone."""

    async def converse(self, message: MessageId) -> None:
        """Work one inbound message out. Raises WaitAndRetry while Rasa is down and the message is still young."""
        async with self.database.reading() as session:
            turn = await load_turn(session, message, now())
        if turn is None:
            return
        typing = asyncio.get_running_loop().call_later(TYPING_AFTER_S, self._type, turn)
        try:
            response, understanding = await self._work_out(turn)
            await self._finish(turn, response, understanding)
        finally:
            typing.cancel()

    def _type(self, turn: Turn) -> None:
        if not turn.with_person:
            self.show_typing(turn)

    async def _work_out(self, turn: Turn) -> tuple["Response | _Later", Understanding | None]:
        emergency = find_emergency(turn.text)
        if emergency:
            return _Later("emergency", emergency), None
        if turn.with_person or turn.kind in SILENT_KINDS:
            return Response((), "silent"), None
        if turn.kind is Kind.FOLLOW:
            return Response((Reply(texts.GREETING),), "received"), None
        if not turn.in_dialogue and turn.payload is None and is_closing(turn.text):
            return _Later("closing", None), None
        picked = find_choice(turn.text, turn.payload, turn.offered)
        if picked is not None and picked.startswith(COMMAND):
            return await self._talk(turn, None, _Later("without_rasa", None), words=picked), None
        if picked is not None and not turn.in_dialogue:
            return _Later("picked", picked), None
        fills_form = turn.in_dialogue and (turn.shared_phone or turn.location or (turn.has_photo and not turn.text))
        if fills_form:  # there is nothing to search for
            return await self._talk(turn, None, _Later("without_rasa", None), words=_words(turn)), None
        if not turn.text or turn.kind is Kind.CONTACT:  # words beside a number are the address on a profile
            return self._not_text(turn), None
        if not turn.in_dialogue and is_advert(turn.text):
            return Response((Reply(texts.NO_ADVERTS, (TO_PERSON,)),), "advert", offered=(TO_PERSON,)), None
        return await self._understand(turn)

    async def _understand(self, turn: Turn) -> tuple["Response | _Later", Understanding | None]:
        (understood, danger), decision = await asyncio.gather(self._judge(turn), self._search(turn))
        path = plan_path(turn.text, understood, decision, in_dialogue=turn.in_dialogue, danger=danger)
        match path:
            case Path.EMERGENCY:
                return _Later("emergency", by_intent(turn.text), decision), understood
            case Path.DIALOGUE:
                instead = _Later("without_rasa" if turn.in_dialogue else "decided", decision)
                return await self._talk(turn, understood, instead, words=_words(turn)), understood
            case Path.SEARCH:
                return _Later("decided", decision), understood

    async def _judge(self, turn: Turn) -> tuple[Understanding | None, float]:
        """What the message means, and how sure it is that somebody is in danger (0..1)."""
        understood = await self._parse(turn)
        danger = understood.confidence_in(INTENT) if understood else 0.0
        return understood, await self.scenes.confidence(turn.text, danger) if self.scenes else danger

    async def _search(self, turn: Turn) -> Decision:
        decision = await self.engine.ask(
            turn.text, today=in_vietnam(now()).date(), previous=turn.previous, place=turn.place
        )
        return without_unhelpful(decision, turn.unhelpful)

    async def _parse(self, turn: Turn) -> Understanding | None:
        """None when Rasa is down and the message must not wait any longer. Raises WaitAndRetry before that."""
        if not turn.text:
            return None
        try:
            return await self.rasa.parse(turn.text, turn.message)
        except RasaUnavailable as error:
            self._wait_if_young(turn, error)
            return None

    def _wait_if_young(self, turn: Turn, error: Exception) -> None:
        age = (now() - turn.created_at).total_seconds()
        log.warning("rasa.unavailable", message=turn.message, age_s=round(age, 1), error=str(error))
        if age < self.rasa_patience_s:
            raise WaitAndRetry(RETRY_RASA_S) from error

    async def _talk(
        self, turn: Turn, understood: Understanding | None, instead: "_Later", *, words: str
    ) -> "Response | _Later":
        """One turn of Rasa's dialogue, exactly once for each message; `instead` when Rasa is down or says nothing."""
        try:
            known = await self.rasa.find_turn(turn.conversation, turn.message) if turn.told_core else None
            if known is None:
                await self._remember_core(turn)
                known = await self.rasa.talk(
                    turn.conversation,
                    turn.message,
                    words,
                    photo=turn.has_photo,
                    phone=turn.shared_phone,
                    place=_place(turn),
                )
            replies, in_dialogue = known
        except RasaUnavailable as error:
            self._wait_if_young(turn, error)
            return instead
        intent = understood.intent if understood else None
        offered = replies[-1].choices if replies else ()
        if not replies and not in_dialogue:
            return instead
        question = turn.text if intent == "ask_question" else None
        return Response(replies, "dialogue", {}, offered, in_dialogue, question)

    async def _remember_core(self, turn: Turn) -> None:
        async with self.database.transaction() as session:
            await session.execute(
                update(MessageRow)
                .where(MessageRow.id == turn.message)
                .values(extra=MessageRow.extra.op("||")({"core_at": now().isoformat()}))
            )

    @staticmethod
    def _not_text(turn: Turn) -> Response:
        if turn.kind in {Kind.TEXT, Kind.BUTTON}:
            return Response((Reply(texts.EMPTY),), "received")
        choices = () if turn.kind is Kind.STICKER else (TO_PERSON,)
        replies = (Reply(texts.not_text(turn.kind), choices),)
        if turn.in_dialogue:  # the form waits for its answer
            return Response(replies, "dialogue", offered=choices, in_dialogue=True)
        return Response(replies, "received", offered=choices)

    async def _finish(self, turn: Turn, response: "Response | _Later", understood: Understanding | None) -> None:
        async with self.database.transaction() as session:
            state = await _lock_and_look(session, turn)
            if state.handled:
                return
            if isinstance(response, _Later) and response.how == "emergency":
                # The bot leaves the talking to whoever holds the conversation, but the whole desk is alarmed.
                done = await respond_to_emergency(session, turn, response.what)
                if isinstance(response.answer, Answer):  # perhaps it was only a question: it must not go unanswered
                    done = replace(done, replies=(*done.replies, answer_reply(response.answer.entry)))
                done = replace(done, replies=()) if state.held else done
            elif state.held:  # perhaps a person took over while we were thinking: the bot is silent
                done = Response((), "silent")
            else:
                done = await self._carry_out(session, turn, response) if isinstance(response, _Later) else response
            if state.has_kept:
                await self.outbox.release_held(session, turn.conversation)
            await self._write(session, turn, done, understood)
        if turn.in_dialogue and done.outcome != "dialogue":  # cut off: the form must not swallow a later message
            with contextlib.suppress(RasaUnavailable):
                await self.rasa.forget(turn.conversation)
        DECISIONS.labels(done.outcome).inc()
        ANSWER_SECONDS.observe((now() - turn.created_at).total_seconds())
        log.info("message.handled", message=turn.message, conversation=turn.conversation, outcome=done.outcome)

    async def _carry_out(self, session: AsyncSession, turn: Turn, later: "_Later") -> Response:
        match later:
            case _Later("without_rasa", _):
                return await call_person(session, turn, Reason.BOT_DOWN)
            case _Later("closing", _):
                return await let_rest(session, turn)
            case _Later("picked", str(payload)):
                return await self._picked(session, turn, payload)
            case _:
                return await respond_to(session, turn, later.what)

    async def _picked(self, session: AsyncSession, turn: Turn, payload: str) -> Response:
        if payload == PERSON:
            return await call_person(session, turn, Reason.ASKED_FOR_PERSON, question=turn.previous)
        if payload in {HELPED, NOT_HELPED}:
            return await rate_last(session, turn, helped=payload == HELPED)
        entry = entry_in(payload)
        if entry is not None:
            return await answer_chosen(session, turn, entry)
        return Response((Reply(texts.EMPTY),), "received")

    async def _write(self, session: AsyncSession, turn: Turn, done: Response, understood: Understanding | None) -> None:
        for reply in done.replies:
            await self.outbox.post(session, turn.conversation, reply, author=Author.BOT, answers=turn.message)
        evidence = {"search": done.evidence} if done.evidence else {}
        if understood:
            evidence["intent"] = {
                "name": understood.intent,
                "confidence": round(understood.confidence, 4),
                "ranking": [[name, round(confidence, 4)] for name, confidence in understood.ranking],
                "entities": understood.entities,
                "model": understood.model,
            }
        silent = done.outcome == "silent"
        place = understood.entities.get("place") if understood else None
        await session.execute(
            _WRITE,
            {
                "conversation": turn.conversation,
                "message": turn.message,
                "now": now(),
                "in_dialogue": done.in_dialogue,
                "offered": None if silent else [one.as_json() for one in done.offered],
                "question": done.question or None,
                "place": place[:MAX_PLACE] if place else None,
                "outcome": done.outcome,
                "intent": understood.intent if understood else None,
                "evidence": evidence,
            },
        )
        await notify(session, "decision", conversation=turn.conversation, message=turn.message)


@dataclass(frozen=True, slots=True)
class _State:
    """What may have changed since the turn was read."""

    handled: bool
    held: bool
    """A person has the conversation."""
    has_kept: bool
    """Messages are kept for when the citizen writes again, which is now."""


async def _lock_and_look(session: AsyncSession, turn: Turn) -> _State:
    """Under the conversation's lock, which jobs that run twice and people who take over also need."""
    ids = {"conversation": turn.conversation, "message": turn.message, "key": lock_key(turn.conversation)}
    _, looked = await _LOCK_AND_LOOK.fetch(session, ids)
    return _State(*looked)


@dataclass(frozen=True, slots=True)
class _Later:
    """Something to carry out inside the last transaction, because it writes tickets."""

    how: str
    what: Any
    answer: Decision | None = None
    """What the bank says to a message that sounds like an emergency."""


def _words(turn: Turn) -> str:
    """What Rasa reads: the text, or what stands for a location or a picture in a form."""
    if turn.text:
        return turn.text.lstrip("/")  # Rasa reads "/intent" as a command
    if place := _place(turn):
        return place
    if turn.shared_phone:
        return f"số điện thoại {turn.shared_phone}"
    return "gửi ảnh" if turn.has_photo else "(không có chữ)"


def _place(turn: Turn) -> str | None:
    return f"vị trí {turn.location[0]:.6f}, {turn.location[1]:.6f}" if turn.location else None


async def rate_last(session: AsyncSession, turn: Turn, *, helped: bool) -> Response:
    """The citizen says by a button whether the last answer helped."""
    last = await session.scalar(
        select(MessageRow)
        .where(
            MessageRow.conversation_id == turn.conversation,
            MessageRow.direction == "out",
            MessageRow.entry.is_not(None),
        )
        .order_by(MessageRow.id.desc())
        .limit(1)
    )
    if last is not None:
        last.helpful = helped
    return rated(helped=helped)


def rated(*, helped: bool) -> Response:
    """What is said to a rating: thanks, or an apology and a way to a person."""
    if helped:
        return Response((Reply(texts.THANKS_HELPED),), "received")
    choices: tuple[Choice, ...] = (TO_PERSON,)
    text = f"{texts.SORRY_NOT_HELPED} Bạn viết lại câu hỏi theo cách khác, hoặc bấm “{texts.ASK_PERSON}”."
    return Response((Reply(text, choices),), "received", offered=choices)
