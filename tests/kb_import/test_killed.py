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
ROWS = 1_200
IMPORTER = """
import asyncio, sys, time
from pathlib import Path
from bot.base.db import Database
from bot.contracts.ids import UnitCode
from kb_import.service import ImportService
from tests.kb_import.conftest import real_embedder

def report(step, done, total):
    if step == "apply" and done >= int(sys.argv[3]):
        print("written", done, flush=True)
        time.sleep(600)  # in the middle of the transaction, until it is killed

async def main() -> None:
    service = ImportService(Database(sys.argv[1]), real_embedder())
    plan = await service.plan(Path(sys.argv[2]), unit=UnitCode("SYT"), near=False)
    await service.apply(plan, by=None, progress=report)

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("written", [1, ROWS], ids=["some entries", "all but the record of it"])
async def test_killed_while_applying(
    written: int, service: ImportService, database: Database, database_url: str, tmp_path: Path
) -> None:
    content = xls([(f"Thủ tục số {one} làm ở đâu?", "Ở xã.") for one in range(ROWS)], header=("Câu hỏi", "Trả lời"))
    path = tmp_path / "bo.xls"
    path.write_bytes(content)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IMPORTER, database_url, str(path), str(written),
        cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async for line in process.stdout:
        if line.startswith(b"written "):
            assert written <= int(line.split()[1]) <= ROWS
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
