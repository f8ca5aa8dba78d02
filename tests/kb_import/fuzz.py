"""Damages real files at random and reads each in a process of its own: `python -m tests.kb_import.fuzz SECONDS SEED`.

A file is read, refused, or ends its process by abort or lack of memory, which `read_isolated` turns into a refusal. Any
Python error and any hang ends the run with 1. Prints how many were read, refused, aborted, and the peak memory in MiB.
"""

import os
import random
import resource
import signal
import sys
import time
from datetime import date
from pathlib import Path

from kb_import.isolated import limit_this_process
from kb_import.problem import FileRefused
from kb_import.reading import ReadingOrder, read_file
from kb_import.sheet import BOUNDS

SAMPLES = Path(__file__).parents[2] / "kb_import" / "samples"
ORDER = ReadingOrder(date(2026, 11, 24))
LONGEST_S = 20
READ, REFUSED, ERROR = 0, 3, 1


def seeds() -> list[bytes]:
    """Whole files of every format."""
    from tests.kb_import.corpus import CASES

    files = [path.read_bytes() for path in sorted(SAMPLES.glob("*.xls"))[:3]]
    return files + [one.build() for one in CASES if one.refused is None]


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
    child = os.fork()
    if child == 0:
        code = ERROR
        try:
            signal.alarm(LONGEST_S)
            limit_this_process(BOUNDS)
            read_file(content, ORDER)
            code = READ
        except (FileRefused, MemoryError):
            code = REFUSED
        except BaseException as error:
            sys.stdout.write(f"{type(error).__name__}: {error}\n")
            sys.stdout.flush()
        os._exit(code)
    _, status, usage = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss // 1024


def main(seconds: float, seed: int) -> int:
    chance = random.Random(seed)
    files = seeds()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ends, counts, peak = time.monotonic() + seconds, {READ: 0, REFUSED: 0, -signal.SIGABRT: 0}, 0
    while time.monotonic() < ends:
        content = damage(chance.choice(files), chance)
        how, memory = read_in_child(content)
        peak = max(peak, memory)
        if how not in counts:
            sys.stderr.write(f"seed {seed}: file {sum(counts.values())} of {len(content)} bytes ended with {how}\n")
            return 1
        counts[how] += 1
    print(*counts.values(), peak)
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2])))
