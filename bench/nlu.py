"""What the intents cost and how often they mislead: training time, resident memory, parse time, questions misread.

    python -m bench.nlu [--config config.yml …] [--peers NAME …] [--queries FILE.jsonl] [--fifth]

Questions are the sample banks' held-out wordings (`asked:` and `unanswerable:`, none of which is trained on);
`--queries` adds a file with one {"text": …} a line. "Misread" is a question that is given another intent than a
question or "not understood". `--fifth` trains without a fifth of the examples (picked by a hash) and tells which share
of that fifth gets its intent; the parts after the classifier are left out then, so that classifiers are compared.
`--peers` takes other pipelines from PEERS.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from actions.sidecar import MODEL_NAME, rasa_environment, train_command, write_credentials

ROOT = Path(__file__).resolve().parent.parent
PYTHON = Path(os.environ.get("RASA_PYTHON") or ROOT / ".venv-rasa" / "bin" / "python")
READ_AS_QUESTION = {"ask_question", "nlu_fallback"}
OURS = "nlu_data.vi_nlu.tokenizer.ViTokenizer"
AFTER_CLASSIFIER = ("FallbackClassifier", "nlu_data.vi_nlu.guard.EvidenceGuard")
Part = dict[str, Any]


def _counts(*, lemma: bool) -> list[Part]:
    """Rasa's own features: words and pairs, words as written, letters."""
    words: Part = {"name": "CountVectorsFeaturizer", "analyzer": "word", "max_ngram": 2}
    written: list[Part] = [{"name": "CountVectorsFeaturizer", "use_lemma": False}] if lemma else []
    return [words, *written, {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 2, "max_ngram": 4}]


_LOGISTIC: Part = {"name": "LogisticRegressionClassifier", "max_iter": 300, "solver": "lbfgs", "tol": 0.001}
_DIET: Part = {"name": "DIETClassifier", "epochs": 40, "constrain_similarities": True, "entity_recognition": False}
PEERS: dict[str, list[Part]] = {
    "whitespace": [{"name": "WhitespaceTokenizer"}, *_counts(lemma=False), _LOGISTIC],
    "logistic": [{"name": OURS}, *_counts(lemma=True), _LOGISTIC],
    "diet": [{"name": OURS}, *_counts(lemma=True), _DIET],
    "underthesea": [{"name": "bench.underthesea_tokenizer.UndertheseaTokenizer"}, *_counts(lemma=True), _LOGISTIC],
    "underthesea-ours": [
        {"name": "bench.underthesea_tokenizer.UndertheseaTokenizer"},
        {"name": "nlu_data.vi_nlu.intents.ViIntentClassifier"},
    ],
}
"""Other pipelines. The two with underthesea need it where Rasa's interpreter finds it (PYTHONPATH)."""


async def main() -> None:
    """One line of a table per configuration."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--config", type=Path, nargs="*", default=[ROOT / "config.yml"])
    arguments.add_argument("--peers", choices=PEERS, nargs="*", default=[])
    arguments.add_argument("--queries", type=Path)
    arguments.add_argument("--fifth", action="store_true")
    arguments.add_argument("--path", default="", help="a folder with more packages for Rasa's interpreter")
    chosen = arguments.parse_args()
    sets = {"held out": held_out_questions()}
    if chosen.queries:
        lines = chosen.queries.read_text(encoding="utf-8").splitlines()
        sets[chosen.queries.name] = [str(json.loads(one)["text"]) for one in lines]
    last = "right intent | macro F1" if chosen.fifth else "misread"
    print(f"| configuration | training s | start s | resident MB | parse p50 ms | p95 ms | {last} |")
    print("|---|---|---|---|---|---|---|" + ("---|" if chosen.fifth else ""))
    with tempfile.TemporaryDirectory() as folder:
        for config in [*chosen.config, *(write_peer(name, Path(folder)) for name in chosen.peers)]:
            with tempfile.TemporaryDirectory() as place:
                await measure(config, Path(place), sets, fifth=chosen.fifth, path=chosen.path)


def write_peer(name: str, folder: Path) -> Path:
    """One of PEERS as a configuration file."""
    path = folder / f"{name}.yml"
    content = {"recipe": "default.v1", "assistant_id": "peer", "language": "vi", "pipeline": PEERS[name]}
    path.write_text(yaml.safe_dump(content | {"policies": [{"name": "RulePolicy"}]}), encoding="utf-8")
    return path


def without_guard(config: Path, folder: Path) -> Path:
    """The same pipeline up to its classifier, and without entities."""
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    left_out = (*AFTER_CLASSIFIER, "RegexEntityExtractor")
    content["pipeline"] = [one for one in content["pipeline"] if one["name"] not in left_out]
    path = folder / config.name
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def split_fifth(folder: Path) -> list[tuple[str, str]]:
    """Writes four fifths of the examples to `folder`/nlu.yml; the last fifth as text and intent."""
    kept: dict[str, list[str]] = {}
    held: list[tuple[str, str]] = []
    for path in sorted((ROOT / "nlu_data" / "nlu").glob("*.yml")):
        for item in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in item["examples"].splitlines() if "intent" in item else ():
                text = re.sub(r"\[([^\]]+)\]\(\w+\)", r"\1", line.removeprefix("- "))
                if hashlib.sha256(text.encode()).digest()[0] % 5 == 0:
                    held.append((text, item["intent"]))
                else:
                    kept.setdefault(item["intent"], []).append(text)
    lines = ['version: "3.1"', "nlu:"]
    for intent, texts in kept.items():
        lines += [f"- intent: {intent}", "  examples: |", *(f"    - {one}" for one in texts)]
    (folder / "nlu.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return held


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean over the intents of their F1, from pairs of given and right intent."""
    shares = []
    for intent in {right for _, right in pairs}:
        both = sum(given == right == intent for given, right in pairs)
        shares.append(2 * both / sum((given == intent) + (right == intent) for given, right in pairs))
    return sum(shares) / len(shares)


async def measure(config: Path, folder: Path, sets: dict[str, list[str]], *, fifth: bool, path: str) -> None:
    """Train, serve, ask one after the other, print."""
    held = split_fifth(folder) if fifth else []
    environment = rasa_environment(ROOT)
    environment["PYTHONPATH"] += f"{os.pathsep}{path}" if path else ""
    command = train_command(PYTHON, folder)
    if fifth:
        data = command.index("nlu_data/nlu")
        command = [*command[:data], str(folder / "nlu.yml"), *command[data + 1 :]]
    used = without_guard(config, folder) if fifth else config
    command = [str(used) if one == "config.yml" else one for one in command]
    began = time.monotonic()
    await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=environment, check=True, capture_output=True)
    trained_s = time.monotonic() - began
    took: list[float] = []
    async with serving(folder, environment) as served:
        if fifth:
            pairs = [(str((await parse(served.client, text, took))["intent"]["name"]), intent) for text, intent in held]
            right = sum(given == intent for given, intent in pairs)
            last = f"{right / len(pairs):.1%} of {len(pairs)} | {macro_f1(pairs):.3f}"
        else:
            last = await misread(served.client, sets, took)
        resident = psutil.Process(served.pid).memory_info().rss / 2**20
    took.sort()
    p50, p95 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.95))
    figures = f"{trained_s:.0f} | {served.started_s:.1f} | {resident:.0f} | {p50:.1f} | {p95:.1f}"
    print(f"| {config.name} | {figures} | {last} |", flush=True)


@dataclass(frozen=True, slots=True)
class Served:
    """A Rasa process that answers."""

    client: httpx.AsyncClient
    pid: int
    started_s: float


@contextlib.asynccontextmanager
async def serving(folder: Path, environment: dict[str, str]) -> AsyncIterator[Served]:
    """The model in `folder`, up until the block is left."""
    port, token = free_port(), secrets.token_hex(8)
    serve = [str(PYTHON), *["-m", "rasa", "run", "--enable-api", "--interface", "127.0.0.1", "--port"], str(port)]
    serve += ["--auth-token", token, "--model", str(folder / MODEL_NAME)]
    serve += ["--credentials", str(write_credentials(folder, token=token))]
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *serve, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, params={"token": token}, timeout=30, trust_env=False) as client:
            await until_up(client)
            yield Served(client, process.pid, time.monotonic() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def misread(client: httpx.AsyncClient, sets: dict[str, list[str]], took: list[float]) -> str:
    """The share of questions that are taken for something else, per set."""
    found = []
    for name, texts in sets.items():
        intents = [str((await parse(client, text, took))["intent"]["name"]) for text in texts]
        wrong = Counter(one for one in intents if one not in READ_AS_QUESTION)
        kinds = ", ".join(f"{intent} {times}" for intent, times in wrong.most_common(3))
        found.append(f"{name}: {wrong.total() / len(texts):.1%} of {len(texts)} ({kinds})")
    return "; ".join(found)


async def until_up(client: httpx.AsyncClient) -> None:
    """Wait for the model, at most a minute."""
    for _ in range(300):
        try:
            if (await client.get("/status")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.2)
    raise TimeoutError("Rasa did not come up")


async def parse(client: httpx.AsyncClient, text: str, took: list[float]) -> dict[str, Any]:
    """What Rasa makes of one message; its time is appended to `took` (seconds)."""
    began = time.perf_counter()
    answer = await client.post("/model/parse", json={"text": text})
    took.append(time.perf_counter() - began)
    parsed: dict[str, Any] = answer.raise_for_status().json()
    return parsed


def held_out_questions() -> list[str]:
    """The sample banks' wordings that are not trained on."""
    found: list[str] = []
    for path in sorted((ROOT / "kb_import" / "samples" / "content").glob("*.yml")):
        bank = yaml.safe_load(path.read_text(encoding="utf-8"))
        asked: Sequence[str] = [text for entry in bank["entries"] for text in entry["asked"]]
        found += [*asked, *bank["unanswerable"]]
    return found


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


if __name__ == "__main__":
    asyncio.run(main())
