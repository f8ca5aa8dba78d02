"""The REST channel as our gateway needs it: a token, one message per reply, errors that are errors. Runs inside Rasa.

Rasa's own REST channel is open to every process on the machine (`--auth-token` does not cover it), answers 200 with an
empty list when a turn failed, and cuts a text at its blank lines. And when an action fails, Rasa "will continue": it
saves the dialogue as if the action had run, so a filled-in report would be gone. Here the whole turn fails, unsaved.
"""

# Checked by its tests in Rasa's own environment, whose types the gateway's does not have.
# mypy: ignore-errors
from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from nlu_data.vi_nlu.tracker_store import saved_loop

logger = logging.getLogger(__name__)

Turn = tuple[list[dict[str, Any]], str | None]
"""Replies, and the name of the form under way."""
REMEMBERED_TURNS = 500
"""How many latest turns a repeated message is answered from; older ones the gateway finds in the tracker."""


class GatewayChannel(InputChannel):
    """`POST /webhooks/rest/webhook?token=…` {"sender", "message", "metadata"} → the replies, in order.

    The header X-Active-Loop names the form that is under way now, or is empty: no second request is needed to know.
    The same sender and message_id again get the same turn's replies: a repeated request never fills two steps at once.
    403: wrong token. 500 {"error": "turn failed"}: nothing of this turn was stored; try the message again.
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._turns: dict[tuple[str, Any], asyncio.Task[Turn]] = {}

    @classmethod
    def name(cls) -> str:
        return "rest"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> GatewayChannel:
        """`token` from credentials.yml; without one the channel does not start."""
        if not credentials or not credentials.get("token"):
            return cls.raise_missing_credentials_exception()
        return cls(str(credentials["token"]))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes of this channel."""
        routes = Blueprint("gateway_channel", __name__)

        @routes.route("/", methods=["GET"])  # type: ignore[misc]
        async def health(_: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @routes.route("/webhook", methods=["POST"])  # type: ignore[misc]
        async def receive(request: Request) -> HTTPResponse:
            if not hmac.compare_digest((request.args.get("token") or "").encode(), self._token):
                return response.json({"error": "forbidden"}, status=403)
            fail_whole_turns(request.app.ctx.agent)
            turn = self._turn(request.json, on_new_message)
            try:
                replies, loop = await asyncio.shield(turn)
            except (Exception, asyncio.CancelledError) as failed:
                # The text is the citizen's: it stays out of the log.
                logger.error("channel.turn_failed %s %s", request.json.get("sender"), type(failed).__name__)
                return response.json({"error": "turn failed"}, status=500)
            return response.json(replies, headers={"X-Active-Loop": loop or ""})

        return routes

    def _turn(
        self, body: dict[str, Any], on_new_message: Callable[[UserMessage], Awaitable[Any]]
    ) -> asyncio.Task[Turn]:
        """The turn of this message: begun now, or the one that is under way or done, if the gateway grew impatient."""
        key = (body["sender"], (body.get("metadata") or {}).get("message_id"))
        known = self._turns.get(key) if key[1] is not None else None
        if known is not None and not (known.done() and (known.cancelled() or known.exception())):
            return known
        turn = asyncio.ensure_future(self._converse(body, on_new_message))
        turn.add_done_callback(lambda done: done.cancelled() or done.exception())  # fetched, so asyncio does not log it
        self._turns[key] = turn
        while len(self._turns) > REMEMBERED_TURNS:
            self._turns.pop(next(iter(self._turns)))
        return turn

    async def _converse(self, body: dict[str, Any], on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Turn:
        said = ReplyCollector()
        await on_new_message(
            UserMessage(body["message"], said, body["sender"], input_channel=self.name(), metadata=body.get("metadata"))
        )
        return said.messages, saved_loop.get()


class ReplyCollector(CollectingOutputChannel):
    """Keeps each reply as one message: text, buttons and custom together."""

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        kept = {key: message[key] for key in ("text", "buttons", "image", "attachment", "custom") if message.get(key)}
        self.messages.append({"recipient_id": recipient_id, **kept})


class TurnFailed(asyncio.CancelledError):
    """An action did not run. A CancelledError, because Rasa's processor swallows every Exception and goes on."""


class StrictEndpoint(EndpointConfig):
    """The action endpoint; a call that does not come back with a result fails the turn."""

    async def request(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().request(*arguments, **options)
        except ClientResponseError as answer:
            if answer.status == 400:  # rasa-sdk's word for "this action declines": part of the dialogue
                raise
            raise TurnFailed(f"action answered {answer.status}") from answer
        except Exception as failed:
            raise TurnFailed(type(failed).__name__) from failed


def fail_whole_turns(agent: Agent) -> None:
    """Put the strict endpoint in the place of Rasa's own, once per loaded model."""
    processor = agent.processor
    plain = processor.action_endpoint if processor else None
    if processor is None or plain is None or isinstance(plain, StrictEndpoint):
        return
    strict = StrictEndpoint(
        plain.url,
        plain.params,
        plain.headers,
        plain.basic_auth,
        plain.token,
        plain.token_name,
        plain.cafile,
        **plain.kwargs,
    )
    processor.action_endpoint = strict
    agent.action_endpoint = strict
