"""The console's front door: mounts every page under /console on the gateway's own FastAPI app."""

import importlib
import importlib.util
from pathlib import Path
from typing import Any, Final

import fastapi
from fastapi.responses import RedirectResponse
from nicegui import app as nicegui_app
from nicegui import core, ui

from console.gate import Gate
from console.pages import (
    accounts,
    entries,
    entry,
    login,
    me,
    password,
    shift,
    short_forms,
    status,
    teach,
    ticket,
    tuning,
    unanswered,
    undelivered,
    units,
    waiting,
)
from console.services import ConsoleServices
from console.session import Sessions, is_same_origin

__all__ = ["ConsoleServices", "mount_console"]

STATIC: Final = Path(__file__).with_name("static")
ICON: Final = (STATIC / "icon.svg").read_text(encoding="utf-8")
PAGES: Final = (
    *(login, password, me, waiting, ticket, undelivered, shift),
    *(unanswered, teach, entries, entry, short_forms),
    *(status, tuning, units, accounts),
)
LATER_PAGES: Final = ("console.pages.imports",)
"""Pages of helpers that may not be installed; each has `register(services)` like all others."""


def mount_console(app: fastapi.FastAPI, services: ConsoleServices, *, storage_secret: str) -> None:
    """Put the console on `app`; call it last, and once a process: NiceGUI answers what no other route did.

    `storage_secret` signs the session cookie. Routes that `app` has already (`/`, `/api`, `/webhooks`, `/healthz`)
    keep working.
    """
    sessions = nicegui_app.state.console_sessions = Sessions(storage_secret, services.https)
    nicegui_app.add_static_files("/console/static", STATIC)
    for page in PAGES:
        page.register(services)
    for name in LATER_PAGES:
        if importlib.util.find_spec(name):
            importlib.import_module(name).register(services)
    nicegui_app.add_middleware(Gate, sessions=sessions)
    nicegui_app.add_api_route("/console/{rest:path}", no_such_page, include_in_schema=False)
    core.sio.eio.cors_allowed_origins = is_socket_from_here
    # No storage_secret for NiceGUI itself: it would write files per browser, and we keep nothing there.
    ui.run_with(
        app,
        title="Tổng đài 1022",
        favicon=ICON,
        dark=None,
        language="vi",
        reconnect_timeout=20.0,
        message_history_length=200,
        binding_refresh_interval=None,
        tailwind=False,
        show_welcome_message=False,
    )


async def no_such_page(rest: str) -> RedirectResponse:
    """A page that does not exist: back to the beginning, rather than a page in another language."""
    return RedirectResponse("/console", status_code=303)


def is_socket_from_here(origin: str | None, environ: dict[str, Any]) -> bool:
    """May a page of this origin open NiceGUI's WebSocket? Every click travels over it, so this is our CSRF check."""
    return is_same_origin(origin, environ.get("HTTP_HOST"), environ.get("HTTP_X_FORWARDED_HOST"))
