"""Energy buys budget in proportion; only scheduled cycles are scaled."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.domain.energy import MAX_ENERGY, allocate, budget, checked, momentum
from engines.domain.errors import InvalidInput
from engines.domain.results import Budget

BASE = Budget(cpu_seconds=60.0, trials=30)
AVERAGES = st.none() | st.floats(-1e6, 1e6)


def test_energy_two_buys_twice() -> None:
    assert budget(BASE, 1) == BASE
    assert budget(BASE, 2) == Budget(cpu_seconds=120.0, trials=60)
    assert budget(BASE, 2, scale=0.25) == Budget(cpu_seconds=30.0, trials=15)
    assert budget(BASE, 0.001).trials == 1


@given(st.floats(0.001, MAX_ENERGY), st.floats(0.001, MAX_ENERGY))
def test_more_energy_never_buys_less(one: float, other: float) -> None:
    low, high = (budget(BASE, energy) for energy in sorted((one, other)))
    assert low.cpu_seconds <= high.cpu_seconds
    assert low.trials <= high.trials


@pytest.mark.parametrize("energy", [0, -1, math.nan, math.inf, 100.1, "2", True, None])
def test_wrong_energy_is_refused(energy: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked(energy)
    assert caught.value.field == "energy"


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_wrong_scale_is_refused(scale: float) -> None:
    with pytest.raises(InvalidInput):
        budget(BASE, 1, scale=scale)


@given(AVERAGES, AVERAGES, st.none() | st.floats(0, 1e6), st.none() | st.floats(0, 1))
def test_who_asks_gets_exactly_that(
    ema: float | None, short: float | None, spread: float | None, pace: float | None
) -> None:
    given_to = allocate(3.0, ema=ema, short_mean=short, spread=spread, momentum=pace, scheduled=False)
    assert (given_to.energy, dict(given_to.factors)) == (3.0, {})


@given(AVERAGES, AVERAGES, st.none() | st.floats(0, 1e6), st.none() | st.floats(0, 1))
def test_scheduled_cycles_stay_between_half_and_twice(
    ema: float | None, short: float | None, spread: float | None, pace: float | None
) -> None:
    scaled = allocate(3.0, ema=ema, short_mean=short, spread=spread, momentum=pace)
    assert 1.5 <= scaled.energy <= 6.0
    assert scaled.energy == pytest.approx(3 * min(max(math.prod(scaled.factors.values()), 0.5), 2.0))


@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(0.1, 100), st.integers(-30, 30))
def test_the_currency_changes_nothing(ema: float, short: float, spread: float, power: int) -> None:
    rate = 2.0**power
    plain = allocate(1.0, ema=ema, short_mean=short, spread=spread)
    assert plain == allocate(1.0, ema=rate * ema, short_mean=rate * short, spread=rate * spread)


def test_engines_that_pay_get_more() -> None:
    poor, good = (
        allocate(1.0, ema=e, short_mean=e, spread=1.0, momentum=m) for e, m in ((-2, 0.1), (2, 0.9))
    )
    assert poor.energy == 0.5
    assert good.energy == 2.0
    assert set(good.factors) == {"roi_delta_ema", "roi_short_mean", "momentum"}


def test_cycles_that_never_ran_are_no_failures() -> None:
    """One cycle of ten: a success raises the energy a little, a failure lowers it as much."""
    paid, not_paid = (allocate(1.0, momentum=m, momentum_filled=0.1).energy for m in (0.1, 0.0))
    assert paid == pytest.approx(2**0.05)
    assert paid * not_paid == pytest.approx(1.0)


@pytest.mark.parametrize(("momentum", "times"), [(1.0, 2**0.5), (0.5, 1.0), (0.0, 2**-0.5)])
def test_a_full_window_counts_whole(momentum: float, times: float) -> None:
    assert allocate(1.0, momentum=momentum).factors["momentum"] == pytest.approx(times)


def test_what_is_not_measured_does_not_count() -> None:
    assert allocate(1.0).factors == {}
    assert allocate(1.0, ema=5.0).factors == {}
    assert allocate(1.0, ema=5.0, spread=0.0).factors == {"roi_delta_ema": pytest.approx(math.sqrt(2))}
    assert allocate(1.0, ema=0.0, spread=0.0).energy == 1.0


def test_the_highest_energy_is_never_passed() -> None:
    assert allocate(90.0, ema=9.0, short_mean=9.0, spread=1.0).energy == MAX_ENERGY


def test_momentum_counts_the_window() -> None:
    assert momentum([True, True, False], 10) == 0.2
    assert momentum([]) is None
