"""Every error code of PROTOCOLS.md 1.9, in that document's order, and what becomes of a message that meets it."""

from dataclasses import dataclass

import httpx
import pytest

from bot.base.clock import now
from bot.base.db import Database
from bot.contracts.errors import Action, GiveUp, NotYet, RetryLater
from connectors.zalo.connector import ZaloConnector
from connectors.zalo.errors import CODES, failure_for, meaning_of
from tests.connectors.zalo.conftest import CITIZEN, KEY, outbound, settings_for
from tests.simulators.zalo import ZaloSimulator


@dataclass(frozen=True)
class Line:
    """One code of the document. `told`: what the outbox is told."""

    code: int
    told: Action | type[RetryLater]
    tries: int | None = None


RETRY, LATER, STOP, FIX, OPERATOR, WINDOW = RetryLater, NotYet, Action.STOP, Action.FIX, Action.OPERATOR, Action.WINDOW
REFRESH = OPERATOR
"""After one refresh and one repeat; that there is exactly one is tested below."""

OA = (
    Line(-32, LATER),  # RETRY from next minute
    Line(-100, FIX),  # re-upload, retry once: a text has nothing to upload again
    Line(-200, RETRY, tries=4),  # RETRY ≤ 3, then OPERATOR
    Line(-201, FIX),
    Line(-202, FIX),
    Line(-215, FIX),
    Line(-204, OPERATOR),
    Line(-205, OPERATOR),
    Line(-209, OPERATOR),
    Line(-210, FIX),
    Line(-211, OPERATOR),
    Line(-212, OPERATOR),
    Line(-213, STOP),
    Line(-214, RETRY),
    Line(-216, REFRESH),
    Line(-217, STOP),
    Line(-218, STOP),
    Line(-219, OPERATOR),
    Line(-220, REFRESH),
    Line(-221, OPERATOR),
    Line(-224, OPERATOR),
    Line(-223, OPERATOR),
    Line(-227, STOP),
    Line(-230, WINDOW),
    Line(-231, WINDOW),
    Line(-232, WINDOW),
    Line(-233, FIX),  # fall back to plain text; a plain text has nothing to fall back to
    Line(-234, LATER),  # 06:05
    Line(-235, OPERATOR),
    Line(-237, OPERATOR),
    Line(-238, OPERATOR),
    Line(-241, OPERATOR),
    Line(-240, FIX),
    Line(-242, OPERATOR),
    Line(-244, STOP),
    Line(-248, OPERATOR),  # FIX, OPERATOR: a person must look at the words
    Line(-249, FIX),
    Line(-305, WINDOW),
    Line(-311, WINDOW),
    Line(-320, OPERATOR),
    Line(-321, OPERATOR),
    Line(-403, FIX),
    Line(-1340, FIX),
    Line(-1341, FIX),
)
CONSENT = (Line(-14002, OPERATOR), Line(-14003, OPERATOR))
ZBS = (
    Line(-108, FIX),
    *(Line(code, FIX) for code in (-109, -111, -112, -1121, -1122, -1124, -132)),
    *(Line(code, STOP) for code in (-114, -118, -119, -139, -141)),
    *(Line(code, OPERATOR) for code in (-115, -137)),
    *(Line(code, OPERATOR) for code in (-117, -120, -131, -135, -136, -138)),
    Line(-124, REFRESH),
    *(Line(code, OPERATOR) for code in (-126, -127)),
    Line(-133, LATER),
    *(Line(code, LATER) for code in (-144, -147)),
)
ALL = (*OA, *CONSENT, *ZBS)


def test_the_tables_are_the_same() -> None:
    assert sorted(line.code for line in ALL) == sorted(CODES)


@pytest.mark.parametrize("line", [*OA, *ZBS], ids=lambda line: str(line.code))
async def test_what_becomes_of_a_message(line: Line, zalo: ZaloSimulator, connector: ZaloConnector) -> None:
    """Through the whole connector: Zalo answers HTTP 200 with this code, as often as it is asked."""
    zalo.faults.next_codes = [line.code] * 3
    with pytest.raises((RetryLater, GiveUp)) as failed:
        await connector.send(outbound("Xin chào"))
    assert zalo.to(CITIZEN) == []
    if isinstance(failed.value, GiveUp):
        assert failed.value.action is line.told
        assert str(line.code) in failed.value.reason_vi
        assert failed.value.code == str(line.code)
    else:
        assert type(failed.value) is line.told
        assert failed.value.tries == line.tries
        assert str(line.code) in failed.value.reason
    refreshing = line.code in (-216, -220, -124)
    assert len(zalo.refreshes) == (1 if refreshing else 0)  # once, never in a loop
    asked = 3 - len(zalo.faults.next_codes)
    assert asked == (2 if refreshing else 1)  # and the message is repeated once, or not at all
    told_of_account = any("từ chối gửi tin" in one for one in await connector.warnings())
    assert told_of_account is (line.told is OPERATOR)


@pytest.mark.parametrize("line", CONSENT, ids=lambda line: str(line.code))
async def test_what_the_administrator_reads_on_the_consent_page(
    line: Line, zalo: ZaloSimulator, database: Database
) -> None:
    refusal = {"error": line.code, "error_name": "Invalid", "error_reason": "simulated"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=refusal))
    connector = ZaloConnector(settings_for(zalo), database, KEY, transport=transport)
    with pytest.raises(GiveUp) as failed:
        await connector.finish_consent("code", "verifier")
    assert failed.value.action is line.told
    assert meaning_of(line.code).vi in failed.value.reason_vi
    await connector.close()


@pytest.mark.parametrize("code", [-1, -99999, -201999, 7])
def test_an_unknown_code_is_the_operators_and_starts_no_storm(code: int) -> None:
    failure = failure_for(code, "", now())
    assert isinstance(failure, GiveUp)
    assert failure.action is OPERATOR
    assert str(code) in failure.reason_vi
