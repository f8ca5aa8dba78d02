"""/console/units: how citizens reach each unit, who receives there, and who took over from it."""

from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from bot.base.clock import in_vietnam, now
from bot.contracts.ids import UnitCode
from console.parts.asking import asking, choice_field, text_field
from console.services import ConsoleServices
from console.theme import frame
from console.visit import Visit, enter
from console.wording import has_words
from handoff.account import Account
from handoff.rights import Action
from handoff.unit import Unit, UnitContact, UnitKind, unit_today
from handoff.units import describe_unit, get_contacts, load_units, remove_contact, save_contact, set_heir

SHOWN: Final = 60
PLACES: Final = frozenset({UnitKind.COMMUNE, UnitKind.FORMER_DISTRICT})


def register(services: ConsoleServices) -> None:
    """Add the page."""

    @ui.page("/console/units")
    async def units_page(request: Request) -> RedirectResponse | None:
        visit = await enter(request, services, Action.MANAGE_UNITS)
        if isinstance(visit, RedirectResponse):
            return visit
        with frame(visit, "Đơn vị", here="/console/units"):
            await UnitsPage(visit).refresh()
        return None


class UnitsPage:
    """The list in one administrator's browser."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.database = visit, visit.services.database
        self.words = ""
        ui.label("Bot đọc số điện thoại và thư điện tử ở đây khi người dân hỏi cách liên hệ đơn vị.").classes("c-dim")
        ui.input(placeholder="Tìm đơn vị, xã, phường, huyện cũ", on_change=self._pick_words).props(
            'dense outlined clearable debounce=250 aria-label="Tìm đơn vị"'
        ).mark("unit-words")
        self.list = ui.element("div").classes("c-sheet c-scroll")

    async def refresh(self) -> None:
        """Read and show."""
        async with self.database.transaction() as session:
            units = await load_units(session)
        rows = [one for one in units.values() if matches(one, self.words)]
        rows.sort(key=lambda one: (one.kind in PLACES, one.valid_until is not None, one.short_name))
        self.list.clear()
        with self.list:
            more = f", hiện {SHOWN} đơn vị đầu: gõ tên để tìm" if len(rows) > SHOWN else ""
            ui.label(f"{len(rows)} đơn vị{more}").classes("c-dim")
            with ui.element("table").classes("c-table"):
                with ui.element("thead"), ui.element("tr"):
                    for title in ("Mã", "Đơn vị", "", "Điện thoại", "Thư điện tử", "Giờ làm việc"):
                        with ui.element("th"):
                            ui.label(title)
                with ui.element("tbody"):
                    for one in rows[:SHOWN]:
                        self._row(one, units)

    def _row(self, one: Unit, units: dict[UnitCode, Unit]) -> None:
        today = in_vietnam(now()).date()
        heir = unit_today(units, one.code, today)
        with ui.element("tr"):
            with ui.element("td"):
                ui.label(one.code)
            with ui.element("td"):
                ui.label(one.short_name)
                if not one.is_in_force(today):
                    name = heir.short_name if heir and heir.code != one.code else "chưa có"
                    ui.label(f"đã kết thúc; việc chuyển về: {name}").classes("c-dim")
            with ui.element("td"):
                ui.button("Sửa", on_click=lambda: self._edit(one, units)).props(
                    f'flat dense aria-label="Sửa {one.code}"'
                ).mark(f"edit-{one.code}")
            for text in (one.hotline, one.email, one.hours):
                with ui.element("td"):
                    ui.label(text or "—").classes("" if text else "c-dim")

    async def _edit(self, one: Unit, units: dict[UnitCode, Unit]) -> None:
        today = in_vietnam(now()).date()
        async with self.database.transaction() as session:
            contacts = await get_contacts(session, one.code)
        ended = one.valid_until is not None
        heirs = {each.code: f"{each.short_name} ({each.code})" for each in units.values() if each.is_in_force(today)}
        if one.successor and one.successor in units:
            heirs.setdefault(one.successor, f"{units[one.successor].short_name} ({one.successor})")

        async def work(by: Account) -> None:
            async with self.database.transaction() as session:
                await describe_unit(
                    session,
                    one.code,
                    by,
                    hotline=hotline.value or "",
                    email=email.value or "",
                    hours=hours.value or "",
                    aliases=(aliases.value or "").split(","),
                    now=now(),
                )
                if heir is not None and heir.value and heir.value != one.successor:
                    await set_heir(session, one.code, UnitCode(heir.value), by, now=now())

        async def do() -> bool:
            done = await self.visit.attempt(work, "Đã lưu.")
            if done:
                await self.refresh()
            return done

        with asking(one.name, "Lưu", do, mark="unit"):
            hotline = text_field("Điện thoại cho người dân gọi", value=one.hotline or "", mark="unit-hotline")
            email = text_field("Thư điện tử", value=one.email or "", mark="unit-email")
            hours = text_field("Giờ làm việc", value=one.hours or "", mark="unit-hours")
            aliases = text_field(
                "Tên gọi khác, cách nhau bằng dấu phẩy", value=", ".join(one.aliases), mark="unit-alias"
            )
            heir = None
            if ended:
                heir = choice_field("Việc của đơn vị này nay thuộc về", heirs, value=one.successor, mark="unit-heir")
                if one.kind is UnitKind.FORMER_DISTRICT:
                    ui.label(
                        "Huyện cũ đã chia cho nhiều xã, phường. Khi người dân nêu rõ xã, phường thì phiếu về thẳng nơi "
                        "đó; chỉ khi họ chỉ nêu tên huyện cũ mới về đơn vị chọn ở đây."
                    ).classes("c-dim")
            ContactsEditor(self.visit, one.code, contacts)

    async def _pick_words(self, event: Any) -> None:
        self.words = (event.value or "").strip()
        await self.refresh()


class ContactsEditor:
    """Who receives at a unit; each change is saved at once."""

    def __init__(self, visit: Visit, unit: UnitCode, contacts: tuple[UnitContact, ...]) -> None:
        self.visit, self.unit, self.database = visit, unit, visit.services.database
        ui.label("Đầu mối tiếp nhận (chỉ cán bộ xem)").classes("c-h2")
        self.list = ui.element("div").classes("c-stack")
        with ui.element("div").classes("c-row no-wrap"):
            self.name = text_field("Họ tên", mark="contact-name")
            self.phone = text_field("Điện thoại", mark="contact-phone")
            self.mail = text_field("Thư điện tử", mark="contact-email")
            ui.button(icon="add", on_click=self._add).props('flat aria-label="Thêm đầu mối"').mark("contact-add")
        self._show(contacts)

    def _show(self, contacts: tuple[UnitContact, ...]) -> None:
        self.list.clear()
        with self.list:
            for one in contacts:
                with ui.element("div").classes("f-person"):
                    ui.label(" · ".join(filter(None, (one.full_name, one.hotline, one.email)))).classes("c-grow")
                    ui.button(icon="delete", on_click=lambda one=one: self._remove(one.full_name)).props(
                        'flat dense aria-label="Xoá đầu mối"'
                    )

    async def _refresh(self) -> None:
        async with self.database.transaction() as session:
            self._show(await get_contacts(session, self.unit))

    async def _add(self) -> None:
        async def work(by: Account) -> None:
            async with self.database.transaction() as session:
                await save_contact(
                    session,
                    self.unit,
                    by,
                    full_name=self.name.value or "",
                    hotline=self.phone.value or "",
                    email=self.mail.value or "",
                    now=now(),
                )

        if await self.visit.attempt(work, "Đã lưu đầu mối."):
            for one in (self.name, self.phone, self.mail):
                one.set_value("")
            await self._refresh()

    async def _remove(self, full_name: str) -> None:
        async def work(by: Account) -> None:
            async with self.database.transaction() as session:
                await remove_contact(session, self.unit, full_name, by, now=now())

        await self.visit.attempt(work, "Đã xoá đầu mối.")
        await self._refresh()


def matches(unit: Unit, words: str) -> bool:
    """Are the words in the unit's code or one of its names, with or without marks? Pure."""
    return has_words(words, unit.code, unit.short_name, unit.name, *unit.aliases)
