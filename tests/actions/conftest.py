"""The real Rasa with our model, our actions under uvicorn, the real PostgreSQL. Trained once per state of inputs."""

import contextlib
import fcntl
import itertools
import os
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastapi
import httpx
import psycopg
import pytest
import uvicorn

from actions.server import actions_router
from actions.services import Report
from actions.sidecar import (
    MODEL_NAME,
    rasa_command,
    rasa_environment,
    train_command,
    write_credentials,
    write_endpoints,
)
from bot.contracts.ids import EntryId, MessageId, TicketCode
from bot.contracts.messages import Choice, Reply
from bot.serve import current_model
from tests.conftest import with_database
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "-test-token"  # as one in sixty-four of ours: Rasa must not take it for an option

START_S = 240.0


@dataclass
class Recorder:
    """The services of these tests: remembers each call; a given message always gets the same reply."""

    calls: list[tuple[str, MessageId, Any]] = field(default_factory=list)
    broken: bool = False

    def forget(self) -> None:
        """As new, for the next test."""
        self.calls.clear()
        self.broken = False

    def _note(self, name: str, message: MessageId, what: Any = None) -> None:
        if self.broken:
            raise ConnectionError("the service is away")
        self.calls.append((name, message, what))

    async def answer_question(self, message: MessageId, text: str) -> Sequence[Reply]:
        self._note("answer_question", message, text)
        return [Reply(text="Đoạn một.\n\nĐoạn hai.", entry=EntryId(7), ask_helpful=True)]

    async def open_ticket(self, message: MessageId, kind: str, *, reason: str) -> Reply:
        self._note("open_ticket", message, (kind, reason))
        return Reply(text="Cán bộ trực sẽ trả lời bạn. Mã phiếu TH-7K3P9.", ticket=TicketCode("TH-7K3P9"))

    async def submit_report(self, message: MessageId, report: Report) -> Reply:
        self._note("submit_report", message, report)
        return Reply(text="Đã ghi nhận phản ánh. Mã phiếu TH-2ABCD.", ticket=TicketCode("TH-2ABCD"))

    async def ticket_status(self, message: MessageId, code: str | None) -> Reply:
        self._note("ticket_status", message, code)
        return Reply(text=f"Phiếu {code} đang xử lý.")

    async def unit_contact(self, message: MessageId, unit_text: str | None) -> Reply:
        self._note("unit_contact", message, unit_text)
        return Reply(text="Sở Y tế", choices=(Choice("Gặp cán bộ", "/ask_person"),))

    async def emergency(self, message: MessageId, text: str) -> Sequence[Reply]:
        self._note("emergency", message, text)
        return [Reply(text="Hãy gọi 115 ngay."), Reply(text="Cán bộ trực đang vào.", ticket=TicketCode("TH-9WXYZ"))]

    async def record_helpful(self, message: MessageId, helped: bool) -> Reply:
        self._note("record_helpful", message, helped)
        return Reply(text="Cảm ơn bạn đã cho biết.")


def rasa_python() -> Path:
    """The interpreter of Rasa's environment; tests that need it fail without it, they don't skip."""
    return Path(os.environ.get("RASA_PYTHON") or ROOT / ".venv-rasa" / "bin" / "python")


def trained_model() -> Path:
    """The model of the present inputs, trained now if nobody did. It is the one that `tongdai serve` starts with."""
    model = current_model()
    with (model.parent / f"{model.stem}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not model.exists():
            with tempfile.TemporaryDirectory(dir=model.parent, prefix=f"{model.stem}.building-") as work:
                done = subprocess.run(
                    train_command(rasa_python(), Path(work)),
                    cwd=ROOT,
                    env=rasa_environment(ROOT, TOKEN),
                    capture_output=True,
                    text=True,
                )
                assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
                (Path(work) / MODEL_NAME).rename(model)
    return model


@dataclass
class Said:
    """What Rasa replied to one message."""

    status: int
    replies: list[dict[str, Any]]

    @property
    def text(self) -> str:
        return "\n".join(str(one.get("text", "")) for one in self.replies)


class Rasa:
    """Rasa as a process."""

    def __init__(self, port: int, command: list[str], log: Path) -> None:
        self.port, self._command, self._log = port, command, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=rasa_environment(ROOT, TOKEN),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self._log.read_text()[-3000:]
            with contextlib.suppress(httpx.TransportError):
                url = f"http://127.0.0.1:{self.port}/status"
                if httpx.get(url, params={"token": TOKEN}, timeout=5).status_code == 200:
                    return
            time.sleep(0.2)
        raise AssertionError("Rasa did not start:\n" + self._log.read_text()[-3000:])

    def kill(self, with_signal: int = signal.SIGKILL) -> None:
        """End it and wait until it is gone."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, with_signal)
            self._process.wait(60)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid


class House:
    """Rasa as one test's gateway sees it: conversations and message ids of its own."""

    def __init__(self, rasa: Rasa) -> None:
        self.rasa = rasa
        self._test = uuid.uuid4().hex[:8]
        self._ids = itertools.count(1)
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{rasa.port}", params={"token": TOKEN}, timeout=120)

    def sender(self, name: str) -> str:
        """The conversation `name` of this test."""
        return f"{self._test}-{name}"

    async def say(self, sender: str, text: str, **metadata: Any) -> Said:
        """One message through Core, as bot.conversation sends it."""
        body = {
            "sender": self.sender(sender),
            "message": text,
            "metadata": {"message_id": next(self._ids), "conversation_id": 45, **metadata},
        }
        answer = await self.client.post("/webhooks/rest/webhook", json=body)
        return Said(answer.status_code, answer.json() if answer.status_code == 200 else [])

    async def parse(self, text: str) -> dict[str, Any]:
        answer = await self.client.post("/model/parse", json={"text": text, "message_id": "1"})
        answer.raise_for_status()
        parsed: dict[str, Any] = answer.json()
        return parsed

    async def tracker(self, sender: str) -> dict[str, Any]:
        answer = await self.client.get(
            f"/conversations/{self.sender(sender)}/tracker", params={"include_events": "ALL"}
        )
        answer.raise_for_status()
        tracker: dict[str, Any] = answer.json()
        return tracker


@pytest.fixture(scope="module")
def shared_services() -> Recorder:
    """What the running actions call; each test begins with an empty one (`services`)."""
    return Recorder()


@pytest.fixture
def services(shared_services: Recorder) -> Recorder:
    shared_services.forget()
    return shared_services


@pytest.fixture(scope="module")
def actions_url(shared_services: Recorder) -> Iterator[str]:
    """Our actions, served the way the gateway serves them."""
    app = fastapi.FastAPI()
    app.include_router(actions_router(shared_services, TOKEN))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    serving = threading.Thread(target=server.run, daemon=True)
    serving.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/actions/webhook"
    server.should_exit = True
    serving.join(10)


@pytest.fixture(scope="module")
def dialogue_database(server_url: str) -> Iterator[str]:
    """An empty database: Rasa makes its own schema and table in it."""
    name = f"rasa_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    yield with_database(server_url, name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture(scope="module")
def rasa(tmp_path_factory: pytest.TempPathFactory, dialogue_database: str, actions_url: str) -> Iterator[Rasa]:
    """One Rasa for the tests of a module: starting it is what takes long."""
    folder, model, port = tmp_path_factory.mktemp("rasa"), trained_model(), free_port()
    endpoints = write_endpoints(folder, database_url=dialogue_database, action_url=actions_url, token=TOKEN)
    credentials = write_credentials(folder, token=TOKEN)
    one = Rasa(port, rasa_command(rasa_python(), model, port, endpoints, credentials), folder / "rasa.log")
    try:
        one.start()
        yield one
    finally:
        one.kill(signal.SIGTERM)


@pytest.fixture
async def house(rasa: Rasa, services: Recorder) -> AsyncIterator[House]:
    """Rasa, up and answering, with empty services."""
    one = House(rasa)
    yield one
    await one.client.aclose()
