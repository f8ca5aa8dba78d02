"""The peer: Rasa alone, its REST channel, and a ResponseSelector that learned the same banks' questions and answers."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import yaml

from actions.sidecar import ENVIRONMENT
from bench.running import free_port
from kb_import.samples.content import load_samples

PYTHON = Path(".venv-rasa/bin/python").absolute()
CONFIG = {
    "recipe": "default.v1",
    "language": "vi",
    "assistant_id": "peer",
    "pipeline": [
        {"name": "WhitespaceTokenizer"},
        {"name": "CountVectorsFeaturizer"},
        {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
        {"name": "DIETClassifier", "epochs": 60, "constrain_similarities": True},
        {"name": "ResponseSelector", "epochs": 100, "retrieval_intent": "faq", "constrain_similarities": True},
    ],
    "policies": [{"name": "RulePolicy"}],
}


def write_project(folder: Path) -> None:
    """A Rasa project whose one retrieval intent holds every entry of the sample banks."""
    folder.mkdir(parents=True, exist_ok=True)
    nlu, responses = [], {}
    entries = [entry for bank in load_samples() for entry in bank.entries]
    for number, entry in enumerate(entries):
        name = f"faq/e{number}"
        lines = "".join(f"- {_plain(text)}\n" for text in (entry.question, *entry.phrasings))
        nlu.append({"intent": name, "examples": _Literal(lines)})
        responses[f"utter_{name}"] = [{"text": entry.answer}]
    greetings = "- xin chào\n- chào bạn\n- hello\n- alo\n"
    nlu.append({"intent": "greet", "examples": _Literal(greetings)})
    rules = [
        {"rule": "answer", "steps": [{"intent": "faq"}, {"action": "utter_faq"}]},
        {"rule": "greet", "steps": [{"intent": "greet"}, {"action": "utter_greet"}]},
    ]
    responses["utter_greet"] = [{"text": "Xin chào!"}]
    _write(folder / "config.yml", CONFIG)
    _write(folder / "domain.yml", {"version": "3.1", "intents": ["faq", "greet"], "responses": responses})
    _write(folder / "data" / "nlu.yml", {"version": "3.1", "nlu": nlu})
    _write(folder / "data" / "rules.yml", {"version": "3.1", "rules": rules})
    _write(folder / "credentials.yml", {"rest": None})


@contextlib.contextmanager
def running_peer(folder: Path) -> Iterator[tuple[str, float, Callable[[], float]]]:
    """Train and serve it: its address, seconds of training, and a function that reads its memory in MiB."""
    write_project(folder)
    env = {**os.environ, **ENVIRONMENT}
    started = time.monotonic()
    subprocess.run(
        [str(PYTHON), "-m", "rasa", "train", "--fixed-model-name", "peer"],
        cwd=folder,
        env=env,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    trained = time.monotonic() - started
    port = free_port()
    process = subprocess.Popen(
        [
            str(PYTHON),
            "-m",
            "rasa",
            "run",
            "--interface",
            "127.0.0.1",
            "--port",
            str(port),
            "--credentials",
            "credentials.yml",
            "--model",
            "models/peer.tar.gz",
        ],
        cwd=folder,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        _wait(base)
        yield base, trained, lambda: psutil.Process(process.pid).memory_full_info().pss / 2**20
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait(base: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{base}/webhooks/rest/", trust_env=False).status_code == 200:
                answer = httpx.post(
                    f"{base}/webhooks/rest/webhook",
                    json={"sender": "w", "message": "xin chào"},
                    trust_env=False,
                    timeout=30,
                )
                if answer.status_code == 200 and answer.json():
                    return
        time.sleep(0.3)
    raise RuntimeError("the peer did not get ready")


class _Literal(str):
    """A block of lines in YAML, as Rasa wants its examples."""


def _represent(dumper: yaml.SafeDumper, text: _Literal) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Literal, _represent)


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _plain(text: str) -> str:
    return " ".join(text.replace("[", "(").replace("]", ")").split())
