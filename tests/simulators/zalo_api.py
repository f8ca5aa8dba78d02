"""The simulated Zalo's addresses: OAuth, consultation messages, uploads, history, profiles."""

import asyncio
import hashlib
import json
import secrets
import time
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, File, Form, Header, Request, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse, Response

from tests.simulators import controls
from tests.simulators.zalo_rules import accept, check_token, grant, refresh
from tests.simulators.zalo_said import DAY, Said, ZaloError

if TYPE_CHECKING:
    from tests.simulators.zalo import ZaloSimulator


def routes(oa: "ZaloSimulator") -> FastAPI:
    """Everything that the gateway calls, and the citizen's page."""
    app = FastAPI(title="Zalo simulator")

    @app.exception_handler(ZaloError)
    async def failed(_: Request, error: ZaloError) -> JSONResponse:
        return JSONResponse({"error": error.code, "message": error.message})

    @app.get("/v4/oa/permission", response_class=HTMLResponse)
    async def consent(app_id: str, redirect_uri: str, code_challenge: str, state: str = "") -> str:
        code = secrets.token_urlsafe(12)
        oa.codes[code] = code_challenge
        target = f"{redirect_uri}?{urlencode({'code': code, 'oa_id': oa.oa_id, 'state': state})}"
        good = app_id == oa.app_id
        return f'<h1>Zalo (giả lập)</h1><a id="agree" href="{target}">Đồng ý</a>' if good else "-14002"

    @app.post("/v4/oa/access_token")
    async def tokens(
        app_id: Annotated[str, Form()],
        grant_type: Annotated[str, Form()],
        secret_key: Annotated[str | None, Header(convert_underscores=False)] = None,
        refresh_token: Annotated[str, Form()] = "",
        code: Annotated[str, Form()] = "",
        code_verifier: Annotated[str, Form()] = "",
    ) -> dict[str, Any]:
        if app_id != oa.app_id or secret_key != oa.app_secret:
            return {"error": -14004, "error_name": "Invalid app", "error_reason": "app_id or secret_key"}
        if grant_type == "refresh_token":
            return await refresh(oa, refresh_token)
        challenge = oa.codes.pop(code, None)
        digest = urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")
        if grant_type != "authorization_code" or challenge != digest:
            return {"error": -14011, "error_name": "Invalid code", "error_reason": "code or code_verifier"}
        return grant(oa)

    @app.post("/v3.0/oa/message/cs")
    async def message(request: Request) -> Response:
        return await _message(oa, await request.json(), request.headers.get("access_token"))

    @app.post("/v2.0/oa/message")
    async def old_message(request: Request) -> dict[str, Any]:
        check_token(oa, request.headers.get("access_token"))
        body = await request.json()
        recipient = body.get("recipient", {})
        if "sender_action" in body:
            return {"error": 0, "message": "Success", "data": {}}
        if "anonymous_id" not in recipient or "conversation_id" not in recipient:
            raise ZaloError(-240)
        user = f"{recipient['anonymous_id']}/{recipient['conversation_id']}"
        said = Said(oa.new_id(), user, True, time.time(), body["message"].get("text", ""), body=body)
        oa.messages.append(said)
        return {"error": 0, "message": "Success", "data": {"message_id": said.id}}

    @app.get("/v2.0/oa/conversation")
    async def history(request: Request, data: str) -> dict[str, Any]:
        check_token(oa, request.headers.get("access_token"))
        wanted = json.loads(data)
        if not 0 < wanted["count"] <= 10:
            raise ZaloError(-201, "count is invalid")
        mine = [one for one in reversed(oa.messages) if one.user == wanted["user_id"]]
        start = wanted["offset"]
        return {"error": 0, "message": "Success", "data": [_shown(oa, one) for one in mine[start : start + 10]]}

    @app.get("/v3.0/oa/user/detail")
    async def detail(request: Request, data: str) -> dict[str, Any]:
        check_token(oa, request.headers.get("access_token"))
        person = oa.people.get(json.loads(data)["user_id"])
        if person is None:
            raise ZaloError(-201, "user_id is invalid")
        return {"error": 0, "message": "Success", "data": {"user_id": person.id, "display_name": person.name}}

    @app.get("/v2.0/oa/getoa")
    async def getoa(request: Request) -> dict[str, Any]:
        check_token(oa, request.headers.get("access_token"))
        return {"error": 0, "message": "Success", "data": {"oa_id": oa.oa_id, "is_verified": True}}

    @app.post("/v3.0/oa/quota/message")
    async def quota(request: Request) -> dict[str, Any]:
        check_token(oa, request.headers.get("access_token"))
        person = oa.people.get((await request.json()).get("user_id", ""))
        last = int((person.last_interaction or 0) * 1000) if person else 0
        return {"error": 0, "message": "Success", "data": {"last_interaction": last, "cs_reply": {"remain": 8}}}

    @app.post("/v2.0/oa/upload/{kind}")
    async def upload(kind: str, request: Request, file: Annotated[UploadFile, File()]) -> dict[str, Any]:
        check_token(oa, request.headers.get("access_token"))
        content, ending = await file.read(), (file.filename or "").rsplit(".", 1)[-1].lower()
        endings = {"image": {"jpg", "jpeg", "png"}, "gif": {"gif"}, "file": {"pdf", "doc", "docx", "csv"}}
        most = 1024 * 1024 if kind == "image" else 5 * 1024 * 1024
        if ending not in endings.get(kind, set()) or len(content) > most:
            raise ZaloError(-201, "file is invalid")
        token = f"{kind}-{secrets.token_hex(8)}"
        oa.uploads[token] = (kind, content, time.time() + 7 * DAY)
        key = "token" if kind == "file" else "attachment_id"
        return {"error": 0, "message": "Success", "data": {key: token}}

    controls.add(app, oa, "Zalo OA “1022 Thanh Hóa”")
    return app


async def _message(oa: "ZaloSimulator", body: dict[str, Any], token: str | None) -> Response:
    oa.calls.append(("/v3.0/oa/message/cs", token or ""))
    if oa.faults.happens(oa.faults.slow_rate):
        await asyncio.sleep(oa.faults.slow_s)
    if oa.faults.happens(oa.faults.http_error_rate):
        return JSONResponse({}, status_code=500)
    check_token(oa, token)
    if oa.faults.next_codes and (code := int(oa.faults.next_codes.pop(0))):
        raise ZaloError(code)
    if oa.faults.happens(oa.faults.code_rate):
        raise ZaloError(oa.faults.dice.choice([-32, -200]))
    said = accept(oa, body)
    oa.messages.append(said)
    oa.echo(said)
    if oa.faults.cut_next > 0:
        oa.faults.cut_next -= 1
        return Response(status_code=502)
    if oa.faults.hang_next > 0 or oa.faults.happens(oa.faults.hang_rate):
        oa.faults.hang_next = max(0, oa.faults.hang_next - 1)
        await asyncio.sleep(oa.faults.hang_s)
    age = time.time() - (oa.people[said.user].last_interaction or 0)
    data: dict[str, Any] = {"message_id": said.id, "user_id": said.user, "sent_time": str(int(said.at * 1000))}
    if age <= 48 * 3600:
        data["quota"] = oa.quota
    return JSONResponse({"error": 0, "message": "Success", "data": data})


def _shown(oa: "ZaloSimulator", said: Said) -> dict[str, Any]:
    ends = (oa.oa_id, said.user) if said.from_oa else (said.user, oa.oa_id)
    kind = {"image": "photo"}.get(said.kind, said.kind)
    return {
        "src": 0 if said.from_oa else 1,
        "time": int(said.at * 1000),
        "type": kind,
        "message": said.text,
        "message_id": said.id,
        "from_id": ends[0],
        "to_id": ends[1],
    }
