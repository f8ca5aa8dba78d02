"""The whole house as `tongdai serve` runs it, for scenarios: real processes, a data folder and a port of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import psycopg

from bot.base.db import libpq_url
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
TONGDAI = [sys.executable, "-m", "bot.cli"]
OURS = ("DATABASE_URL", "TONGDAI_", "ZALO_", "MESSENGER_", "GRAPH_", "WEBCHAT_", "RASA_", "EMBEDDER", "FAQ_")
PATIENCE_S = 120.0
"""How long a scenario waits for something that must come before it gives up. Never asserted on."""
START_S = 600.0
"""A first start may train Rasa: a minute on a quiet machine."""
COMMAND_S = 300.0
T = TypeVar("T")


def eventually(what: str, look: Callable[[], T | None], *, seconds: float = PATIENCE_S, every_s: float = 0.05) -> T:
    """The first true value of `look`. Raises AssertionError with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:.0f} s: {what}")
        time.sleep(every_s)


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without any setting of ours, and `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return kept | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"} | more


@dataclass
class Finished:
    """A command that ran to its end."""

    code: int
    out: str
    err: str


@dataclass
class House:
    """One `tongdai serve`."""

    data: Path
    port: int = field(default_factory=free_port)
    settings: Mapping[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    """What it printed, logs included."""
    process: "subprocess.Popen[str] | None" = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What it and the commands beside it run with."""
        own = {"TONGDAI_DATA_DIR": str(self.data), "TONGDAI_PORT": str(self.port)}
        return clean_environment(**own, **self.settings)

    # --- start, stop, kill -------------------------------------------------------------------------------------------

    def start(self) -> "House":
        """Start it and return when it says READY."""
        self.launch()
        try:
            eventually("READY", lambda: self.printed("READY ") or self.is_over, seconds=START_S)
        except AssertionError as error:
            raise AssertionError(self.said()) from error
        assert not self.is_over, self.said()
        return self

    def launch(self) -> None:
        """Start it and don't wait."""
        self.lines.clear()
        self.process = subprocess.Popen(
            [*TONGDAI, "serve"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def is_over(self) -> bool:
        """True when the supervisor has ended."""
        return self.process is None or self.process.poll() is not None

    def printed(self, words: str) -> str | None:
        """The first line with these words."""
        return next((line for line in self.lines if words in line), None)

    def said(self) -> str:
        """The last that it printed, for messages of failed tests."""
        return "\n".join(self.lines[-60:])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, as systemd does (or the whole foreground group, as Ctrl-C does); its exit code.

        It takes two seconds; ten are promised. A crowded machine may need more, so that is not what a test judges.
        """
        assert self.process is not None
        if number is signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        began = time.monotonic()
        code = self.process.wait(timeout=PATIENCE_S)
        print(f"stopped in {time.monotonic() - began:.1f} s")
        return code

    def clear_away(self) -> None:
        """Leave nothing of it, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for one in self.left():
            one.kill()

    def parts(self) -> dict[str, int]:
        """Name of each running part → its process id."""
        if self.process is None or self.is_over:
            return {}
        try:
            children = psutil.Process(self.process.pid).children()
        except psutil.Error:  # it ended just now
            return {}
        found: dict[str, int] = {}
        for child in children:
            try:
                command, status = child.cmdline(), child.status()
            except psutil.Error:
                continue
            name = command[-1] if command[-1:] in (["gateway"], ["worker"]) else "rasa" if "rasa" in command else ""
            if name and status != psutil.STATUS_ZOMBIE:
                found[name] = child.pid
        return found

    def left(self) -> list[psutil.Process]:
        """Processes that still name this data folder, in their command or their environment."""
        mine = []
        for one in psutil.process_iter():
            try:
                if one.status() == psutil.STATUS_ZOMBIE or one.pid == os.getpid():
                    continue
                if str(self.data) in " ".join([*one.cmdline(), one.environ().get("TONGDAI_DATA_DIR", "")]):
                    mine.append(one)
            except psutil.Error:
                continue
        return mine

    def left_names(self) -> set[str]:
        """What those are called."""
        names = set()
        for one in self.left():
            try:
                names.add(one.name())
            except psutil.Error:  # it is gone now
                continue
        return names

    def wait_until_gone(self) -> None:
        """Nothing of it is left: what the supervisor has ended may need a moment to be gone."""
        eventually("nothing of it is left", lambda: not self.left(), seconds=30)

    def kill(self, part: str) -> int:
        """kill -9; returns the process id that is gone. The supervisor starts the part again."""
        pid = eventually(f"{part} runs", lambda: self.parts().get(part))
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_until_back(self) -> None:
        """Every part runs and messages can be answered."""
        eventually("all parts run and the gateway is ready", lambda: len(self.parts()) == 3 and self.is_ready())

    def is_ready(self) -> bool:
        """What /readyz says."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=3.0, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    # --- beside it ---------------------------------------------------------------------------------------------------

    def command(self, *words: str) -> Finished:
        """Another `tongdai` command with the same settings."""
        done = subprocess.run(
            [*TONGDAI, *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    @property
    def database_url(self) -> str:
        """Address of its PostgreSQL, as its own parts know it."""

        def look() -> str | None:
            for pid in self.parts().values():
                try:
                    return libpq_url(psutil.Process(pid).environ()["DATABASE_URL"])
                except (psutil.Error, KeyError):  # it was just killed, or has just begun
                    continue
            return None

        return eventually("a part runs that knows the address of its database", look)

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows straight from its database."""

        def look() -> list[list[tuple[Any, ...]]] | None:
            try:
                with psycopg.connect(self.database_url, autocommit=True) as connection:
                    return [connection.execute(query.encode(), values).fetchall()]
            except psycopg.OperationalError:  # it was just killed
                return None

        return eventually("its database answers", look, every_s=0.25)[0]

    def add_user(self, name: str, role: str, unit: str | None = None) -> str:
        """A new account; its one-time password."""
        done = self.command("user", "add", name, "--role", role, *(["--unit", unit] if unit else []))
        assert done.code == 0, done.err
        return done.out.strip()

    def citizen(self) -> "Citizen":
        """A new citizen in the web chat."""
        return Citizen(self.url)

    @property
    def first_password(self) -> str:
        """Of the first administrator, as printed on the first start."""
        found = re.search(r"mật khẩu dùng một lần: (\S+)", "\n".join(self.lines))
        assert found, self.said()
        return found.group(1)


class Citizen:
    """Somebody in the web chat, over its API. Keeps trying with the same id, as the page does."""

    def __init__(self, url: str, token: str = "") -> None:
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=10.0)
        self.token = token or str(self._try("POST", "/api/v1/chat/sessions").json()["token"])
        self._http.headers["Authorization"] = f"Bearer {self.token}"

    def on(self, url: str) -> "Citizen":
        """The same person with a new connection."""
        return Citizen(url, self.token)

    def say(self, text: str, payload: str | None = None, *, own_id: str | None = None) -> int:
        """Write something; the message's id."""
        body = {"client_message_id": own_id or uuid.uuid4().hex, "text": text, "payload": payload}
        return int(self._try("POST", "/api/v1/chat/messages", json=body).json()["id"])

    def history(self, after: int = 0) -> list[dict[str, Any]]:
        """All messages, oldest first."""
        found: list[dict[str, Any]] = self._try("GET", f"/api/v1/chat/messages?after={after}&limit=500").json()[
            "messages"
        ]
        return found

    def wait_for(self, author: str, after: int) -> list[dict[str, Any]]:
        """What `author` said after message `after`, as soon as there is something."""
        return eventually(
            f"words of {author} after {after}",
            lambda: [one for one in self.history(after) if one["from"] == author],
        )

    def ask(self, text: str, payload: str | None = None) -> dict[str, Any]:
        """Say it and return the bot's first words to it."""
        return self.wait_for("bot", self.say(text, payload))[0]

    def _try(self, method: str, path: str, **more: Any) -> httpx.Response:
        def once() -> httpx.Response | None:
            try:
                response = self._http.request(method, path, **more)
            except httpx.HTTPError:
                return None
            if response.status_code == 429 or response.status_code >= 500:
                return None
            response.raise_for_status()
            return response

        return eventually(f"{method} {path} is answered", once, every_s=0.25)


@contextmanager
def opened(data: Path, settings: Mapping[str, str] | None = None, *, port: int | None = None) -> Iterator[House]:
    """A house that is ready, and nothing of it afterwards."""
    house = House(data, port or free_port(), settings or {})
    try:
        yield house.start()
    finally:
        house.clear_away()


def texts(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Only the words."""
    return [str(one["text"]) for one in messages]
