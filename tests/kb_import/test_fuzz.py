"""No damaged file crashes the reader, hangs it, or makes it take more than its memory.

The same files in every run; `python -m tests.kb_import.fuzz --seconds 600` looks for new ones.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kb_import.sheet import BOUNDS


def fuzz(seed: int, files: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.kb_import.fuzz", "--seed", str(seed), "--files", str(files)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    counts = json.loads(done.stdout)
    assert counts["read"] > 0
    assert counts["refused"] > 0
    assert counts["read"] + counts["refused"] + counts["aborted"] == files
    assert counts["aborted"] * 50 < files, "the reader's library gives up by abort only now and then"
    assert counts["mib"] * 2**20 <= BOUNDS.memory_bytes


def test_some_damaged_files() -> None:
    fuzz(seed=7, files=300)


@pytest.mark.slow
def test_thousands_of_damaged_files() -> None:
    fuzz(seed=307893, files=8_000)
