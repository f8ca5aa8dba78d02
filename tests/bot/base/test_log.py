"""No phone number, ID number or e-mail address gets into the log."""

import io
import json
import logging
import re
import sys

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from bot.base.log import configure_logging, mask

GAPS = st.sampled_from(["", " ", ".", "-", " - ", ". "])


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """A phone or ID number as people write it: any grouping, perhaps with the country in front."""
    digits = draw(st.text("0123456789", min_size=9, max_size=12))
    grouped = digits[0] + "".join(draw(GAPS) + digit for digit in digits[1:])
    return draw(st.sampled_from(["", "+", "+84 ", "(+84) ", "(024) "])) + grouped


def digits_in(text: str) -> str:
    return re.sub(r"\D", "", text)


@example("000.0 00000", "=@")
@given(numbers(), st.text(st.characters(exclude_categories=["Nd", "Cs"]), max_size=20))
def test_numbers_become_unreadable(number: str, around: str) -> None:
    shown = mask(f"{around}{number}{around}")
    assert len(digits_in(shown)) <= 4


@given(st.emails(), st.sampled_from(["", " ", "<", "email: ", "là "]))
def test_addresses_become_unreadable(address: str, before: str) -> None:
    shown = mask(f"{before}{address}")
    assert address not in shown
    assert address.rsplit("@", 1)[1] not in shown or len(address.rsplit("@", 1)[1]) < 4


@pytest.mark.parametrize(
    "written",
    [
        "gọi em 0912345678",
        "sdt0912345678nhe",
        "0912.345.678",
        "09 12 34 56 78",
        "0 9 1 2 3 4 5 6 7 8",
        "+84 912 345 678",
        "(+84)912-345-678",
        "CCCD 038192004567",
        "cmnd:174123456",
        "#0912345678",
        "sdt-0912345678-nha",
        "０９１２３４５６７８",
        "Nguyễn Thị Lan <lan.nguyen@mail-1.gov.vn>",
    ],
)
def test_ways_of_writing(written: str) -> None:
    shown = mask(written)
    assert "*" in shown
    assert len(digits_in(shown)) <= 4
    assert "lan" not in shown


@pytest.mark.parametrize("written", ["mã phiếu TH-7K3P9", "port 8000", "2026-11-24", "phiên bản 3.6.21", "1022", ""])
def test_what_is_no_personal_number_stays(written: str) -> None:
    assert mask(written) == written


def test_every_field_of_an_event_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        configure_logging("INFO")
        log = structlog.get_logger("test")
        log.info(
            "x.y",
            text="0912345678",
            error=ValueError("038192004567"),
            more={"a@b.vn": ["0912345678"]},
            message=7,
            ok=None,
        )
        try:
            raise ValueError("0912345678")
        except ValueError:
            log.exception("x.z")
            logging.getLogger("other").exception("call 0912345678 failed for lan@mail.vn")
    finally:
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
        structlog.reset_defaults()
    said = stream.getvalue()
    assert "0912345678" not in said
    assert "038192004567" not in said
    assert "lan@mail.vn" not in said
    assert "a@b.vn" not in said
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["event"] for line in lines[:2]] == ["x.y", "x.z"]
    assert (lines[0]["message"], lines[0]["ok"]) == (7, None)
    assert "ValueError" in lines[1]["exception"]
