"""Scenes that are only described, and near-misses: what words, the intent, and the meaning of the sentence find.

    python -m bench.emergencies [--round third] [--show]

The sentences are those of tests/bot/conversation/scenes.yml, in every spelling. The third, the fifth and the sixth
round are not among the intents' examples. Nothing is searched for: in the house a confident answer from the question
bank also keeps a wavering intent from raising the alarm.
"""

import argparse
import asyncio
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from actions.sidecar import rasa_environment, train_command
from bench.nlu import PYTHON, ROOT, parse, serving
from bot.conversation.emergency import INTENT, find_emergency, sure_enough
from bot.conversation.scenes import Scenes
from faq.embed import load_untaught
from faq.settings import FaqSettings
from tests.bot.conversation.measure import spelled

SENTENCES = ROOT / "tests" / "bot" / "conversation" / "scenes.yml"
WAYS = ("words", "intent", "words or intent", "words or intent, and the meaning where it wavers")
ROUNDS = ("first", "second", "third", "fourth", "fifth", "sixth")
Verdicts = tuple[bool, bool, bool, bool]


def sentences(name: str) -> list[tuple[str, bool]]:
    """Of one round: each sentence, and whether it is an emergency."""
    rounds: dict[str, Any] = yaml.safe_load(SENTENCES.read_text(encoding="utf-8"))
    groups = [(part == "emergencies", texts) for part, each in rounds[name].items() for texts in each.values()]
    return [(text, emergency) for emergency, texts in groups for text in texts]


async def judge(parsed: dict[str, Any], scenes: Scenes, text: str) -> Verdicts:
    """Is `text` an emergency, by each of WAYS?"""
    sure = max((float(one["confidence"]) for one in parsed["intent_ranking"] if one["name"] == INTENT), default=0.0)
    words, by_intent = find_emergency(text) is not None, sure >= sure_enough(text)
    by_both = await scenes.confidence(text, sure) >= sure_enough(text)
    return words, by_intent, words or by_intent, words or by_both


def rows(spelling: str, judged: list[tuple[str, bool, Verdicts]]) -> Iterator[str]:
    """The table's lines for one spelling."""
    for at, way in enumerate(WAYS):
        missed = [not verdicts[at] for _, emergency, verdicts in judged if emergency]
        alarms = [verdicts[at] for _, emergency, verdicts in judged if not emergency]
        figures = " | ".join(f"{sum(one)} of {len(one)} ({sum(one) / len(one):.1%})" for one in (missed, alarms))
        yield f"| {spelling} | {way} | {figures} |"


async def main() -> None:
    """Train, serve, judge, print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--round", default="third", choices=ROUNDS)
    arguments.add_argument("--show", action="store_true", help="also print what the last way misjudges")
    chosen = arguments.parse_args()
    scenes, environment = Scenes(load_untaught(FaqSettings())), rasa_environment(ROOT)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        command = train_command(PYTHON, folder)
        await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=environment, check=True, capture_output=True)
        async with serving(folder, environment) as served:
            print("| spelling | found by | missed | false alarms |\n|---|---|---:|---:|")
            for spelling in dict(spelled("")):
                judged = []
                for text, emergency in sentences(chosen.round):
                    written = dict(spelled(text))[spelling]
                    parsed = await parse(served.client, written, [])
                    judged.append((written, emergency, await judge(parsed, scenes, written)))
                print("\n".join(rows(spelling, judged)), flush=True)
                for written, emergency, verdicts in judged if chosen.show else ():
                    if verdicts[-1] is not emergency:
                        print(f"  {'missed' if emergency else 'alarm'}: {written}")


if __name__ == "__main__":
    asyncio.run(main())
