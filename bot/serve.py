"""`tongdai serve`: starts every part in order, restarts what dies, and stops all of it within ten seconds.

    PostgreSQL (embedded) ─► migrations, seed ─► Rasa model if its inputs changed ─► Rasa, gateway, worker ─► READY

The parts are processes of their own so that one that is killed or eats its memory takes no other with it. Linux tells
each child when its parent dies (PR_SET_PDEATHSIG), so a supervisor that was killed leaves nothing running.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import structlog
from rich.console import Console

from actions import sidecar
from bot.base.postgres import database_address, revive_embedded
from bot.base.settings import HouseSettings
from bot.setup import first_start, prepare_database

log = structlog.get_logger(__name__)

ROOT = Path(__file__).resolve().parent.parent
STOP_WITHIN_S = 6.0
"""For the parts; PostgreSQL stops after them, and ten seconds are promised for all."""
RESTART_AFTER_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waits before a part that died is started again; a part that ran for a minute starts over at the first."""
READY_WITHIN_S = 180.0
DATABASE_LOOK_EVERY_S = 1.0


class CannotServe(Exception):
    """Something that only a person can mend keeps us from starting. The text is Vietnamese, for the IT staff."""


@dataclass
class Part:
    """A child process."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None = None
    """Where its output goes when it is not ours to show; begun anew at each start of the part."""
    process: asyncio.subprocess.Process | None = None
    failures: int = 0
    started_at: float = field(default_factory=time.monotonic)


async def serve(settings: HouseSettings, console: Console) -> int:
    """Run until SIGINT or SIGTERM. Returns the exit code."""
    settings.tongdai_data_dir.mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stop.set)
    with _only_one(settings.tongdai_data_dir), _database(settings, console) as url:
        _check_port_is_free(settings.tongdai_host, settings.tongdai_port)
        await asyncio.to_thread(prepare_database, url)
        if not await _train_if_needed(settings, console, stop):
            return 0
        if not await _unless_stopped(first_start(url, settings, console), stop):
            return 0
        parts = _parts(settings, url)
        watchers = [asyncio.create_task(_keep_running(part, stop), name=part.name) for part in parts]
        announcer = asyncio.create_task(_announce_ready(settings, console, stop))
        if settings.database_url is None:
            watchers.append(asyncio.create_task(_keep_database_running(settings.tongdai_data_dir, stop)))
        await stop.wait()
        console.print("Đang dừng…")
        announcer.cancel()
        await _stop_all(parts, watchers)
    return 0


def _parts(settings: HouseSettings, url: str) -> list[Part]:
    data = settings.tongdai_data_dir.resolve()
    rasa_port, rasa_token, action_token = _free_port(), secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    action_url = f"http://{_loopback(settings.tongdai_host)}:{settings.tongdai_port}/actions/webhook"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "TONGDAI_DATA_DIR": str(data),
        "TONGDAI_HOST": settings.tongdai_host,
        "TONGDAI_PORT": str(settings.tongdai_port),
        "TONGDAI_INTERNAL_RASA_URL": f"http://127.0.0.1:{rasa_port}",
        "TONGDAI_INTERNAL_RASA_TOKEN": rasa_token,
        "TONGDAI_INTERNAL_ACTION_TOKEN": action_token,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "MALLOC_ARENA_MAX": "2",
    }
    endpoints = sidecar.write_endpoints(data / "rasa", database_url=url, action_url=action_url, token=action_token)
    credentials = sidecar.write_credentials(data / "rasa", token=rasa_token)
    rasa = sidecar.rasa_command(rasa_python(settings), current_model(), rasa_port, endpoints, credentials)
    ours = [sys.executable, "-m", "bot.cli"]
    return [
        Part("rasa", rasa, {**environment, **sidecar.rasa_environment(ROOT, rasa_token)}, log=data / "rasa.log"),
        Part("gateway", [*ours, "gateway"], environment),
        Part("worker", [*ours, "worker"], environment),
    ]


async def _keep_running(part: Part, stop: asyncio.Event) -> None:
    while not stop.is_set():
        part.started_at = time.monotonic()
        with part.log.open("wb") if part.log else contextlib.nullcontext() as output:
            part.process = await asyncio.create_subprocess_exec(
                *part.command,
                env=dict(part.environment),
                cwd=ROOT,
                stdout=output,
                stderr=output,
                preexec_fn=_die_with_parent,
                start_new_session=True,
            )
        log.info("part.started", part=part.name, pid=part.process.pid)
        code = await part.process.wait()
        if stop.is_set():
            return
        part.failures = 0 if time.monotonic() - part.started_at > 60 else part.failures + 1
        wait = RESTART_AFTER_S[min(part.failures, len(RESTART_AFTER_S) - 1)]
        log.error("part.died", part=part.name, code=code, again_in_s=wait)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)


async def _keep_database_running(data_dir: Path, stop: asyncio.Event) -> None:
    """Start the embedded PostgreSQL again when it has died; the parts reconnect by themselves."""
    while not stop.is_set():
        try:
            if await asyncio.to_thread(revive_embedded, data_dir):
                log.error("database.restarted")
        except Exception as error:  # whatever it is, the next look may succeed: its last processes need a moment to go
            log.warning("database.not_back_yet", error=type(error).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), DATABASE_LOOK_EVERY_S)


async def _stop_all(parts: Sequence[Part], watchers: Sequence["asyncio.Task[None]"]) -> None:
    for part in parts:
        _signal(part, signal.SIGTERM)
    _, late = await asyncio.wait(watchers, timeout=STOP_WITHIN_S)
    if late:
        for part in parts:
            _signal(part, signal.SIGKILL)
        await asyncio.wait(late, timeout=1.0)


def _signal(part: Part, number: signal.Signals) -> None:
    if part.process and part.process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(part.process.pid, number)


async def _unless_stopped(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
    """Do `work`, or as much of it as there is time for: False if we were asked to stop meanwhile."""
    task, stopper = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopper}, return_when=asyncio.FIRST_COMPLETED)
    stopper.cancel()
    if stop.is_set():
        task.cancel()
        await asyncio.wait({task})
        return False
    await task
    return True


async def _announce_ready(settings: HouseSettings, console: Console, stop: asyncio.Event) -> None:
    base = f"http://{_loopback(settings.tongdai_host)}:{settings.tongdai_port}"
    began, warned = time.monotonic(), False
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        while not stop.is_set():
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"{base}/readyz")).status_code == 200:
                    shown = settings.tongdai_public_url or base.replace("127.0.0.1", "localhost")
                    console.print(f"READY {shown}", soft_wrap=True, highlight=False)
                    console.print(
                        f"  Trò chuyện: {shown}/   Bàn điều khiển: {shown}/console   Tra cứu phiếu: {shown}/tra-cuu\n"
                        "  Dừng: Ctrl-C",
                        soft_wrap=True,
                        highlight=False,
                    )
                    return
            if not warned and time.monotonic() - began > READY_WITHIN_S:
                warned = True
                console.print("Hệ thống chưa sẵn sàng sau 3 phút, vẫn đang đợi; xem nhật ký ở trên.", style="red")
            await asyncio.sleep(0.25)


async def _train_if_needed(settings: HouseSettings, console: Console, stop: asyncio.Event) -> bool:
    """Train Rasa when its inputs changed. False if we were asked to stop meanwhile."""
    model = current_model()
    if model.exists():
        return True
    console.print("Đang huấn luyện mô hình hiểu tiếng Việt (khoảng một phút, chỉ khi dữ liệu thay đổi)…")
    started = time.monotonic()
    work = model.parent / f"{model.stem}.building-{os.getpid()}"  # a second first start has its own
    log_path = settings.tongdai_data_dir / "rasa-train.log"
    with log_path.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *sidecar.train_command(rasa_python(settings), work),
            env=sidecar.rasa_environment(ROOT),
            cwd=ROOT,
            stdout=output,
            stderr=output,
            preexec_fn=_die_with_parent,
            start_new_session=True,
        )
        waiter = asyncio.create_task(process.wait())
        stopper = asyncio.create_task(stop.wait())
        with console.status("Huấn luyện Rasa…") if console.is_terminal else contextlib.nullcontext():
            await asyncio.wait({waiter, stopper}, return_when=asyncio.FIRST_COMPLETED)
        stopper.cancel()
        if not waiter.done():
            os.killpg(process.pid, signal.SIGKILL)
            await waiter
            return False
    built = sorted(work.glob("*.tar.gz"))
    if process.returncode != 0 or not built:
        raise CannotServe(f"Huấn luyện Rasa không thành công; xem {log_path}.")
    built[-1].rename(model)
    for leftover in work.glob("*"):
        leftover.unlink()
    work.rmdir()
    console.print(f"Huấn luyện xong trong {time.monotonic() - started:.0f} giây.")
    return True


def rasa_python(settings: HouseSettings) -> Path:
    """The interpreter of Rasa's environment. Raises CannotServe when there is none."""
    python = settings.rasa_python if settings.rasa_python.is_absolute() else ROOT / settings.rasa_python
    if not python.exists():
        raise CannotServe(f"Không thấy môi trường Rasa ở {python}. Chạy `make setup`, hoặc đặt RASA_PYTHON.")
    return python


def current_model() -> Path:
    """Where the trained model of today's config.yml, domain.yml and nlu_data/ lies, whether or not it is there yet."""
    folder = ROOT / "models"
    folder.mkdir(exist_ok=True)
    return folder / f"rasa-{sidecar.inputs_hash(ROOT)}.tar.gz"


@contextlib.contextmanager
def _database(settings: HouseSettings, console: Console) -> Iterator[str]:
    if settings.database_url is None:
        console.print("Khởi động PostgreSQL đi kèm…")
    with contextlib.ExitStack() as running:
        try:
            url = running.enter_context(database_address(settings.database_url, settings.tongdai_data_dir))
        except (OSError, subprocess.SubprocessError, AssertionError) as error:
            log.error("database.not_started", error=str(error))
            raise CannotServe(
                f"Không khởi động được PostgreSQL đi kèm trong {settings.tongdai_data_dir / 'postgres'}. Kiểm tra đĩa "
                "còn chỗ và mọi thư mục trên đường dẫn cho tài khoản khác đi qua (chmod o+x), hoặc đặt DATABASE_URL."
            ) from error
        yield url


@contextlib.contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    path = data_dir / "serve.lock"
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotServe(
                f"Đã có một hệ thống đang chạy trên thư mục dữ liệu {data_dir}. "
                "Dừng nó trước, hoặc đặt TONGDAI_DATA_DIR và TONGDAI_PORT khác."
            ) from None
        yield


def _check_port_is_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotServe(
                f"Không mở được cổng {port} ({error.strerror}). Đặt TONGDAI_PORT khác, "
                "hoặc dừng chương trình đang dùng cổng này."
            ) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _loopback(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::", "localhost"} else host  # noqa: S104


_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
