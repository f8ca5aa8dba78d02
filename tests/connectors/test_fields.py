"""Reading what others wrote: one spelling of a telephone number for all channels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.fields import phone


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("84912345678", "0912345678"),
        ("+84912345678", "0912345678"),
        (84912345678, "0912345678"),
        ("+84 (0)91", None),
        ("0912 345 678", "0912345678"),
        ("842373852246", "02373852246"),
        ("+81312345678", "+81312345678"),
        ("", None),
        ("12", None),
        ("1" * 16, None),
        (None, None),
        (True, None),
    ],
)
def test_phone(written: object, read: str | None) -> None:
    assert phone({"phone": written}, "phone") == read


@given(st.none() | st.integers() | st.text(max_size=30) | st.lists(st.integers()))
def test_no_value_crashes_it_and_what_is_read_is_read_again_the_same(written: object) -> None:
    found = phone({"phone": written}, "phone")
    assert found is None or phone({"phone": found}, "phone") == found
