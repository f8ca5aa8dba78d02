"""Rows per second and peak memory of the import, beside pandas, in one run: `python -m bench.imports [--embed N]`.

Every measurement runs in a process of its own, so that its peak memory is its own. Time is processor
time, the best of seven runs: all of them use one core, and what else the machine does should not count.
"""

import argparse
import asyncio
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

SIZES = (1_000, 10_000, 50_000)
HEADER = ("STT", "Câu hỏi", "Nội dung trả lời", "Căn cứ", "Cập nhật ngày")
ANSWER = (
    "Người dân liên hệ bộ phận một cửa của UBND xã nơi cư trú để được hướng dẫn, mang theo căn cước công dân.\n"
    "- Thời gian giải quyết: {} ngày làm việc.\n- Không thu lệ phí. Chi tiết tại https://thanhhoa.gov.vn."
)
RUNS = 7


def row_of(number: int) -> tuple[int, str, str, str, str]:
    """One row of an invented bank."""
    question = f"Thủ tục số {number} về hỗ trợ người dân ở xã thứ {number % 559} thực hiện như thế nào?"
    return number, question, ANSWER.format(number % 30 + 1), f"Quyết định {number}/QĐ-UBND", "22/10/2021"


def write_xls(path: Path, rows: int) -> None:
    """With xlwt."""
    import xlwt

    book = xlwt.Workbook()
    page = book.add_sheet("Bộ câu hỏi")
    page.write(0, 0, "BỘ CÂU HỎI")
    for down in range(rows + 1):
        for across, value in enumerate(HEADER if down == 0 else row_of(down)):
            page.write(down + 2, across, value)
    book.save(str(path))


def write_xlsx(path: Path, rows: int) -> None:
    """With openpyxl."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet("Bộ câu hỏi")
    page.append(["BỘ CÂU HỎI"])
    page.append([])
    page.append(list(HEADER))
    for number in range(1, rows + 1):
        page.append(list(row_of(number)))
    book.save(path)


def measure_read(path: Path) -> Callable[[], int]:
    """Our reading alone: bytes to cells."""
    from kb_import.read import read

    return lambda: sum(len(sheet.rows) for sheet in read(path.read_bytes()).sheets) - 3


def measure_all(path: Path) -> Callable[[], int]:
    """Reading, layout and validation."""
    from kb_import.reading import ReadingOrder, read_file

    order = ReadingOrder(date(2026, 11, 24))
    return lambda: len(read_file(path.read_bytes(), order).rows)


def measure_pandas(path: Path) -> Callable[[], int]:
    """The peer, merely reading."""
    import pandas

    engine = "xlrd" if path.suffix == ".xls" else "openpyxl"
    return lambda: len(pandas.read_excel(path, engine=engine, header=2))  # type: ignore[call-overload,no-any-return,unused-ignore]


MEASURES = {"read": measure_read, "all": measure_all, "pandas": measure_pandas}


def measure(name: str, path: Path) -> None:
    """In the measured process: prints seconds, rows and MiB."""
    work = MEASURES[name](path)
    best, rows = float("inf"), 0
    if name != "pandas":
        gc.disable()  # as the reading process does (kb_import/isolated.py)
    for _ in range(RUNS):
        start = time.process_time()
        rows = work()
        best = min(best, time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": best, "rows": rows, "mib": peak}))


def ask(name: str, path: Path) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "bench.imports", "--measure", name, str(path)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


async def embedded(rows: int, folder: Path) -> dict[str, float]:
    """The whole import of so many rows into a fresh PostgreSQL: plan, embed, apply."""
    from bot.base.db import Database
    from bot.base.postgres import database_address
    from bot.contracts.ids import UnitCode
    from bot.migrations.run import migrate
    from faq.embed import load_embedder
    from faq.settings import FaqSettings
    from kb_import.service import ImportService

    path = folder / "embed.xls"
    write_xls(path, rows)
    with database_address(None, folder / "pg") as url:
        await asyncio.to_thread(migrate, url)
        database = Database(url)
        service = ImportService(database, load_embedder(FaqSettings()))
        start = time.perf_counter()
        plan = await service.plan(path, unit=UnitCode("SYT"))
        await service.apply(plan, by=None)
        seconds = time.perf_counter() - start
        await database.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": rows, "seconds": seconds, "mib": peak}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", nargs=2, metavar=("WHAT", "FILE"))
    parser.add_argument("--embed", type=int, default=1_000, help="rows of the import with embedding (0: leave out)")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], Path(options.measure[1]))
        return
    table = Table("file", "rows", "what", "CPU s", "rows/s", "peak MiB", "× pandas", title="Import beside pandas")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, write in ((".xls", write_xls), (".xlsx", write_xlsx)):
            for rows in options.sizes:
                path = folder / f"bank{rows}{kind}"
                write(path, rows)
                peer = ask("pandas", path)
                for what, label in (
                    ("pandas", "pandas, reads"),
                    ("read", "ours, reads"),
                    ("all", "ours, reads and checks"),
                ):
                    found = peer if what == "pandas" else ask(what, path)
                    table.add_row(
                        kind,
                        f"{found['rows']:.0f}",
                        label,
                        f"{found['seconds']:.3f}",
                        f"{found['rows'] / found['seconds']:,.0f}",
                        f"{found['mib']:.0f}",
                        f"{peer['seconds'] / found['seconds']:.1f}",
                    )
        if options.embed:
            found = asyncio.run(embedded(options.embed, folder))
            rate = f"{found['rows'] / found['seconds']:,.0f}"
            table.add_row(
                ".xls",
                str(options.embed),
                "import, embedded",
                f"{found['seconds']:.1f}",
                rate,
                f"{found['mib']:.0f}",
                "",
            )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
