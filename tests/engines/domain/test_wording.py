"""Numbers and words as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.domain.wording import MINUS, NOT_MEASURED, lasting, number, sign, signed, size, word


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1, "1"),
        (0.123456, "0.1235"),
        (-2.5, f"{MINUS}2.5"),
        (12345.6, "12,346"),
        (1e-9, f"1e{MINUS}09"),
    ],
)
def test_numbers_have_four_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_measured(value: float | None) -> None:
    assert number(value) == NOT_MEASURED
    assert signed(value) == NOT_MEASURED
    assert sign(value) == ""


@pytest.mark.parametrize(
    ("value", "text", "way"), [(0.5, "+0.5", "up"), (-0.5, f"{MINUS}0.5", "down"), (0.0, "0", "")]
)
def test_gains_and_losses_show_their_sign(value: float, text: str, way: str) -> None:
    assert signed(value) == text
    assert sign(value) == way


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0123, "12 ms"),
        (4.25, "4.2 s"),
        (59.6, "1 m"),
        (60, "1 m"),
        (61, "1 m 1 s"),
        (3600, "1 h"),
        (90_061, "1 d 1 h"),
        (None, ""),
        (math.nan, ""),
        (-1, ""),
    ],
)
def test_durations_have_their_two_largest_units(seconds: float | None, text: str) -> None:
    assert lasting(seconds) == text


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_float_becomes_a_text(value: float) -> None:
    assert number(value)
    assert isinstance(lasting(value), str)


def test_sizes_have_the_unit_that_fits() -> None:
    assert [size(0), size(1023), size(1536), size(5 * 2**40)] == [
        "0 bytes",
        "1023 bytes",
        "1.5 KiB",
        "5.0 TiB",
    ]


def test_names_become_words() -> None:
    assert word("not_configured") == "not configured"
