"""The actions' endpoint and the files that Rasa is started with."""

import stat
from pathlib import Path
from typing import Any

import fastapi
import httpx
import pytest
import yaml

from actions.server import actions_router
from actions.sidecar import inputs_hash, psycopg2_url, rasa_command, write_credentials, write_endpoints
from tests.actions.conftest import Recorder


@pytest.fixture
def client(services: Recorder) -> httpx.AsyncClient:
    app = fastapi.FastAPI()
    app.include_router(actions_router(services, "secret"))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://actions")


def call(action: str, text: str = "", **metadata: Any) -> dict[str, Any]:
    """What Rasa posts, without the domain (enable_selective_domain)."""
    latest = {"text": text, "intent": {"name": "x", "confidence": 1.0}, "entities": [], "metadata": metadata}
    return {
        "next_action": action,
        "sender_id": "c45",
        "tracker": {
            "sender_id": "c45",
            "slots": {},
            "latest_message": latest,
            "events": [],
            "paused": False,
            "followup_action": None,
            "active_loop": {},
            "latest_action_name": None,
        },
    }


@pytest.mark.parametrize("token", ["", "wrong", "secret2", "sécret"])
async def test_a_stranger_runs_nothing(client: httpx.AsyncClient, services: Recorder, token: str) -> None:
    answer = await client.post(
        "/actions/webhook", params={"token": token}, json=call("action_ask_person", message_id=1)
    )
    assert answer.status_code == 403
    assert services.calls == []


async def test_an_action_runs_once_and_its_reply_comes_back(client: httpx.AsyncClient, services: Recorder) -> None:
    answer = await client.post(
        "/actions/webhook", params={"token": "secret"}, json=call("action_ask_person", "gặp cán bộ", message_id=12)
    )
    reply = answer.json()["responses"][0]
    assert (reply["text"], reply["custom"]["ticket"]) == ("Cán bộ trực sẽ trả lời bạn. Mã phiếu TH-7K3P9.", "TH-7K3P9")
    assert services.calls == [("open_ticket", 12, ("question", "asked_for_person"))]


async def test_failures_are_errors_to_rasa(client: httpx.AsyncClient, services: Recorder) -> None:
    async def status(body: dict[str, Any]) -> int:
        return (await client.post("/actions/webhook", params={"token": "secret"}, json=body)).status_code

    assert await status(call("action_unknown", message_id=1)) == 404
    assert await status(call("action_ask_person")) == 500, "without a message id nothing could be done exactly once"
    services.broken = True
    assert await status(call("action_ask_person", message_id=1)) == 500
    assert services.calls == []


def test_files_with_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    url = "postgresql+psycopg://u:p%40ss@/db?host=/run/pg"
    endpoints = write_endpoints(tmp_path / "rasa", database_url=url, action_url="http://127.0.0.1:1/a", token="t")
    credentials = write_credentials(tmp_path / "rasa", token="t2")
    for path in (endpoints, credentials):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = yaml.safe_load(endpoints.read_text(encoding="utf-8"))
    assert written["tracker_store"]["url"] == "postgresql://u:p%40ss@/db?host=/run/pg"
    assert written["action_endpoint"]["token"] == "t"
    assert list(yaml.safe_load(credentials.read_text(encoding="utf-8")).values()) == [{"token": "t2"}]


def test_only_postgresql_keeps_dialogues() -> None:
    assert psycopg2_url("postgres://h/db") == "postgresql://h/db"
    with pytest.raises(ValueError, match="PostgreSQL"):
        psycopg2_url("sqlite:///x.db")


def test_rasa_is_told_to_stay_on_loopback() -> None:
    command = rasa_command(Path("python"), Path("m.tar.gz"), 5005, Path("e.yml"), Path("c.yml"))
    assert command[command.index("--interface") + 1] == "127.0.0.1"


def test_hash_changes_with_what_the_model_is_made_of_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "nlu_data" / "nlu").mkdir(parents=True)
    for name in ("config.yml", "domain.yml", "nlu_data/nlu/a.yml"):
        (tmp_path / name).write_text("x")
    first = inputs_hash(tmp_path)
    (tmp_path / "README.md").write_text("y")
    assert inputs_hash(tmp_path) == first
    (tmp_path / "nlu_data" / "nlu" / "a.yml").write_text("z")
    assert inputs_hash(tmp_path) != first
