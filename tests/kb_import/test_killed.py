"""An import that is killed in the middle of applying leaves nothing half done, and can simply be done again."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.base.db import Database
from bot.contracts.ids import UnitCode
from faq import store
from kb_import.service import ImportService
from tests.kb_import.conftest import xls

SYT = UnitCode("SYT")
ROWS = 1_000
ENOUGH = 100
"""Entries written, in the transaction, when the process is killed."""
IMPORTER = """
import asyncio, sys
from pathlib import Path
from bot.base.db import Database
from bot.contracts.ids import UnitCode
from kb_import.service import ImportService
from tests.kb_import.conftest import real_embedder

async def main() -> None:
    service = ImportService(Database(sys.argv[1]), real_embedder())
    plan = await service.plan(Path(sys.argv[2]), unit=UnitCode("SYT"), near=False)
    await service.apply(plan, by=None, progress=lambda *step: print(*step, flush=True))

asyncio.run(main())
"""


@pytest.mark.slow
async def test_killed_while_applying(
    service: ImportService, database: Database, database_url: str, tmp_path: Path
) -> None:
    content = xls([(f"Thủ tục số {one} làm ở đâu?", "Ở xã.") for one in range(ROWS)], header=("Câu hỏi", "Trả lời"))
    path = tmp_path / "bo.xls"
    path.write_bytes(content)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IMPORTER, database_url, str(path),
        cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async for line in process.stdout:
        step, done, total = line.decode().rsplit(" ", 2)
        if step.endswith("apply") and ENOUGH <= int(done) < int(total):
            process.send_signal(signal.SIGKILL)
            break
    assert await process.wait() == -signal.SIGKILL
    async with database.transaction() as session:
        assert await store.load_live_entries(session) == []
        assert await store.load_generation(session) == 0
        assert await session.scalar(text("select count(*) from entries")) == 0
    assert await service.history() == []

    plan = await service.plan(content, unit=SYT, name="bo.xls", near=False)
    await service.apply(plan, by=None)
    async with database.transaction() as session:
        assert len(await store.load_live_entries(session)) == ROWS
