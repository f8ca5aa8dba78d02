"""The report of a file as JSON, for a department's own programs: post the file, change nothing."""

import asyncio
import tempfile
from typing import IO, Final

from fastapi import Request
from fastapi.responses import JSONResponse
from nicegui import app

from bot.contracts.errors import DomainError, NotAllowed
from bot.contracts.ids import AccountId, UnitCode
from console.services import ConsoleServices
from console.session import is_from_here
from console.visit import load_account, sessions_of
from kb_import.columns import parse_mapping
from kb_import.desk import ImportDesk
from kb_import.problem import FileRefused
from kb_import.report import refusal_json, report_json
from kb_import.sheet import BOUNDS
from kb_import.turns import TooManyFiles

TOO_LARGE: Final = f"Tệp lớn hơn {BOUNDS.file_bytes // 2**20} MB. Hãy chia thành nhiều tệp nhỏ."
ONE_AT_A_TIME: Final = "Tệp trước của bạn chưa đọc xong. Hãy chờ kết quả rồi gửi tệp tiếp theo."
IN_MEMORY: Final = 2**20
"""A body larger than this lies on disk until it is its turn."""


def add_report_route(services: ConsoleServices, desk: ImportDesk, path: str) -> None:
    """POST `path`?name=…&unit=…&bank=…&map=… with the file as the body and the console's cookie: `report_json`.

    403 for who may not import for that unit, 413 and 422 for a file that can't be read, 429 for a second file of the
    same account before the first is answered.
    """
    under_way: set[AccountId] = set()

    @app.post(path, include_in_schema=False)
    async def report(
        request: Request, name: str = "tep", unit: str = "", bank: str = "", map: str = ""
    ) -> JSONResponse:
        signed_in = sessions_of(request).find_login(request)
        account = await load_account(services, signed_in) if signed_in else None
        if account is None or account.must_change_password or not is_from_here(request):
            return JSONResponse(refusal_json(name, NotAllowed().message_vi, NotAllowed.code), 403)
        if account.id in under_way:
            return JSONResponse(refusal_json(name, ONE_AT_A_TIME, TooManyFiles.code), TooManyFiles.status)
        under_way.add(account.id)
        try:
            with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as lying:
                if not await _receive(request, lying):
                    return JSONResponse(refusal_json(name, TOO_LARGE, "too_large"), 413)

                async def load() -> bytes:
                    lying.seek(0)
                    return await asyncio.to_thread(lying.read)

                plan = await desk.plan_for(
                    account,
                    load,
                    name,
                    unit=UnitCode(unit or account.unit or ""),
                    bank=bank or None,
                    mapping=parse_mapping(map),
                )
        except DomainError as refused:
            reason = refused.reason if isinstance(refused, FileRefused) else refused.code
            return JSONResponse(refusal_json(name, refused.message_vi, reason), refused.status)
        finally:
            under_way.discard(account.id)
        return JSONResponse(report_json(plan))


async def _receive(request: Request, lying: IO[bytes]) -> bool:
    """Put the body where it may lie until its turn; False when it is larger than a file may be."""
    received = 0
    async for piece in request.stream():
        received += len(piece)
        if received > BOUNDS.file_bytes:
            return False
        lying.write(piece)
    return True
