"""Chromium for tests, as patient as a machine needs on which other things run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, BrowserContext, async_playwright, expect

CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS: Final = 60_000
"""How long a test waits for what must come before it gives up. Playwright's own five seconds are too few."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser without a window. From here on every `expect` is patient."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        one = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE_MS)
        yield one
        await one.close()


def be_patient(context: BrowserContext) -> BrowserContext:
    """Clicks and page loads of this context wait as long as `expect` does."""
    context.set_default_timeout(PATIENCE_MS)
    return context
