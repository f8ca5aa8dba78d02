"""The frame around every page: head, navigation by role, and the sound and badge of whoever waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from nicegui import ui

from bot.base.clock import now
from bot.conversation.overview import load_undelivered
from console.live import News, follow
from console.parts.alarms import alarms
from console.visit import LOGIN, Visit, load_account
from handoff.logins import LOGINS
from handoff.reading import load_waiting_for
from handoff.rights import Action
from handoff.role import ROLE_VI, Role
from handoff.ticket import AT_UNIT, Priority, State

LOOK: Final = """
<link rel="stylesheet" href="/console/static/console.css">
<script src="/console/static/console.js" defer></script>
"""
BADGE_LIMIT: Final = 200
NEEDS_DESK: Final = frozenset({State.WAITING, State.SENT_BACK})
NEEDS_UNIT: Final = AT_UNIT


@dataclass(frozen=True, slots=True)
class Entrance:
    """A line of the navigation."""

    path: str
    title: str
    icon: str
    action: Action
    roles: frozenset[Role] = frozenset(Role)


ENTRANCES: Final = (
    Entrance("/console", "Hàng chờ", "inbox", Action.READ),
    Entrance("/console/undelivered", "Chưa gửi được", "phone_forwarded", Action.CALL),
    Entrance("/console/shift", "Giao ca", "sticky_note_2", Action.TAKE_OVER),
    Entrance("/console/unanswered", "Chưa trả lời được", "help_center", Action.TEACH),
    Entrance("/console/entries", "Mục hỏi đáp", "menu_book", Action.TEACH),
    Entrance("/console/short-forms", "Viết tắt", "short_text", Action.TEACH),
    Entrance("/console/imports", "Nạp bộ câu hỏi", "upload_file", Action.TEACH, frozenset({Role.EDITOR, Role.ADMIN})),
    Entrance("/console/status", "Tình hình", "insights", Action.READ, frozenset({Role.SUPERVISOR, Role.ADMIN})),
    Entrance("/console/tuning", "Độ chắc của bot", "tune", Action.TUNE),
    Entrance("/console/units", "Đơn vị", "apartment", Action.MANAGE_UNITS),
    Entrance("/console/accounts", "Tài khoản", "group", Action.MANAGE_ACCOUNTS),
)


COUNTED: Final = {"/console": "c-waiting", "/console/undelivered": "c-undelivered"}
"""Lines with a number, and its element's id (see console.js)."""


@contextmanager
def frame(visit: Visit, title: str, *, here: str, wide: bool = False) -> Iterator[None]:
    """The page's surroundings; what is built inside the block is its body. `here` is the navigation line it is in."""
    ui.page_title(f"{title} · 1022")
    ui.add_head_html(LOOK)
    ui.colors(primary="#0b57a4", secondary="#475569", accent="#0b7285", positive="#1b7f3b", negative="#c62828")
    with ui.left_drawer(bordered=True).props("width=232 breakpoint=900").classes("c-nav").mark("nav") as drawer:
        _navigation(visit, here)
    with ui.header(bordered=True).classes("c-head"):
        ui.button(icon="menu", on_click=drawer.toggle).props('flat round dense aria-label="Mở danh mục"').classes(
            "c-menu"
        )
        ui.label(title).classes("c-title").props("role=heading aria-level=1")
        ui.space()
        ui.button(icon="volume_up").props('flat round dense aria-label="Bật tắt âm báo"').classes("c-sound").on(
            "click", js_handler="() => console1022.toggleSound()"
        )
        _who(visit)
    with ui.element("div").classes("c-body c-wide" if wide else "c-body"):
        alarms(visit)
        yield
    _watch_login(visit)
    if visit.may(Action.READ):
        _watch_queue(visit)


def _navigation(visit: Visit, here: str) -> None:
    with ui.element("div").classes("c-brand"):
        ui.element("span").classes("c-logo").props("aria-hidden=true")
        with ui.element("div"):
            ui.label("Tổng đài 1022").classes("c-brand-name")
            ui.label("Bảng làm việc").classes("c-dim")
    with ui.element("nav").props('aria-label="Danh mục"'):
        for one in ENTRANCES:
            if visit.may(one.action) and visit.account.role in one.roles:
                current = ' aria-current="page"' if one.path == here else ""
                with ui.element("a").props(f'href="{one.path}"{current}').classes("c-link").mark(f"nav-{one.path}"):
                    ui.icon(one.icon).props("aria-hidden=true")
                    ui.label(one.title)
                    if one.path in COUNTED:
                        ui.element("span").classes("c-count").props(f'id="{COUNTED[one.path]}" hidden')


def _who(visit: Visit) -> None:
    unit = visit.account.unit
    unit_name = visit.services.engine.unit_names.get(unit, unit) if unit else None
    with ui.element("a").classes("c-who").props('href="/console/me" title="Phiên đăng nhập, đổi mật khẩu"'):
        ui.label(visit.account.display_name).classes("c-who-name").mark("who")
        ui.label(" · ".join(filter(None, (ROLE_VI[visit.account.role], unit_name)))).classes("c-dim")
    # A plain form: the cookie can only be taken away by a response to the browser.
    with (
        ui.element("form").props('method="post" action="/console/logout"'),
        ui.element("button").props('type="submit" aria-label="Đăng xuất"').classes("c-out").mark("log-out"),
    ):
        ui.icon("logout").props("aria-hidden=true")
        ui.tooltip("Đăng xuất")


def _watch_login(visit: Visit) -> None:
    """Whoever is logged out elsewhere sees nothing more here, although nobody clicks."""

    async def look(news: list[News]) -> None:
        if not any(one.get("account") in {None, visit.account.id} for one in news):
            return
        if await load_account(visit.services, visit.signed_in) is None:
            ui.navigate.to(LOGIN)

    follow(visit.services.listener, [LOGINS], look)


def _watch_queue(visit: Visit) -> None:
    """Keep title, tab icon and navigation at the number of people who wait for this person; sound when it grows."""
    states = NEEDS_UNIT if visit.account.role is Role.UNIT_OFFICER else NEEDS_DESK

    async def count(_: list[News] | None = None) -> None:
        async with visit.services.database.transaction() as session:
            waiting = await load_waiting_for(session, visit.account, now=now(), states=states, limit=BADGE_LIMIT)
            urgent = sum(one.priority is Priority.EMERGENCY for one in waiting)
            stuck = len(await load_undelivered(session)) if visit.may(Action.CALL) else 0
        ui.run_javascript(f"console1022.waiting({len(waiting)}, {urgent}); console1022.undelivered({stuck})")

    follow(visit.services.listener, ["tickets", "delivery_trouble"], count)
    ui.timer(0.1, count, once=True)
