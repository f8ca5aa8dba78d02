"""What is known about an account: kept over restarts, shared, told in Vietnamese; and how long one may write."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.clock import now, say_moment
from bot.base.db import Database
from bot.contracts.connector import (
    Allowance,
    Connector,
    CountsMessages,
    KnowsNames,
    MessagingWindow,
    Quota,
    Warns,
    WindowState,
)
from bot.contracts.ids import Channel
from bot.contracts.messages import Author
from connectors.allowance import CLOSED_VI, allowance, allowance_of, say_left
from connectors.condition import (
    BLIND_VI,
    NOTHING_KNOWN,
    QUOTAS_KEPT,
    Condition,
    ConditionStore,
    forget_citizen,
    warnings_for,
    warnings_of,
)
from connectors.later import Later
from connectors.messenger import window as messenger_window
from connectors.messenger.connector import MessengerConnector
from connectors.messenger.enforcement import warnings_for_enforcement
from connectors.refusals import GENUINE_NOTED_EVERY, NOTED_EVERY, Refusals, warnings_for_refused
from connectors.webchat.connector import WebchatConnector
from connectors.zalo import window as zalo_window
from connectors.zalo.connector import ZaloConnector
from tests.connectors.database import connectors_url as connectors_url
from tests.connectors.database import database as database
from tests.connectors.zalo.conftest import CITIZEN, KEY, outbound, settings_for
from tests.simulators.zalo import ZaloSimulator

ZALO = Channel("zalo")
AT = now()
HOUR = timedelta(hours=1)


@pytest.fixture
def zalo() -> Iterator[ZaloSimulator]:
    """The platform, with one citizen who just wrote."""
    simulator = ZaloSimulator().start()
    simulator.running.call(lambda: simulator.say(CITIZEN, "Chào tổng đài"))
    yield simulator
    simulator.stop()


# --- the row ----------------------------------------------------------------------------------------------------------


async def test_another_process_and_a_restart_know_the_same(database: Database) -> None:
    worker, gateway = (ConditionStore(database, ZALO, "app") for _ in range(2))
    assert await gateway.read() == NOTHING_KNOWN
    await worker.change(barred_until=AT + HOUR, barred_for_s=1800)
    await worker.note_trouble("Gói dịch vụ không đủ (mã -224).")
    known = await gateway.read()
    assert (known.barred_until, known.barred_for_s) == (AT + HOUR, 1800)
    assert await ConditionStore(database, ZALO, "app").known() == known == await worker.known()
    assert await ConditionStore(database, ZALO, "another account").known() == NOTHING_KNOWN
    await worker.note_success()
    after = await gateway.read()
    assert (after.barred_until, after.barred_for_s, after.trouble_vi, after.trouble_at) == (None, None, None, None)


async def test_refused_webhooks_of_several_processes_are_counted_together(database: Database) -> None:
    one, other = (ConditionStore(database, ZALO, "app") for _ in range(2))
    await one.note_refused_webhooks(2, AT)
    await other.note_refused_webhooks(3, AT + HOUR / 2)
    known = await one.read()
    assert (known.webhooks_refused, known.webhook_refused_at) == (5, AT + HOUR / 2)
    (said,) = warnings_for_refused(known, "Zalo", "ZALO_OA_SECRET", AT + HOUR)
    assert said.startswith("Zalo: 5 thông báo")
    assert warnings_for_refused(known, "Zalo", "ZALO_OA_SECRET", AT + 2 * HOUR) == ()
    await other.note_genuine_webhook(AT + HOUR)
    assert warnings_for_refused(await one.read(), "Zalo", "ZALO_OA_SECRET", AT + HOUR) == ()


async def test_a_flood_of_rubbish_is_written_now_and_then_only(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ConditionStore(database, ZALO, "app")
    refusals, writes, note = Refusals(store, Later()), list[int](), store.note_refused_webhooks

    async def counted(number: int, at: datetime) -> None:
        writes.append(number)
        await note(number, at)

    monkeypatch.setattr(store, "note_refused_webhooks", counted)
    for number in range(1000):
        refusals.note_refused(AT + NOTED_EVERY * number / 250)
    await refusals.settle()
    assert len(writes) <= 5
    assert (sum(writes), (await store.read()).webhooks_refused) == (1000, 1000)


async def test_genuine_webhooks_are_not_all_written(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ConditionStore(database, ZALO, "app")
    refusals, writes = Refusals(store, Later()), list[datetime]()

    async def counted(at: datetime) -> None:
        writes.append(at)

    monkeypatch.setattr(store, "note_genuine_webhook", counted)
    for number in range(600):
        refusals.note_genuine(AT + timedelta(seconds=number))
    await refusals.settle()
    assert writes == [AT, AT + GENUINE_NOTED_EVERY]
    refusals.note_refused(AT + timedelta(seconds=600))
    refusals.note_genuine(AT + timedelta(seconds=601))
    await refusals.settle()
    assert writes[2:] == [AT + timedelta(seconds=601)]


@pytest.mark.parametrize(("hours", "is_shown"), [(1, True), (24 * 6, True), (24 * 8, False)])
def test_what_meta_announced_is_shown_for_a_week(hours: int, is_shown: bool) -> None:
    known = Condition(enforcement="warning", enforced_at=AT)
    assert bool(warnings_for_enforcement(known, AT + hours * HOUR)) is is_shown


async def test_trouble_keeps_the_time_it_began(database: Database) -> None:
    store = ConditionStore(database, ZALO, "app")
    await store.note_trouble("một")
    began = (await store.known()).trouble_at
    await store.note_trouble("hai")
    assert (await store.known()).trouble_at == began
    assert (await store.known()).trouble_vi == "hai"


async def test_what_does_not_change_is_not_written(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ConditionStore(database, ZALO, "app")
    await store.note_success()
    monkeypatch.setattr(database, "transaction", lambda: pytest.fail("it wrote"))
    await store.note_success()
    await store.note_usage(12, AT)


async def test_a_database_that_is_away_costs_no_message(zalo: ZaloSimulator, database: Database) -> None:
    """Noting is best effort: the citizen has the message, so it must not look as if it had failed."""
    connector = ZaloConnector(settings_for(zalo), database, KEY)
    await connector.tokens.access(now())
    away = Database("postgresql+psycopg://nobody@127.0.0.1:9/none")
    connector.condition = ConditionStore(away, ZALO, "app")
    await connector.send(outbound())
    assert len(zalo.to(CITIZEN)) == 1
    await connector.close()
    await away.close()


async def test_quotas_are_read_forgotten_and_erased(database: Database) -> None:
    store = ConditionStore(database, ZALO, "app")
    for seen_at, left in ((AT, 8), (AT + HOUR, 7)):
        await store.note_quota("1", Quota("reply", seen_at, left, 8, AT + 2 * HOUR))
    await store.note_quota("2", Quota("reply", AT - QUOTAS_KEPT - HOUR))
    await store.note_quota("3", Quota("", AT))
    assert await store.quota("1") == Quota("reply", AT + HOUR, 7, 8, AT + 2 * HOUR)
    await store.forget_old_quotas(AT)
    assert await store.quota("2") is None
    async with database.transaction() as session:
        await forget_citizen(session, ZALO, "3")
    assert await store.quota("3") is None
    assert await store.quota("1") is not None


# --- warnings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (NOTHING_KNOWN, ()),
        (Condition(barred_until=AT + HOUR), (f"Zalo tạm cấm gửi tin; hệ thống thử lại lúc {say_moment(AT + HOUR)}.",)),
        (Condition(barred_until=AT), ()),
        (
            Condition(trouble_vi="Official Account đã bị khoá (mã -204).", trouble_at=AT),
            (f"Zalo từ chối gửi tin từ {say_moment(AT)}: Official Account đã bị khoá (mã -204).",),
        ),
        (
            Condition(quota_kind="sub_quota", quota_left=10, quota_total=100),
            ("Zalo: gói tin sắp hết, còn 10/100 tin.",),
        ),
        (Condition(quota_kind="sub_quota", quota_left=11, quota_total=100), ()),
        (Condition(quota_kind="sub_quota", quota_left=1, quota_total=100, quota_until=AT), ()),
        (Condition(quota_kind="sub_quota", quota_left=0, quota_total=None), ()),
        (
            Condition(usage_percent=93, usage_at=AT - HOUR / 2),
            ("Zalo: đã dùng 93% hạn mức lời gọi, tin có thể đi chậm.",),
        ),
        (Condition(usage_percent=93, usage_at=AT - HOUR), ()),
        (Condition(usage_percent=50, usage_at=AT), ()),
    ],
)
def test_what_is_warned_of(known: Condition, said: tuple[str, ...]) -> None:
    assert warnings_for(known, "Zalo", AT) == said


async def test_every_channel_is_asked_and_a_broken_one_hides_no_other(zalo: ZaloSimulator, database: Database) -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:9/none")
    blind = ZaloConnector(settings_for(zalo), away, KEY)
    bare = ZaloConnector(settings_for(zalo, access_token="", refresh_token=""), database, KEY)
    web = WebchatConnector(database)
    connectors: dict[Channel, Connector] = {Channel("a"): blind, ZALO: bare, Channel("webchat"): web}
    found = await warnings_of(connectors, {Channel("messenger"): "Kênh Messenger đang tắt: chưa đặt …"})
    assert found[Channel("a")] == (BLIND_VI,)
    assert "chưa được cấp quyền" in found[ZALO][0]
    assert found[Channel("messenger")] == ("Kênh Messenger đang tắt: chưa đặt …",)
    assert Channel("webchat") not in found
    for one in (blind, bare):
        await one.close()
    await away.close()


def test_the_platforms_fulfil_the_optional_contracts() -> None:
    for wanted in (ZaloConnector, MessengerConnector):
        for name in ("warnings", "citizen_name"):
            assert callable(getattr(wanted, name))
    assert issubclass(ZaloConnector, Warns)
    assert issubclass(ZaloConnector, CountsMessages)
    assert issubclass(ZaloConnector, KnowsNames)
    assert issubclass(MessengerConnector, Warns)
    assert issubclass(MessengerConnector, KnowsNames)
    assert not issubclass(MessengerConnector, CountsMessages)
    assert not issubclass(WebchatConnector, Warns | KnowsNames)


# --- how long one may write -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(0), "1 phút"),
        (timedelta(minutes=12, seconds=59), "12 phút"),
        (timedelta(hours=5, minutes=20), "5 giờ 20 phút"),
        (timedelta(hours=2), "2 giờ"),
        (timedelta(days=3, hours=4, minutes=9), "3 ngày 4 giờ"),
        (timedelta(days=6), "6 ngày"),
    ],
)
def test_say_left(left: timedelta, said: str) -> None:
    assert say_left(left) == said


def test_what_an_operator_reads() -> None:
    wrote = AT - timedelta(hours=1)
    ends = f"Còn nhắn được đến {say_moment(wrote + timedelta(days=7))} (6 ngày 23 giờ nữa)."
    free = f"Miễn phí đến {say_moment(wrote + timedelta(hours=48))}."
    fresh = allowance_of(zalo_window.window(wrote, Author.OPERATOR, AT), None, AT)
    assert (fresh.vi, fresh.is_urgent) == (f"{ends} {free}", False)

    paid = zalo_window.window(AT - timedelta(hours=50), Author.OPERATOR, AT)
    assert allowance_of(paid, Quota("", AT), AT).vi.endswith(
        "Đã quá 48 giờ: tin bị trừ vào gói hoặc tính phí. Tin gần nhất bị tính phí."
    )
    counted = allowance_of(paid, Quota("reply", AT, 1, 8, AT + HOUR), AT)
    assert counted.vi.endswith("Nền tảng còn cho gửi 1/8 tin.")
    assert counted.is_urgent
    assert "Nền tảng" not in allowance_of(paid, Quota("reply", AT, 1, 8, AT), AT).vi  # that count is over

    late = messenger_window.window(AT - timedelta(hours=23), Author.OPERATOR, AT)
    assert allowance_of(late, None, AT).is_urgent
    people = messenger_window.window(AT - timedelta(hours=30), Author.OPERATOR, AT, human_agent=True)
    assert allowance_of(people, None, AT).vi.endswith("Đã quá 24 giờ: chỉ cán bộ được nhắn, bot thì không.")
    closed = messenger_window.window(AT - timedelta(hours=30), Author.OPERATOR, AT)
    assert allowance_of(closed, None, AT) == Allowance(closed, None, CLOSED_VI, is_urgent=True)
    assert allowance_of(MessagingWindow(WindowState.OPEN), None, AT).vi == ""


@given(hours=st.floats(0, 400), left=st.none() | st.integers(0, 9), author=st.sampled_from(Author))
def test_an_allowance_never_says_more_than_its_window(hours: float, left: int | None, author: Author) -> None:
    for window in (
        zalo_window.window(AT - hours * HOUR, author, AT),
        messenger_window.window(AT - hours * HOUR, author, AT, human_agent=True),
    ):
        found = allowance_of(window, Quota("reply", AT, left), AT)
        assert found.window is window
        assert (found.vi == CLOSED_VI) is (window.state is WindowState.CLOSED)
        assert found.vi.endswith(".")


async def test_the_query_for_the_console(zalo: ZaloSimulator, database: Database) -> None:
    connector = ZaloConnector(settings_for(zalo), database, KEY)
    ask = (connector, CITIZEN, AT - timedelta(hours=50), Author.OPERATOR, AT)
    assert (await allowance(*ask)).quota is None
    zalo.age(CITIZEN, hours=50)
    await connector.send(outbound(last_inbound_at=AT - timedelta(hours=50)))
    charged = await allowance(*ask)
    assert charged.quota is not None
    assert charged.quota.kind == ""
    assert "Tin gần nhất bị tính phí." in charged.vi
    zalo.age(CITIZEN, hours=1)
    zalo.quota = {"quota_type": "reply", "remain": 5, "total": 8}
    await connector.send(outbound())
    assert "Nền tảng còn cho gửi 5/8 tin." in (await allowance(*ask)).vi
    zalo.quota = {"quota_type": "sub_quota", "remain": 40, "total": 2000}
    await connector.send(outbound())
    assert "Zalo: gói tin sắp hết, còn 40/2000 tin." in await connector.warnings()
    webchat = await allowance(WebchatConnector(database), "x", None, Author.OPERATOR, AT)
    assert (webchat.vi, webchat.is_urgent) == ("", False)
    await connector.close()
