"""What tests and the citizen's page use to play with a simulator; no part of any platform."""

from typing import Annotated, Any, Protocol

from fastapi import FastAPI, Query
from fastapi.responses import HTMLResponse, Response

from tests.simulators import page
from tests.simulators.courier import Courier
from tests.simulators.faults import Faults

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f0003860180"
    "5a348b6f0000000049454e44ae426082"
)
"""A PNG of one point: what stickers of the simulated citizens look like."""


class Platform(Protocol):
    """What both simulators can do."""

    faults: Faults
    courier: Courier
    messages: list[Any]

    def say(self, user: str, text: str) -> str: ...
    def press(self, user: str, message_id: str, title: str) -> str: ...
    def officer_says(self, user: str, text: str) -> str: ...
    def see(self, user: str) -> None: ...
    def age(self, user: str, hours: float) -> None: ...
    def play(self, user: str, what: str) -> str: ...
    def expire_tokens(self) -> None: ...


def add(app: FastAPI, platform: Platform, title: str) -> None:
    """Put `/` and `/_sim/…` on a simulator."""

    @app.get("/", response_class=HTMLResponse)
    async def citizen() -> str:
        return page.html(title)

    @app.get("/s.png")
    async def sticker() -> Response:
        return Response(PIXEL, media_type="image/png")

    @app.get("/_sim/messages")
    async def messages(user: Annotated[str, Query()] = "", after: int = 0) -> list[dict[str, Any]]:
        shown = [{"n": n, **vars(one)} for n, one in enumerate(platform.messages, start=1)]
        return [one for one in shown if one["n"] > after and user in ("", one["user"])]

    @app.post("/_sim/say")
    async def say(said: dict[str, Any]) -> dict[str, str]:
        return {"id": platform.say(str(said["user"]), str(said["text"]))}

    @app.post("/_sim/press")
    async def press(pressed: dict[str, Any]) -> dict[str, str]:
        return {"id": platform.press(str(pressed["user"]), pressed["message"], pressed["title"])}

    @app.post("/_sim/play")
    async def play(told: dict[str, Any]) -> dict[str, str]:
        return {"id": platform.play(str(told["user"]), str(told["what"]))}

    @app.post("/_sim/officer")
    async def officer(said: dict[str, Any]) -> dict[str, str]:
        return {"id": platform.officer_says(str(said["user"]), str(said["text"]))}

    @app.post("/_sim/see")
    async def see(told: dict[str, Any]) -> dict[str, str]:
        platform.see(str(told["user"]))
        return {}

    @app.post("/_sim/age")
    async def age(told: dict[str, Any]) -> dict[str, str]:
        platform.age(str(told["user"]), float(told["hours"]))
        return {}

    @app.post("/_sim/faults")
    async def faults(wanted: dict[str, Any]) -> dict[str, Any]:
        return platform.faults.change(wanted)

    @app.post("/_sim/expire")
    async def expire() -> dict[str, str]:
        platform.expire_tokens()
        return {}

    @app.get("/_sim/deliveries")
    async def deliveries() -> dict[str, Any]:
        took = sorted(one.took_s for one in platform.courier.attempts)
        statuses = [one.status for one in platform.courier.attempts]
        return {
            "idle": platform.courier.is_idle,
            "attempts": len(took),
            "ok": statuses.count(200),
            "p50_ms": took[len(took) // 2] * 1000 if took else None,
            "p99_ms": took[int(len(took) * 0.99)] * 1000 if took else None,
            "given_up": len(platform.courier.given_up),
        }
