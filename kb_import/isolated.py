"""Reads a file in a process of its own, with little memory, little time, no secrets and no right to write.

A spreadsheet is somebody else's input to a large parser: whatever it does there, the gateway goes on answering
citizens, and the person gets a refusal that says what to do. docs/decisions/0007-import.md
"""

import asyncio
import contextlib
import gc
import io
import os
import pickle
import resource
import signal
import sys
from typing import Any

import structlog

from kb_import.problem import FileRefused, damaged, reader_failed, reader_gave_up
from kb_import.read import read
from kb_import.reading import Reading, ReadingOrder, read_file
from kb_import.sheet import BOUNDS, Bounds, Workbook

log = structlog.get_logger(__name__)

_SAFE = frozenset({("datetime", "date"), ("datetime", "datetime"), ("builtins", "frozenset"), ("builtins", "set")})


async def read_isolated(content: bytes, order: ReadingOrder, bounds: Bounds = BOUNDS) -> Reading:
    """The same as `read_file`, within `bounds`. Raises FileRefused, also when it takes too long or too much memory."""
    found = await _ask(content, order, bounds)
    if not isinstance(found, Reading):
        raise pickle.UnpicklingError("not a reading")
    return found


async def workbook_isolated(content: bytes, bounds: Bounds = BOUNDS) -> Workbook:
    """The same as `read.read`, within `bounds`: the sheets as they stand in the file. Raises FileRefused."""
    found = await _ask(content, None, bounds)
    if not isinstance(found, Workbook):
        raise pickle.UnpicklingError("not a workbook")
    return found


async def _ask(content: bytes, order: ReadingOrder | None, bounds: Bounds) -> object:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "kb_import.isolated",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_bare_environment(),
    )
    try:
        request = pickle.dumps((order, bounds, content))
        answer, _ = await asyncio.wait_for(process.communicate(request), bounds.seconds + 5)
    except TimeoutError:
        raise _too_slow(bounds) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        killed = process.returncode in {-signal.SIGXCPU, -signal.SIGKILL}
        raise _too_slow(bounds) if killed else reader_gave_up(process.returncode)
    return await asyncio.to_thread(_load, answer)


def _bare_environment() -> dict[str, str]:
    """Only what Python needs: no DATABASE_URL, no tokens."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one), "OMP_NUM_THREADS": "1"}


class _Unpickler(pickle.Unpickler):
    """Builds our own frozen types and dates, nothing else: the bytes come from a process that read
    a stranger's file."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("kb_import.") or (module, name) in _SAFE:
            found = super().find_class(module, name)
            if isinstance(found, type):
                return found
        raise pickle.UnpicklingError(f"{module}.{name}")


def _load(answer: bytes) -> object:
    kind, *fields = _Unpickler(io.BytesIO(answer)).load()
    if kind == "refused":
        problem, remedy, reason = fields
        raise FileRefused(problem, remedy, reason=reason)
    if kind == "failed":
        log.error("import.reader_failed", where=fields[0])
        raise reader_failed(fields[0])
    return fields[0]


def _too_slow(bounds: Bounds) -> FileRefused:
    return FileRefused(
        f"Đọc tệp mất quá {bounds.seconds:.0f} giây hoặc quá nhiều bộ nhớ.",
        "Hãy chép riêng bảng câu hỏi sang tệp mới rồi gửi lại.",
        reason="too_slow",
    )


def limit_this_process(bounds: Bounds) -> None:
    """From here on: so much memory, so much CPU, no files written, no core dumps."""
    resource.setrlimit(resource.RLIMIT_AS, (bounds.memory_bytes, bounds.memory_bytes))
    seconds = max(1, int(bounds.seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def where_of(error: Exception) -> str:
    """ "ValueError extract.py:77": the kind of error and our line, never its text, which may quote the file."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f" {os.path.basename(at.tb_frame.f_code.co_filename)}:{at.tb_lineno}" if at is not None else ""
    return f"{type(error).__name__}{place}"


def _refusal(one: FileRefused) -> tuple[str, ...]:
    return "refused", one.fields["problem"], one.fields["remedy"], one.reason


def main() -> None:
    """The reading process: a pickled request on standard input, a pickled answer on standard output."""
    order, bounds, content = pickle.load(sys.stdin.buffer)  # noqa: S301 (from our own parent)
    limit_this_process(bounds)
    gc.disable()  # nothing here makes rings, and this process ends soon
    try:
        found = read(content, bounds) if order is None else read_file(content, order, bounds)
        answer: tuple[Any, ...] = ("found", found)
    except FileRefused as refused:
        answer = _refusal(refused)
    except MemoryError:
        answer = _refusal(_too_slow(bounds))
    except RecursionError:
        answer = _refusal(damaged("nested too deeply"))
    except Exception as error:  # a mistake of ours: the person gets a refusal, the log says where to look
        answer = ("failed", where_of(error))
    sys.stdout.buffer.write(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
    sys.stdout.buffer.flush()
    os._exit(0)  # the interpreter's tidying-up is not worth the wait


if __name__ == "__main__":
    main()
