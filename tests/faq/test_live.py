"""What is published is answered in every process without a restart, and never half of it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bot.base.db import Database
from bot.contracts.ids import EntryId, UnitCode
from faq.decide import Answer, Answers
from faq.embed import Embedder, load_embedder
from faq.engine import FaqEngine
from faq.entry import EntryDraft
from faq.settings import FaqSettings
from faq.store import add_entry, change_entry, ensure_bank, publish, retire_entry

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 24)
WEDDING, BIRTH = "Đăng ký kết hôn cần mang theo giấy tờ gì?", "Thủ tục đăng ký khai sinh cho trẻ em như thế nào?"
WATER = "Mất nước sinh hoạt thì gọi số điện thoại nào?"
PATIENCE_S = 300.0


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder(FaqSettings())


class Follower:
    """A process of the house, asked over its standard input."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def said(self) -> dict[str, Any]:
        """The next line of JSON; lines of its log are passed over."""
        assert self._process.stdout is not None
        while True:
            line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE_S)
            assert line, "the process has ended"
            if line.startswith(b"{"):
                said: dict[str, Any] = json.loads(line)
                return said

    async def ask(self, line: str) -> dict[str, Any]:
        """What it says to that line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()
        return await self.said()


@asynccontextmanager
async def follower(url: str, folder: Path) -> AsyncIterator[Follower]:
    """A process that has loaded the index."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TONGDAI_LOG_LEVEL": "ERROR", "OMP_NUM_THREADS": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("follower.py")),
        url,
        str(folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
        cwd=folder,
    )
    try:
        yield Follower(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()


async def fill(database: Database, *drafts: EntryDraft) -> list[EntryId]:
    async with database.transaction() as session:
        bank = await ensure_bank(session, UnitCode("STP"), "Hộ tịch")
        entries = [await add_entry(session, bank, draft, by=None, why="thử") for draft in drafts]
        await publish(session)
    return entries


@pytest.mark.slow
async def test_two_processes_answer_from_what_was_just_applied(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    wedding, _ = await fill(database, EntryDraft(WEDDING, "Cũ."), EntryDraft(BIRTH, "Giấy chứng sinh."))
    async with AsyncExitStack() as running:
        both = [await running.enter_async_context(follower(database_url, tmp_path)) for _ in range(2)]
        for one in both:
            assert await one.said() == {"ready": 1}
            assert (await one.ask(WEDDING))["answer"] == "Cũ."
        async with database.transaction() as session:
            await change_entry(session, wedding, EntryDraft(WEDDING, "Mới."), by=None, why="sửa")
            bank = await ensure_bank(session, UnitCode("STP"), "Hộ tịch")
            water = await add_entry(session, bank, EntryDraft(WATER, "Gọi 1022."), by=None, why="thêm")
            await publish(session)
        for one in both:
            assert await one.ask("until 2") == {"generation": 2}
            assert await one.ask(WEDDING) == {"generation": 2, "answer": "Mới."}
            assert await one.ask(WATER) == {"generation": 2, "answer": "Gọi 1022."}
        async with database.transaction() as session:
            await retire_entry(session, water, by=None, why="hết hiệu lực")
            await publish(session)
        late = await running.enter_async_context(follower(database_url, tmp_path))
        assert await late.said() == {"ready": 3}
        for one in (*both, late):
            await one.ask("until 3")
            assert await one.ask(WATER) == {"generation": 3, "answer": None}
            assert await one.ask(WEDDING) == {"generation": 3, "answer": "Mới."}


async def test_a_message_is_answered_from_one_generation_while_others_come(
    database: Database, embedder: Embedder
) -> None:
    """Both entries change together, again and again; two questions in one message never get answers of two ages."""
    entries = await fill(database, EntryDraft(WEDDING, "Lần 1."), EntryDraft(BIRTH, "Lần 1."))
    engine = FaqEngine(database, embedder, FaqSettings())
    await engine.start()
    seen: set[str] = set()
    changing = True

    async def keep_changing() -> None:
        for time in range(2, 12):
            async with database.transaction() as session:
                for entry, question in zip(entries, (WEDDING, BIRTH), strict=True):
                    await change_entry(session, entry, EntryDraft(question, f"Lần {time}."), by=None, why="sửa")
                await publish(session)
            await engine.refresh()

    async def keep_asking() -> None:
        while changing:
            decision = await engine.ask(f"{WEDDING} {BIRTH}", today=TODAY)
            assert isinstance(decision, Answers)
            said = {part.entry.draft.answer for part in decision.parts}
            assert len(said) == 1
            assert len(decision.parts) == 2
            assert said == {f"Lần {decision.evidence.generation}."}
            seen.update(said)

    asking = [asyncio.create_task(keep_asking()) for _ in range(3)]
    await keep_changing()
    changing = False
    await asyncio.gather(*asking)
    assert "Lần 11." in {
        one.entry.draft.answer for one in [await engine.ask(WEDDING, today=TODAY)] if isinstance(one, Answer)
    }
    assert len(seen) > 1


async def test_asking_reads_nothing_from_the_database(database: Database, embedder: Embedder) -> None:
    await fill(database, EntryDraft(WEDDING, "Căn cước."), EntryDraft(BIRTH, "Giấy chứng sinh."))
    engine = FaqEngine(database, embedder, FaqSettings())
    await engine.start()
    statements: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    await engine.ask(f"{WEDDING} {BIRTH}", today=TODAY, previous=WATER, place="16282", exclude=frozenset({EntryId(1)}))
    assert statements == []
    await engine.refresh()
    assert statements != []  # the ear was listening


async def test_only_what_changed_is_read_and_embedded(database: Database, embedder: Embedder) -> None:
    entries = await fill(database, EntryDraft(WEDDING, "Cũ."), EntryDraft(BIRTH, "Giấy chứng sinh."))
    told: list[tuple[int, int]] = []
    engine = FaqEngine(database, embedder, FaqSettings())
    await engine.start(progress=lambda at, total: told.append((at, total)))
    assert told[-1] == (4, 4)
    async with database.transaction() as session:
        await change_entry(session, entries[0], EntryDraft(WEDDING, "Mới hẳn."), by=None, why="sửa")
        await publish(session)
    told.clear()
    await engine.refresh(progress=lambda at, total: told.append((at, total)))
    assert told[-1] == (1, 1)  # the answer; the question's vector is stored
