"""Pages that change by themselves: follow news while the browser is there."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import structlog
from nicegui import Client, background_tasks, ui

from bot.base.notify import Listener

log = structlog.get_logger(__name__)
TOGETHER_S = 0.15
"""News that come within this time are looked at together: one reading of the rows for all."""

News = dict[str, Any]


def follow(listener: Listener, topics: Sequence[str], on_news: Callable[[list[News]], Awaitable[None]]) -> None:
    """Call `on_news` whenever something happens in one of `topics`, until this page's browser is gone.

    Called inside a page. News of topic "reconnected" mean: some may have been missed, look at the rows.
    """
    client = ui.context.client
    task = background_tasks.create(_follow(listener, topics, on_news, client), name=f"follow {topics}")
    client.on_delete(lambda: task.cancel())


async def _follow(
    listener: Listener, topics: Sequence[str], on_news: Callable[[list[News]], Awaitable[None]], client: Client
) -> None:
    async with AsyncExitStack() as stack:
        queues = [await stack.enter_async_context(listener.subscribe(topic)) for topic in topics]
        while True:
            await _any(queues)
            await asyncio.sleep(TOGETHER_S)
            news: list[News] = []
            for queue in queues:
                while not queue.empty():
                    news.append(queue.get_nowait())
            try:
                with client:
                    await on_news(news)
            except Exception:
                log.exception("console.page_not_updated")  # the next news tries again


async def _any(queues: Sequence[asyncio.Queue[News]]) -> None:
    """Wait until one of the queues has something; what it has stays there."""
    if any(not queue.empty() for queue in queues):
        return
    getting = [asyncio.ensure_future(queue.get()) for queue in queues]
    try:
        done, _ = await asyncio.wait(getting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in getting:
            one.cancel()
    for queue, one in zip(queues, getting, strict=True):
        if one in done:
            queue.put_nowait(one.result())
