"""The simulated Graph API's addresses: Send API, conversations, profile, subscriptions, names, tokens."""

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from tests.simulators import controls
from tests.simulators.messenger_rules import accept, check_access
from tests.simulators.messenger_said import GraphError, Said

if TYPE_CHECKING:
    from tests.simulators.messenger import MessengerSimulator


def routes(fb: "MessengerSimulator") -> FastAPI:
    """Everything that the gateway calls, and the citizen's page."""
    app = FastAPI(title="Messenger simulator")

    @app.exception_handler(GraphError)
    async def failed(_: Request, error: GraphError) -> JSONResponse:
        body = {"message": "(#…) simulated", "type": "OAuthException", "code": error.code, "fbtrace_id": "Asim"}
        if error.subcode:
            body["error_subcode"] = error.subcode
        return JSONResponse({"error": body}, status_code=error.status)

    @app.post("/{version}/{page}/messages")
    async def messages(version: str, page: str, request: Request) -> Response:
        filename = None
        if request.headers.get("content-type", "").startswith("multipart/"):
            form = await request.form()
            filename = getattr(form["filedata"], "filename", None)
            body: dict[str, Any] = {key: form[key] for key in form if key != "filedata"}
            body |= {key: json.loads(str(body[key])) for key in ("recipient", "message")}
        else:
            body = await request.json()
        return await _message(fb, request, body, filename)

    @app.get("/{version}/{page}/conversations")
    async def conversations(version: str, page: str, user_id: str, request: Request) -> dict[str, Any]:
        check_access(fb, request)
        if not fb.history_works:
            raise GraphError(10)
        mine = [one for one in reversed(fb.messages) if one.user == user_id][:50]
        if not mine:
            return {"data": []}
        return {"data": [{"id": f"t_{user_id}", "messages": {"data": [_shown(fb, one) for one in mine]}}]}

    @app.post("/{version}/me/messenger_profile")
    async def set_profile(version: str, request: Request) -> dict[str, str]:
        check_access(fb, request)
        wanted = await request.json()
        if len(wanted.get("ice_breakers", [{}])[0].get("call_to_actions", [])) > 4:
            raise GraphError(100)
        if "persistent_menu" in wanted and not {"get_started"} & (wanted.keys() | fb.profile.keys()):
            raise GraphError(100)
        fb.profile |= wanted
        return {"result": "success"}

    @app.post("/{version}/{page}/subscribed_apps")
    async def subscribe(version: str, page: str, subscribed_fields: str, request: Request) -> dict[str, bool]:
        check_access(fb, request)
        fb.subscribed = set(subscribed_fields.split(","))
        return {"success": True}

    @app.get("/{version}/debug_token")
    async def debug_token(version: str, input_token: str, request: Request) -> dict[str, Any]:
        check_access(fb, request)
        return {"data": {"is_valid": input_token == fb.page_token, "app_id": fb.app_id, **fb.token_facts}}

    controls.add(app, fb, "Messenger, trang “1022 Thanh Hóa”")

    @app.get("/{version}/{person}")
    async def person(version: str, person: str, request: Request) -> dict[str, str]:
        check_access(fb, request)
        if person not in fb.last_action:
            raise GraphError(100, 33)
        return {"id": person, "first_name": f"Dân {person[-4:]}", "last_name": "Người"}

    return app


async def _message(fb: "MessengerSimulator", request: Request, body: dict[str, Any], filename: str | None) -> Response:
    check_access(fb, request)
    if "sender_action" in body:
        fb.actions.append((str(body["recipient"]["id"]), body["sender_action"]))
        return JSONResponse({"recipient_id": body["recipient"]["id"]})
    if fb.faults.happens(fb.faults.slow_rate):
        await asyncio.sleep(fb.faults.slow_s)
    if fb.faults.happens(fb.faults.http_error_rate):
        return Response(status_code=500)
    if fb.faults.next_codes:
        code, _, subcode = str(fb.faults.next_codes.pop(0)).partition("/")
        if int(code):
            raise GraphError(int(code), int(subcode) if subcode else None)
    if fb.faults.happens(fb.faults.code_rate):
        raise GraphError(fb.faults.dice.choice([2, 4, 613]), None, 500)
    said = accept(fb, body, filename)
    fb.messages.append(said)
    fb.echo(said, int(fb.app_id), body["message"].get("metadata"))
    if fb.faults.cut_next > 0:
        fb.faults.cut_next -= 1
        return Response(status_code=502)
    if fb.faults.hang_next > 0 or fb.faults.happens(fb.faults.hang_rate):
        fb.faults.hang_next = max(0, fb.faults.hang_next - 1)
        await asyncio.sleep(fb.faults.hang_s)
    return JSONResponse({"recipient_id": said.user, "message_id": said.id})


def _shown(fb: "MessengerSimulator", said: Said) -> dict[str, Any]:
    at = datetime.fromtimestamp(said.at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
    sender = fb.page_id if said.from_oa else said.user
    return {"id": said.id, "message": said.text, "created_time": at, "from": {"id": sender}}
