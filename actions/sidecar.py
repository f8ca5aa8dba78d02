"""How the gateway starts Rasa: its files, its commands, and whether it has to be trained again.

Rasa runs beside us in its own environment, on loopback, with a token; `bot.app` owns the process.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import yaml

ENVIRONMENT: Mapping[str, str] = {
    "RASA_TELEMETRY_ENABLED": "false",
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "PYTHONWARNINGS": "ignore",
    "PYTHONUTF8": "1",
    "LOG_LEVEL": "WARNING",
    "LOG_LEVEL_LIBRARIES": "ERROR",
}
"""For every Rasa process, beside the caller's own. Spinning OpenMP threads took p95 of a parse from 0.5 s to 12.5 s."""

DATA = ("nlu_data/nlu", "nlu_data/dialogue")
INPUTS = ("config.yml", "domain.yml")
RASA_VERSION = "3.6.21"


def rasa_environment(root: Path, token: str = "") -> dict[str, str]:
    """The environment of a Rasa process; `root` (the repository) holds our components. `token`: of one that serves."""
    # MALLOC_ARENA_MAX: glibc's per-thread arenas keep freed memory; two are enough for one event loop and its threads.
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(root), "MALLOC_ARENA_MAX": "2", "RASA_SERVER_TOKEN": token}


def write_endpoints(folder: Path, *, database_url: str, action_url: str, token: str) -> Path:
    """endpoints.yml: the tracker store in PostgreSQL (schema `rasa`), and our actions.

    `database_url` is any SQLAlchemy or libpq URL of PostgreSQL; `action_url` ends in /actions/webhook. The file holds
    secrets: mode 0600.
    """
    path = folder / "endpoints.yml"
    _write_private(
        path,
        {
            "tracker_store": {
                "type": "nlu_data.vi_nlu.tracker_store.PatientTrackerStore",
                "url": psycopg2_url(database_url),
                "schema": "rasa",
            },
            "action_endpoint": {"url": action_url, "token": token, "enable_selective_domain": True},
        },
    )
    return path


def write_credentials(folder: Path, *, token: str) -> Path:
    """credentials.yml: one channel, `/webhooks/rest/webhook?token=…`; mode 0600."""
    path = folder / "credentials.yml"
    _write_private(path, {"nlu_data.vi_nlu.channel.GatewayChannel": {"token": token}})
    return path


def psycopg2_url(database_url: str) -> str:
    """The same database for SQLAlchemy 1.4 with psycopg2, which Rasa has: "postgresql+psycopg://…" → "postgresql://…"."""
    scheme, separator, rest = database_url.partition("://")
    if not separator or scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("the database of the dialogue must be PostgreSQL")
    return f"postgresql://{rest}"


def rasa_command(python: Path, model: Path, port: int, endpoints: Path, credentials: Path) -> list[str]:
    """The command that serves `model` on 127.0.0.1:`port`.

    Run it with `rasa_environment` and cwd at the repository's root.
    """
    return [
        str(python),
        *("-m", "nlu_data.serve", "rasa", "run", "--enable-api"),
        *("--interface", "127.0.0.1", "--port", str(port)),
        *("--model", str(model), "--endpoints", str(endpoints), "--credentials", str(credentials)),
        *("--request-timeout", "60", "--response-timeout", "60"),
    ]


def train_command(python: Path, out_dir: Path) -> list[str]:
    """The command that trains into `out_dir`/rasa.tar.gz.

    Run it with `rasa_environment` and cwd at the repository's root.
    """
    return [
        str(python),
        *("-m", "rasa", "train", "--config", "config.yml", "--domain", "domain.yml", "--data", *DATA),
        *("--out", str(out_dir), "--fixed-model-name", MODEL_NAME.removesuffix(".tar.gz"), "--force"),
    ]


MODEL_NAME = "rasa.tar.gz"


def inputs_hash(root: Path) -> str:
    """What the model is made of, as a hash: train again when it changes. Components are code, so Python files count."""
    digest = hashlib.sha256(RASA_VERSION.encode())
    files = [root / name for name in INPUTS]
    files += sorted(
        one
        for pattern in ("nlu_data/nlu/**/*", "nlu_data/dialogue/**/*", "nlu_data/vi_nlu/*.py", "nlu_data/*.yml")
        for one in root.glob(pattern)
        if one.is_file()
    )
    for path in files:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _write_private(path: Path, content: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        yaml.safe_dump(dict(content), file, allow_unicode=True, sort_keys=False)
