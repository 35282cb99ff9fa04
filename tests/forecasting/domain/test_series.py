"""Averages, slope, spread and momentum of short series."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.series import ema, ema_step, momentum, rolling_mean, slope, spread

VALUES = st.lists(st.integers(-1000, 1000), min_size=2, max_size=20)


def test_the_first_value_starts_the_average() -> None:
    assert ema([], 0.1) is None
    assert ema([3.0], 0.1) == 3.0
    assert ema([3.0, 5.0], 0.1) == pytest.approx(3.2)
    assert ema([5.0], 0.1, start=3.0) == ema_step(3.0, 5.0, 0.1)


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.1, float("nan")])
def test_alpha_is_checked(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        ema([1.0], alpha)


def test_the_rolling_mean_takes_the_newest() -> None:
    assert rolling_mean([], 3) is None
    assert rolling_mean([9.0, 1.0, 2.0, 3.0], 3) == 2.0
    with pytest.raises(ValueError, match="window"):
        rolling_mean([1.0], 0)


@settings(deadline=None, max_examples=50)
@given(VALUES, st.integers(-20, 20), st.integers(-1000, 1000))
def test_slope_and_spread_follow_the_unit(values: list[int], power: int, offset: int) -> None:
    factor = 2.0**power
    moved = [factor * (value + offset) for value in values]
    assert slope(moved) == pytest.approx(factor * (slope(values) or 0.0))
    assert spread(moved) == pytest.approx(factor * (spread(values) or 0.0))


def test_slope_and_spread_resist_outliers() -> None:
    rng = random.Random(4)
    values = [0.5 * i + rng.gauss(0, 0.1) for i in range(40)]
    values[20] = 1e6
    assert slope(values) == pytest.approx(0.5, abs=0.02)
    assert spread([rng.gauss(0, 2) for _ in range(400)] + [1e9]) == pytest.approx(2, rel=0.15)


def test_too_short_is_not_measured() -> None:
    assert slope([1.0]) is None
    assert spread([1.0]) is None
    assert momentum([], 10) is None


def test_a_rare_change_still_has_a_spread() -> None:
    assert spread([1.0, 1.0, 1.0, 2.0]) == pytest.approx(0.5)


def test_momentum_is_the_share_of_the_window_that_succeeded() -> None:
    assert momentum([True], 10) == 0.1
    assert momentum([False] * 5 + [True] * 10, 10) == 1.0
    assert momentum([True, False, True, False], 2) == 0.5
    with pytest.raises(ValueError, match="window"):
        momentum([True], 0)
