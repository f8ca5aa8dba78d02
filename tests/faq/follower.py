"""A process of the house that only answers: the real parts of a worker, told by notification what is published.

    python tests/faq/follower.py DATABASE_URL DATA_DIR

Says "ready" with its generation; then, for every line it reads, a question, one line of JSON: what it answers, from
which generation. The line "until N" waits for generation N first.
"""

import asyncio
import json
import sys
from datetime import date
from pathlib import Path

from bot.app import build_house, opened
from bot.base.settings import HouseSettings
from faq.decide import Answer

TODAY = date(2026, 11, 24)


async def main(url: str, folder: Path) -> None:
    """Answer questions from standard input."""
    house = build_house(HouseSettings(database_url=url, tongdai_data_dir=folder), pool_size=2)
    async with opened(house):
        print(json.dumps({"ready": house.engine.generation}), flush=True)
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            if line.startswith("until "):
                while house.engine.generation < int(line.removeprefix("until ")):  # noqa: ASYNC110 - nobody is told
                    await asyncio.sleep(0.01)
                print(json.dumps({"generation": house.engine.generation}), flush=True)
                continue
            decision = await house.engine.ask(line, today=TODAY)
            said = decision.entry.draft.answer if isinstance(decision, Answer) else None
            print(json.dumps({"generation": decision.evidence.generation, "answer": said}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
