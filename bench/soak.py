"""`make soak`: minutes with misbehaving platforms and kills; prints what was lost, answered twice or out of order.

Platforms: 10 % of our calls fail, 2 % are carried out but never answered, 5 % of the webhooks come twice, 5 % of them
after their successor, Zalo's access token expires in the middle. The gateway is killed twice (kill -9).
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.ports import free_port
from tests.scenarios.crowd import Crowd
from tests.scenarios.house import House, eventually, opened
from tests.scenarios.ledger import Tally, audit, open_work
from tests.simulators.faults import Faults
from tests.simulators.messenger import MessengerSimulator
from tests.simulators.zalo import ZaloSimulator

CITIZENS = {"webchat": 20, "zalo": 20, "messenger": 20}
BETWEEN_S = (10.0, 30.0)
FAULTS = {
    "http_error_rate": 0.05,
    "code_rate": 0.05,
    "hang_rate": 0.02,
    "hang_s": 15.0,
    "duplicate_rate": 0.05,
    "reorder_rate": 0.05,
}
LADDER_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0, 30.0)
"""Seconds between a platform's repeats of a webhook; the real ones wait up to an hour."""
SETTLE_S = 1200.0
"""How long the last retries may take; Zalo's "too many calls" alone asks for a minute each time."""
console = Console()


def main() -> int:
    """Exit code 0 if every message was answered once and in order."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=10.0)
    options.add_argument("--details", action="store_true", help="print every finding")
    chosen = options.parse_args()
    port = free_port()
    gateway = f"http://127.0.0.1:{port}"
    zalo = ZaloSimulator(gateway=gateway, ladder_s=LADDER_S).start()
    messenger = MessengerSimulator(gateway=gateway, ladder_s=LADDER_S).start()
    try:
        with tempfile.TemporaryDirectory(prefix="tongdai-soak-", ignore_cleanup_errors=True) as folder:
            settings = {**zalo.environment(), **messenger.environment(), "TONGDAI_LOG_LEVEL": "WARNING"}
            console.print("Khởi động…")
            with opened(Path(folder), settings, port=port) as house:
                tally = asyncio.run(soak(house, zalo, messenger, chosen.minutes))
    finally:
        zalo.stop()
        messenger.stop()
    if chosen.details:
        for finding in (*tally.lost, *tally.twice, *tally.out_of_order):
            console.print(finding, markup=False, highlight=False)
    return 0 if tally.clean else 1


async def soak(house: House, zalo: ZaloSimulator, messenger: MessengerSimulator, minutes: float) -> Tally:
    """Let the crowd write for `minutes`, with all that goes wrong; then wait for the last retry and count."""
    for platform in (zalo, messenger):
        platform.faults.change(FAULTS)
    each = max(2, round(minutes * 60 / (sum(BETWEEN_S) / 2)))
    crowd = Crowd(house.url, zalo, messenger, CITIZENS, messages_each=each, between_s=BETWEEN_S)
    console.print(f"{crowd.whole} tin nhắn của {sum(CITIZENS.values())} người dân trong khoảng {minutes:g} phút…")
    started = time.monotonic()
    everybody = asyncio.create_task(crowd.run())
    await crowd.until(crowd.whole // 3)
    await asyncio.to_thread(house.kill, "gateway")
    await crowd.until(crowd.whole // 2)
    zalo.running.call(zalo.expire_tokens)
    await crowd.until(crowd.whole * 2 // 3)
    await asyncio.to_thread(house.kill, "gateway")
    await everybody
    wrote_s = time.monotonic() - started
    console.print(f"Đã viết xong sau {wrote_s:.0f} giây; chờ các lần gửi lại cuối cùng…")

    def settled() -> bool:
        return zalo.courier.is_idle and messenger.courier.is_idle and open_work(house) == 0

    try:
        await asyncio.to_thread(eventually, "settled", settled, seconds=SETTLE_S, every_s=1.0)
    except AssertionError:
        console.print("Còn tin chưa xong: được tính là mất.", style="red")
    settle_s = time.monotonic() - started - wrote_s
    for platform in (zalo, messenger):
        platform.faults.change(asdict(Faults()))
    whole = audit(house, crowd.spoken, (zalo, messenger))
    _print(house, crowd, (zalo, messenger), whole, wrote_s, settle_s)
    return whole


def _print(
    house: House,
    crowd: Crowd,
    platforms: Sequence[ZaloSimulator | MessengerSimulator],
    whole: Tally,
    wrote_s: float,
    settle_s: float,
) -> None:
    table = Table(title=f"Soak: {wrote_s:.0f} s writing, {settle_s:.0f} s until the last retry; gateway killed twice")
    for title in ("", "messages", "answered", "with a ticket", "lost", "answered twice", "out of order"):
        table.add_column(title, justify="left" if not title else "right")
    by_name = {one.name: one for one in platforms}
    for channel in crowd.citizens:
        mine = [one for one in crowd.spoken if one.channel == channel]
        tally = audit(house, mine, [by_name[channel]] if channel in by_name else [])
        table.add_row(channel, *_numbers(tally))
    table.add_row("all", *_numbers(whole), style="bold")
    console.print(table)
    for one in platforms:
        attempts = list(one.courier.attempts)
        refused = sum(attempt.status != 200 for attempt in attempts)
        console.print(
            f"{one.name}: {len(attempts)} webhook deliveries ({refused} refused or cut off), "
            f"{len(one.courier.given_up)} given up, {sum(said.from_oa for said in one.messages)} messages shown",
            highlight=False,
        )
    retried, uncertain = house.sql(
        "select count(*) filter (where attempts > 0), count(*) filter (where status = 'uncertain') "
        "from messages where direction = 'out'"
    )[0]
    console.print(f"Messages that were sent again: {retried}; still uncertain: {uncertain}", highlight=False)


def _numbers(tally: Tally) -> list[str]:
    found = (tally.spoken, tally.answered, tally.ticketed, *map(len, (tally.lost, tally.twice, tally.out_of_order)))
    return [str(one) for one in found]


if __name__ == "__main__":
    sys.exit(main())
