"""Damages real files at random and reads each in a process of its own.

    python -m tests.kb_import.fuzz --seconds 600            (a seed of its own, printed)
    python -m tests.kb_import.fuzz --seed 7 --files 2000    (the same files every time)

A file is read, refused, or ends its process by abort or lack of memory, which `read_isolated` turns into a refusal.
Any Python error and any hang is reported with its traceback, the file is kept where `--keep` says, and the run ends
with 1. The last line is JSON: how many were read, refused, aborted, failed, and the peak memory of one in MiB.
"""

import argparse
import io
import json
import os
import random
import resource
import signal
import sys
import time
import traceback
import zipfile
from datetime import date
from pathlib import Path

from kb_import.isolated import limit_this_process
from kb_import.problem import FileRefused
from kb_import.reading import ReadingOrder, read_file
from kb_import.sheet import BOUNDS

SAMPLES = Path(__file__).parents[2] / "kb_import" / "samples"
ORDER = ReadingOrder(date(2026, 11, 24))
LONGEST_S = BOUNDS.seconds + 5
READ, REFUSED, FAILED = 0, 3, 1


def seeds() -> list[bytes]:
    """Whole files of every format, the same bytes in every run."""
    from tests.kb_import.corpus import CASES

    files = [path.read_bytes() for path in sorted(SAMPLES.glob("*.xls"))[:3]]
    return files + [_without_clock(one.build()) for one in CASES if one.refused is None]


def _without_clock(content: bytes) -> bytes:
    """A zip whose members carry no time of writing; anything else as it is."""
    if not content.startswith(b"PK"):
        return content
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for one in old.infolist():
            data = b"<coreProperties/>" if one.filename == "docProps/core.xml" else old.read(one)
            new.writestr(zipfile.ZipInfo(one.filename), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def damage(content: bytes, chance: random.Random) -> bytes:
    """One to eight of: a flipped bit, a run overwritten, cut out, doubled, a length made absurd, the end cut off."""
    out = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        if len(out) < 8:
            break
        at, length = chance.randrange(len(out)), chance.choice((1, 2, 4, 16, 200))
        match chance.randrange(6):
            case 0:
                out[at] ^= 1 << chance.randrange(8)
            case 1:
                out[at : at + length] = chance.randbytes(length)
            case 2:
                del out[at : at + length]
            case 3:
                out[at:at] = out[at : at + length]
            case 4:
                out[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"))
            case _:
                if chance.random() < 0.2:
                    del out[at:]
    return bytes(out)


def read_in_child(content: bytes) -> tuple[int, int]:
    """(how it ended: an exit code, or minus a signal; peak memory in MiB)."""
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            signal.setitimer(signal.ITIMER_REAL, LONGEST_S * 4)  # a busy machine; processor time is limited below
            limit_this_process(BOUNDS)
            read_file(content, ORDER)
            code = READ
        except (FileRefused, MemoryError):
            code = REFUSED
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(code)
    _, status, usage = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss // 1024


def run(seed: int, *, files: int | None, seconds: float, keep: Path | None) -> dict[str, int]:
    """Read damaged files until there were so many, or so much time has passed."""
    chance, whole = random.Random(seed), seeds()
    counts = {"read": 0, "refused": 0, "aborted": 0, "failed": 0, "mib": 0}
    names = {READ: "read", REFUSED: "refused", -signal.SIGABRT: "aborted"}
    ends, number = time.monotonic() + seconds, 0
    while number < files if files is not None else time.monotonic() < ends:
        content = damage(chance.choice(whole), chance)
        how, mib = read_in_child(content)
        counts["mib"] = max(counts["mib"], mib)
        counts[names.get(how, "failed")] += 1
        if how not in names:
            print(f"seed {seed}: file {number} of {len(content)} bytes ended with {how}", file=sys.stderr)
            if keep is not None:
                (keep / f"{seed}-{number}.bin").write_bytes(content)
        number += 1
    return counts


def main() -> int:
    """Run, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--files", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--keep", type=Path, default=None, help="folder for the files that made the reader fail")
    chosen = parser.parse_args()
    seed = random.randrange(10**6) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", file=sys.stderr)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    counts = run(seed, files=chosen.files, seconds=chosen.seconds, keep=chosen.keep)
    print(json.dumps(counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
