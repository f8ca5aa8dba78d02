"""rasa-sdk's protocol inside our gateway: Rasa posts the next action and its tracker, and gets events and responses."""

import secrets
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException

from actions.dialogue import (
    AnswerQuestion,
    AskPerson,
    AskRephrase,
    Emergency,
    Helped,
    NotHelped,
    TicketStatus,
    Unclear,
    UnitContact,
)
from actions.form import CancelReport, ReadReportTurn, StartReport, SubmitReport
from actions.services import ActionServices

log = structlog.get_logger(__name__)


def actions_router(services: ActionServices, token: str) -> APIRouter:
    """`POST /actions/webhook?token=…`. A wrong or missing token gets 403 and runs nothing.

    A failing service gives 500, so that Rasa drops the turn unsaved and `bot.conversation` tries the message again.
    """
    executor = build_executor(services)
    router = APIRouter(include_in_schema=False)

    @router.post("/actions/webhook")
    async def webhook(request: Request) -> Response:
        if not secrets.compare_digest(request.query_params.get("token", "").encode(), token.encode()):
            return JSONResponse({"error": "forbidden"}, status_code=403)
        call: dict[str, Any] = await request.json()
        # Our actions don't read the domain, and Rasa is told not to send it (enable_selective_domain).
        call.setdefault("domain", {})
        action = call.get("next_action")
        try:
            result = await executor.run(call)
        except ActionExecutionRejection as refused:
            return JSONResponse({"error": str(refused), "action_name": refused.action_name}, status_code=400)
        except ActionNotFoundException as unknown:
            return JSONResponse({"error": str(unknown), "action_name": unknown.action_name}, status_code=404)
        except Exception:
            log.exception("actions.failed", action=action, conversation=call.get("sender_id"))
            return JSONResponse({"error": "action failed", "action_name": action}, status_code=500)
        return JSONResponse(result.model_dump() if result else {"events": [], "responses": []})

    return router


def build_executor(services: ActionServices) -> ActionExecutor:
    """rasa-sdk's executor with our actions."""
    executor = ActionExecutor()
    for action in (
        AnswerQuestion(services),
        AskPerson(services),
        Unclear(services),
        AskRephrase(),
        TicketStatus(services),
        UnitContact(services),
        Emergency(services),
        Helped(services),
        NotHelped(services),
        StartReport(),
        ReadReportTurn(services),
        SubmitReport(services),
        CancelReport(),
    ):
        executor.register_action(action)
    return executor
