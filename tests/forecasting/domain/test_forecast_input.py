"""What a forecast is asked for: numbers are checked, and put into the series' own unit."""

from collections import deque
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.forecast_input import (
    MAX_HORIZON,
    WINDOW,
    checked,
    checked_horizon,
    checked_levels,
)


def test_the_last_value_is_zero_and_the_mean_step_one() -> None:
    series = checked([1.0, 3.0, 2.0])
    assert series.scaled.tolist() == pytest.approx([-1 / 1.5, 1 / 1.5, 0.0])
    assert (series.last, series.unit) == (2.0, 1.5)
    assert not series.flat


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=40))
def test_scaling_can_be_undone(values: list[int]) -> None:
    series = checked(values)
    assert np.allclose(series.back(series.scaled), values)
    if not series.flat:
        assert np.abs(np.diff(series.scaled)).mean() == pytest.approx(1.0)


@pytest.mark.parametrize("values", [[5.0], [5.0] * 9, [0.1 + 0.2, 0.3], [1e15, 1e15 + 0.1]])
def test_what_moves_by_rounding_only_is_flat(values: list[float]) -> None:
    series = checked(values)
    assert series.flat
    assert series.unit == 0.0
    assert np.isfinite(series.scaled).all()


def test_small_numbers_are_no_rounding() -> None:
    assert not checked([1e-30, 2e-30]).flat
    assert not checked([1e6, 1e6 + 0.001]).flat


@pytest.mark.parametrize(
    "values",
    [
        (1, 2, 3),
        deque([1.0, 2.0, 3.0]),
        np.array([1, 2, 3]),
        np.array([1, 2, 3], np.float32),
        (value for value in (1.0, 2.0, 3.0)),
        range(1, 4),
        [Decimal(1), Fraction(2), np.float64(3)],
    ],
)
def test_all_kinds_of_numbers_and_lists_are_taken(values: Any) -> None:
    assert checked(values).back(checked([1, 2, 3]).scaled).tolist() == [1.0, 2.0, 3.0]


def test_only_the_newest_are_looked_at() -> None:
    long = ["no number", *range(WINDOW)]
    assert len(checked(long).scaled) == WINDOW
    with pytest.raises(ValueError, match=rf"values\[{WINDOW}\]"):
        checked([*range(WINDOW), "no number"])


@pytest.mark.parametrize("value", [1j, object(), b"1", [1.0], np.bool_(True), Decimal("NaN"), float("-inf")])
def test_what_is_no_finite_number_is_named(value: Any) -> None:
    with pytest.raises(ValueError, match=r"values\[1\]: a finite number"):
        checked([1.0, value])


def test_a_long_value_is_shown_in_short() -> None:
    with pytest.raises(ValueError) as error:
        checked(["x" * 10_000])
    assert len(str(error.value)) < 120


def test_horizons() -> None:
    assert checked_horizon(np.int64(3)) == 3
    assert checked_horizon(MAX_HORIZON) == MAX_HORIZON
    for bad in (0, MAX_HORIZON + 1, 3.0, False, "1", None):
        with pytest.raises(ValueError, match="horizon"):
            checked_horizon(bad)


def test_levels() -> None:
    assert checked_levels([0.5, 0.1]).tolist() == [0.5, 0.1]
    for bad in ([], [0], [1], [0.5, -0.1]):
        with pytest.raises(ValueError, match="levels"):
            checked_levels(bad)
