"""The simulators themselves: deliveries, retries, misbehaviour, controls. A fake that nobody tests is not used."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from tests.simulators.messenger import MessengerSimulator
from tests.simulators.serve import Running
from tests.simulators.zalo import ZaloSimulator

CITIZEN = "1000000000000000001"


class Gateway:
    """Takes webhooks and says what it is told to."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        app = FastAPI()

        @app.post("/webhooks/{name}")
        async def webhook(name: str, request: Request) -> Response:
            self.bodies.append(await request.body())
            self.headers.append(dict(request.headers))
            return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

        @app.get("/webhooks/messenger")
        async def handshake(request: Request) -> Response:
            return Response(request.query_params["hub.challenge"], media_type="text/plain")

        self.running = Running(app)
        self.running.start()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    one = Gateway()
    yield one
    one.running.stop()


def until(true: Callable[[], bool]) -> None:
    """Wait for what happens in other threads; the test's own time-out ends it."""
    while not true():
        time.sleep(0.01)


def test_retries_carry_their_number_and_the_same_body(gateway: Gateway) -> None:
    zalo = ZaloSimulator(gateway=gateway.running.url, ladder_s=(0.01, 0.01, 0.01), patience_s=60).start()
    gateway.statuses = [500, 403, 200]
    zalo.running.call(lambda: zalo.say(CITIZEN, "Chào"))
    until(lambda: len(gateway.bodies) == 3 and zalo.courier.is_idle)
    assert len(set(gateway.bodies)) == 1
    assert [one.get("num_retry") for one in gateway.headers] == [None, "1", "2"]
    zalo.stop()


def test_after_the_last_retry_it_gives_up(gateway: Gateway) -> None:
    zalo = ZaloSimulator(gateway=gateway.running.url, ladder_s=(0.01,), patience_s=60).start()
    gateway.statuses = [500, 500]
    zalo.running.call(lambda: zalo.say(CITIZEN, "Chào"))
    until(lambda: len(zalo.courier.given_up) == 1)
    zalo.stop()


def test_duplicates_and_wrong_order_on_demand(gateway: Gateway) -> None:
    zalo = ZaloSimulator(gateway=gateway.running.url, patience_s=60).start()
    zalo.faults.change({"duplicate_rate": 1.0, "reorder_rate": 0.5})
    for number in range(20):
        zalo.running.call(lambda number=number: zalo.say(CITIZEN, f"tin {number}"))  # type: ignore[misc]
    until(lambda: len(gateway.bodies) == 40 and zalo.courier.is_idle)
    assert len(set(gateway.bodies)) == 20
    first_seen = list(dict.fromkeys(gateway.bodies))
    assert first_seen != sorted(first_seen, key=lambda one: int(one.split(b"tin ")[1].split(b'"')[0]))
    zalo.stop()


def test_batches(gateway: Gateway) -> None:
    meta = MessengerSimulator(gateway=gateway.running.url, patience_s=60).start()
    assert meta.shake_hands()
    meta.faults.change({"batch": 10})
    meta.running.call(lambda: [meta.say(CITIZEN, str(number)) for number in range(25)])
    until(lambda: meta.courier.is_idle and len(gateway.bodies) >= 3)
    assert max(one.count(b'"messaging"') for one in gateway.bodies) == 10
    meta.stop()


@pytest.mark.parametrize("make", [ZaloSimulator, MessengerSimulator])
def test_controls_and_the_citizens_page(make: Callable[[], Any]) -> None:
    simulator = make().start()
    with httpx.Client(base_url=simulator.url, trust_env=False) as browser:
        assert "giả lập" in browser.get("/").text
        assert browser.get("/s.png").content.startswith(b"\x89PNG")
        browser.post("/_sim/say", json={"user": CITIZEN, "text": "Chào"})
        for what in ("follow", "sticker", "location"):
            assert browser.post("/_sim/play", json={"user": CITIZEN, "what": what}).status_code == 200
        browser.post("/_sim/officer", json={"user": CITIZEN, "text": "Cán bộ đây"})
        browser.post("/_sim/see", json={"user": CITIZEN})
        browser.post("/_sim/age", json={"user": CITIZEN, "hours": 3})
        browser.post("/_sim/expire")
        assert browser.post("/_sim/faults", json={"slow_rate": 0.5}).json()["slow_rate"] == 0.5
        said = browser.get("/_sim/messages", params={"user": CITIZEN}).json()
        assert (said[0]["text"], said[0]["from_oa"]) == ("Chào", False)
        assert said[-1]["text"] == "Cán bộ đây"
        assert browser.get("/_sim/messages", params={"after": said[-1]["n"]}).json() == []
        assert browser.get("/_sim/deliveries").json()["idle"] is True
    simulator.stop()


def test_an_unknown_knob_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown"):
        ZaloSimulator().faults.change({"eror_rate": 1})


def test_a_refresh_token_works_once() -> None:
    zalo = ZaloSimulator().start()
    form = {"app_id": zalo.app_id, "grant_type": "refresh_token", "refresh_token": "sim-refresh-0"}
    headers = {"secret_key": zalo.app_secret}
    with httpx.Client(base_url=zalo.url, trust_env=False) as client:
        first = client.post("/v4/oa/access_token", data=form, headers=headers).json()
        again = client.post("/v4/oa/access_token", data=form, headers=headers).json()
        wrong = client.post("/v4/oa/access_token", data=form, headers={"secret_key": "x"}).json()
    assert first["expires_in"] == "90000"
    assert again["error"] < 0
    assert wrong["error"] < 0
    assert "sim-access-0" not in zalo.access
    zalo.stop()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"text": "x" * 2001}, -210),
        ({"text": ""}, -201),
        ({"text": "x", "attachment": {"type": "template", "payload": {"template_type": "list"}}}, -233),
        ({"text": "x", "attachment": {"type": "template", "payload": {"buttons": [{"title": "a"}] * 6}}}, -201),
        ({"text": "x", "attachment": {"type": "template", "payload": {"buttons": [{"title": "a"}]}}}, -201),
        ({"attachment": {"type": "file", "payload": {"token": "old"}}}, -201),
    ],
)
def test_zalo_refuses_what_zalo_refuses(message: dict[str, Any], code: int) -> None:
    zalo = ZaloSimulator().start()
    zalo.running.call(lambda: zalo.say(CITIZEN, "Chào"))
    body = {"recipient": {"user_id": CITIZEN}, "message": message}
    headers = {"access_token": "sim-access-0"}
    answer = httpx.post(f"{zalo.url}/v3.0/oa/message/cs", json=body, headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()["error"]) == (200, code)
    zalo.stop()
