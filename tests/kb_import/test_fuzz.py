"""No damaged file crashes the reader, hangs it, or makes it take more than its memory."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

MOST_MIB = 500


def fuzz(seconds: int) -> None:
    seed = random.randrange(10**6)
    done = subprocess.run(
        [sys.executable, "-m", "tests.kb_import.fuzz", str(seconds), str(seed)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=seconds + 120,
        check=False,
    )
    assert done.returncode == 0, f"seed {seed}: {done.stdout[-500:]} {done.stderr[-2000:]}"
    read, refused, aborted, peak = map(int, done.stdout.split())
    assert read > 0
    assert refused > 0
    assert aborted * 50 < read + refused, "the reader's library gives up by abort only now and then"
    assert peak < MOST_MIB


def test_damaged_files_for_a_moment() -> None:
    fuzz(5)


@pytest.mark.slow
def test_damaged_files_for_a_minute() -> None:
    fuzz(60)
