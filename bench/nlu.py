"""What the intents cost and how often they mislead: training time, resident memory, parse time, questions misread.

    python -m bench.nlu [--config config.yml …] [--queries FILE.jsonl]

Questions are the sample banks' held-out wordings (`asked:` and `unanswerable:`, none of which is trained on);
`--queries` adds a file with one {"text": …} a line. "Misread" is a question that is given another intent than a
question or "not understood".
"""

import argparse
import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil
import yaml

from actions.sidecar import MODEL_NAME, rasa_environment, train_command, write_credentials

ROOT = Path(__file__).resolve().parent.parent
PYTHON = Path(os.environ.get("RASA_PYTHON") or ROOT / ".venv-rasa" / "bin" / "python")
READ_AS_QUESTION = {"ask_question", "nlu_fallback"}


async def main() -> None:
    """One line of a table per configuration."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--config", type=Path, nargs="+", default=[ROOT / "config.yml"])
    arguments.add_argument("--queries", type=Path)
    chosen = arguments.parse_args()
    sets = {"held out": held_out_questions()}
    if chosen.queries:
        lines = chosen.queries.read_text(encoding="utf-8").splitlines()
        sets[chosen.queries.name] = [str(json.loads(one)["text"]) for one in lines]
    print("| configuration | training s | start s | resident MB | parse p50 ms | p95 ms | misread |")
    print("|---|---|---|---|---|---|---|")
    for config in chosen.config:
        with tempfile.TemporaryDirectory() as folder:
            await measure(config, Path(folder), sets)


async def measure(config: Path, folder: Path, sets: dict[str, list[str]]) -> None:
    """Train, serve, ask one after the other, print."""
    began = time.monotonic()
    command = [str(config) if one == "config.yml" else one for one in train_command(PYTHON, folder)]
    await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env=rasa_environment(ROOT), check=True, capture_output=True
    )
    trained_s = time.monotonic() - began
    port, token = free_port(), secrets.token_hex(8)
    serve = [str(PYTHON), *["-m", "rasa", "run", "--enable-api", "--interface", "127.0.0.1", "--port"], str(port)]
    serve += ["--auth-token", token, "--model", str(folder / MODEL_NAME)]
    serve += ["--credentials", str(write_credentials(folder, token=token))]
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *serve, cwd=ROOT, env=rasa_environment(ROOT), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", params={"token": token}, timeout=30
        ) as client:
            await until_up(client)
            started_s = time.monotonic() - began
            took: list[float] = []
            misread = []
            for name, texts in sets.items():
                intents = [await parse(client, text, took) for text in texts]
                wrong = Counter(one for one in intents if one not in READ_AS_QUESTION)
                kinds = ", ".join(f"{intent} {times}" for intent, times in wrong.most_common(3))
                misread.append(f"{name}: {wrong.total() / len(texts):.1%} of {len(texts)} ({kinds})")
        resident = psutil.Process(process.pid).memory_info().rss / 2**20
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
    took.sort()
    p50, p95 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.95))
    figures = f"{trained_s:.0f} | {started_s:.1f} | {resident:.0f} | {p50:.1f} | {p95:.1f}"
    print(f"| {config.name} | {figures} | {'; '.join(misread)} |", flush=True)


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


async def parse(client: httpx.AsyncClient, text: str, took: list[float]) -> str:
    """The intent of one message; its time is appended to `took` (seconds)."""
    began = time.perf_counter()
    answer = await client.post("/model/parse", json={"text": text})
    took.append(time.perf_counter() - began)
    return str(answer.raise_for_status().json()["intent"]["name"])


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
