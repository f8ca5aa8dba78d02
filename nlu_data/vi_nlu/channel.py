"""The REST channel as our gateway needs it: a token, one message per reply, and an error that is an error. Runs inside Rasa.

Rasa's own REST channel is open to every process on the machine (`--auth-token` does not cover it), answers 200 with an
empty list when a turn failed, and cuts a text at its blank lines.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from typing import Any, Awaitable, Callable, Optional

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

logger = logging.getLogger(__name__)


class GatewayChannel(InputChannel):
    """`POST /webhooks/rest/webhook?token=…` {"sender", "message", "metadata"} → the replies, in order.

    403: wrong token. 500 {"error": "turn failed"}: nothing of this turn was stored; try the message again.
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    @classmethod
    def name(cls) -> str:
        return "rest"

    @classmethod
    def from_credentials(cls, credentials: Optional[dict[str, Any]]) -> GatewayChannel:
        """`token` from credentials.yml; without one the channel does not start."""
        if not credentials or not credentials.get("token"):
            cls.raise_missing_credentials_exception()
        assert credentials is not None
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
            body = request.json
            said = ReplyCollector()
            message = UserMessage(
                body["message"], said, body["sender"], input_channel=self.name(), metadata=body.get("metadata")
            )
            try:
                await on_new_message(message)
            except (Exception, asyncio.CancelledError) as failed:
                # The text is the citizen's: it stays out of the log.
                logger.error("channel.turn_failed %s %s", body["sender"], type(failed).__name__)
                return response.json({"error": "turn failed"}, status=500)
            return response.json(said.messages)

        return routes


class ReplyCollector(CollectingOutputChannel):
    """Keeps each reply as one message: text, buttons and custom together."""

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        kept = {key: message[key] for key in ("text", "buttons", "image", "attachment", "custom") if message.get(key)}
        self.messages.append({"recipient_id": recipient_id, **kept})
