"""The `tongdai` command. Each command is a few lines: the rooms do the work."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
import uvloop
from rich.console import Console
from rich.progress import Progress

from bot.app import build_gateway, work
from bot.base.clock import in_vietnam, now
from bot.base.db import Database
from bot.base.log import configure_logging
from bot.base.postgres import database_address
from bot.base.settings import HouseSettings
from bot.contracts.errors import DomainError
from bot.contracts.ids import UnitCode
from bot.migrations.run import migrate
from bot.serve import CannotServe, serve
from bot.setup import first_start
from connectors.messenger.profile import set_up as set_up_messenger
from connectors.messenger.settings import MessengerSettings
from faq.decide import Answer, Answers, Decision, OfferChoices
from faq.embed import load_embedder
from faq.engine import FaqEngine
from faq.evaluate import evaluate
from faq.settings import FaqSettings
from handoff.accounts import add_account
from handoff.role import Role
from handoff.seed import seed
from handoff.units import load_units
from kb_import.command import run_import
from kb_import.service import ImportService

app = typer.Typer(help="Tổng đài 1022: hệ thống hỏi đáp và tiếp nhận của tỉnh.", no_args_is_help=True)
user_app = typer.Typer(help="Tài khoản của cán bộ.", no_args_is_help=True)
app.add_typer(user_app, name="user")
console = Console()
errors = Console(stderr=True)


@app.command("serve")
def serve_command() -> None:
    """Chạy toàn bộ hệ thống ở chế độ nền trước; in dòng READY khi trả lời được tin đầu tiên."""
    settings = HouseSettings()
    configure_logging(settings.tongdai_log_level)
    try:
        raise typer.Exit(asyncio.run(serve(settings, console)))
    except CannotServe as problem:
        errors.print(str(problem), style="red")
        raise typer.Exit(2) from None


@app.command("gateway", hidden=True)
def gateway_command() -> None:
    """The internet-facing process; the supervisor starts it."""
    settings = HouseSettings()
    configure_logging(settings.tongdai_log_level)
    uvicorn.run(
        build_gateway(settings),
        host=settings.tongdai_host,
        port=settings.tongdai_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
        server_header=False,
    )


@app.command("worker", hidden=True)
def worker_command() -> None:
    """The process that works messages out and delivers answers; the supervisor starts it."""
    settings = HouseSettings()
    configure_logging(settings.tongdai_log_level)

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(one, stop.set)
        await work(settings, stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


@app.command("migrate")
def migrate_command() -> None:
    """Đưa các bảng dữ liệu về phiên bản hiện tại rồi thoát."""
    settings = HouseSettings()
    with database_address(settings.database_url, settings.tongdai_data_dir) as url:
        migrate(url)
    console.print("Xong.")


@app.command("import")
def import_command(
    files: Annotated[list[Path], typer.Argument(help="Tệp .xls, .xlsx, .ods, .csv")],
    unit: Annotated[str, typer.Option("--unit", help="Mã đơn vị, ví dụ SYT")],
    plan: Annotated[bool, typer.Option("--plan", help="Chỉ xem, không thay đổi gì")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Đồng ý mà không hỏi lại")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="In báo cáo dạng JSON")] = False,
    bank: Annotated[str | None, typer.Option("--bank", help="Tên bộ câu hỏi; mặc định theo tên tệp")] = None,
    mapping: Annotated[
        str | None,
        typer.Option(
            "--map", help="Cột nào là gì: question=B,answer=C; bỏ qua hay đọc lại một trang: Sheet2=skip, Sheet2=read"
        ),
    ] = None,
    retire: Annotated[bool, typer.Option("--retire", help="Thu hồi các mục không còn trong tệp")] = False,
) -> None:
    """Nạp bộ câu hỏi của một đơn vị."""

    async def run(url: str) -> int:
        database = Database(url, pool_size=2)
        try:
            async with database.transaction() as session:
                await seed(session)
            service = ImportService(database, load_embedder(FaqSettings()))
            return await run_import(
                service,
                files,
                UnitCode(unit),
                plan_only=plan,
                yes=yes,
                as_json=as_json,
                bank=bank,
                mapping=mapping,
                retire=retire,
                console=console,
            )
        finally:
            await database.close()

    raise typer.Exit(_with_database(run))


@app.command("ask")
def ask_command(
    question: Annotated[str, typer.Argument(help="Câu hỏi")],
    as_json: Annotated[bool, typer.Option("--json", help="In dạng JSON")] = False,
) -> None:
    """Hỏi thử một câu trên bộ câu hỏi đang dùng và xem vì sao."""

    async def run(url: str) -> int:
        database = Database(url, pool_size=2)
        try:
            settings = FaqSettings()
            engine = FaqEngine(database, load_embedder(settings), settings)
            async with database.transaction() as session:
                engine.unit_names = {code: unit.name for code, unit in (await load_units(session)).items()}
            await engine.start()
            decision = await engine.ask(question, today=in_vietnam(now()).date())
        finally:
            await database.close()
        if as_json:
            sys.stdout.write(json.dumps(_decision_json(decision), ensure_ascii=False, indent=2) + "\n")
        else:
            _print_decision(decision)
        return 0

    raise typer.Exit(_with_database(run))


@app.command("eval")
def eval_command(
    bank: Annotated[Path, typer.Option("--bank", help="Các bộ câu hỏi, JSON Lines")],
    queries: Annotated[Path, typer.Option("--queries", help="Câu hỏi, JSON Lines")],
    out: Annotated[Path, typer.Option("--out", help="Nơi ghi kết quả, JSON Lines")],
) -> None:
    """Đo chất lượng trả lời: không cần mạng, không cần máy chủ đang chạy."""
    configure_logging("WARNING")
    with Progress(console=errors, disable=not errors.is_terminal) as bars:
        task = bars.add_task("Đang đo", total=None)

        def show(what: str, done: int, total: int) -> None:
            bars.update(task, description=what, completed=done, total=total)

        evaluate(bank, queries, out, progress=show)


@user_app.command("add")
def add_user_command(
    name: Annotated[str, typer.Argument(help="Tên đăng nhập")],
    role: Annotated[Role, typer.Option("--role", help="Vai trò")],
    unit: Annotated[str | None, typer.Option("--unit", help="Mã đơn vị")] = None,
    display_name: Annotated[str | None, typer.Option("--name", help="Họ và tên")] = None,
) -> None:
    """Thêm tài khoản; in mật khẩu dùng một lần."""

    async def run(url: str) -> int:
        database = Database(url, pool_size=2)
        try:
            async with database.transaction() as session:
                await seed(session)
                password = await add_account(session, name, role, UnitCode(unit) if unit else None, display_name)
        finally:
            await database.close()
        sys.stdout.write(f"{password}\n")
        return 0

    raise typer.Exit(_with_database(run))


@app.command("messenger-profile")
def messenger_profile_command() -> None:
    """Đặt nút bắt đầu, câu gợi ý và menu của trang Facebook."""
    settings = MessengerSettings()
    if settings.why_off:
        errors.print(settings.why_off, style="red")
        raise typer.Exit(2)
    asyncio.run(set_up_messenger(settings))
    console.print("Xong.")


@app.command("prepare", hidden=True)
def prepare_command() -> None:
    """Tables, units, first administrator and sample banks without serving; for tests and benchmarks."""
    settings = HouseSettings()

    async def run(url: str) -> int:
        await first_start(url, settings, console)
        return 0

    raise typer.Exit(_with_database(run))


def _with_database(run: Callable[[str], Coroutine[Any, Any, int]]) -> int:
    """Run `run` on the database's address, started and migrated if need be. A refusal is a sentence and exit code 2."""
    configure_logging("WARNING")
    settings = HouseSettings()
    try:
        with database_address(settings.database_url, settings.tongdai_data_dir) as url:
            migrate(url)
            return asyncio.run(run(url))
    except DomainError as refused:
        errors.print(refused.message_vi, style="red", highlight=False)
        return 2


def _decision_json(decision: Decision) -> dict[str, object]:
    answers = (decision,) if isinstance(decision, Answer) else decision.parts if isinstance(decision, Answers) else ()
    found: dict[str, object] = {"decision": "handover", "evidence": decision.evidence.as_json()}
    if answers:
        found["decision"] = "answer"
        found["answers"] = [
            {
                "entry": one.entry.id,
                "unit": one.entry.unit,
                "question": one.entry.draft.question,
                "answer": one.entry.draft.answer,
                "confidence": one.confidence,
            }
            for one in answers
        ]
    elif isinstance(decision, OfferChoices):
        found["decision"] = "choose"
        found["choices"] = [{"entry": one.id, "question": one.draft.question} for one in decision.entries]
    return found


def _print_decision(decision: Decision) -> None:
    shown = _decision_json(decision)
    console.print(f"Quyết định: {shown['decision']}", highlight=False)
    if isinstance(decision, Answer | Answers):
        for one in (decision,) if isinstance(decision, Answer) else decision.parts:
            console.print(f"[{one.entry.unit_name}] {one.entry.draft.answer}\n", markup=False, highlight=False)
    for candidate in decision.evidence.candidates[:5]:
        console.print(
            f"  {candidate.confidence:.2f}  (véc-tơ {candidate.similarity:.2f}, chữ {candidate.lexical:.2f})  "
            f"{candidate.question}",
            highlight=False,
            markup=False,
        )


def main() -> None:
    """Entry point of the `tongdai` command."""
    app()


if __name__ == "__main__":
    main()
