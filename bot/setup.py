"""What a start does before the doors open: tables, units, the first administrator, the sample banks."""

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.base.db import Database
from bot.base.settings import HouseSettings
from bot.contracts.ids import UnitCode
from bot.migrations.run import migrate
from faq.embed import load_embedder
from faq.settings import FaqSettings
from faq.store import list_banks
from handoff.accounts import add_account, has_accounts
from handoff.role import Role
from handoff.seed import seed
from kb_import.samples.content import load_samples
from kb_import.service import ImportService

log = structlog.get_logger(__name__)
FIRST_ADMIN = "quantri"


def prepare_database(url: str) -> None:
    """Bring the tables up to date."""
    migrate(url)


async def first_start(url: str, settings: HouseSettings, console: Console) -> None:
    """Seed what is missing; on the very first start also the administrator and the sample banks."""
    database = Database(url, pool_size=2)
    try:
        async with database.transaction() as session:
            await seed(session)
        await _first_administrator(database, console)
        if settings.tongdai_sample_banks:
            async with database.transaction() as session:
                empty = not await list_banks(session)
            if empty:
                await import_samples(database, console)
    finally:
        await database.close()


async def _first_administrator(database: Database, console: Console) -> None:
    async with database.transaction() as session:
        if await has_accounts(session):
            return
        password = await add_account(session, FIRST_ADMIN, Role.ADMIN, display_name="Quản trị")
    console.print(
        f"Tài khoản quản trị đầu tiên: {FIRST_ADMIN}   mật khẩu dùng một lần: {password}\n"
        "  (hệ thống sẽ yêu cầu đổi mật khẩu ở lần đăng nhập đầu; không lưu mật khẩu này ở đâu khác)",
        soft_wrap=True,
        highlight=False,
    )


async def import_samples(database: Database, console: Console) -> None:
    """Import every sample bank, with a bar: a department's file goes exactly the same way."""
    service = ImportService(database, load_embedder(FaqSettings()))
    banks = load_samples()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        overall = bars.add_task("Nạp bộ câu hỏi mẫu", total=len(banks))
        for bank in banks:
            plan = await service.plan(bank.path, unit=UnitCode(bank.unit), near=False)
            await service.apply(plan, by=None)
            bars.advance(overall)
    console.print(f"Đã nạp {len(banks)} bộ câu hỏi mẫu.")
