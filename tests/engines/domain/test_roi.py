"""What cycles cost and are worth."""

import math
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.domain.errors import InvalidInput
from engines.domain.roi import (
    HISTORY,
    RoiState,
    ValueModel,
    billed_seconds,
    cycle_cost,
    roi_delta,
    roi_gain,
    uplift,
    worth,
)

MODEL = ValueModel(
    metric="accuracy", unit_value=1000.0, value_per_success=2.0, cpu_hour_cost=3.6, token_cost_per_1k=0.5
)


@dataclass(frozen=True)
class Verdict:
    """What a significance test would have said."""

    significant: bool = True
    low: float | None = 0.01
    high: float | None = 0.03
    confidence: float = 0.9


def test_cost_is_cpu_hours_and_tokens() -> None:
    assert cycle_cost(1000.0, 4000, MODEL) == pytest.approx(1.0 + 2.0)
    assert cycle_cost(0.0, 0, MODEL) == 0.0


@pytest.mark.parametrize(("used", "billed"), [(0.0, 0.0), (0.1, 60.0), (60.0, 60.0), (60.1, 120.0)])
def test_started_steps_are_billed(used: float, billed: float) -> None:
    assert billed_seconds(used, ValueModel(metric="m", cpu_billing_seconds=60.0)) == billed


@given(st.floats(1, 59.9), st.floats(1, 59.9))
def test_jitter_within_a_step_costs_nothing(one: float, other: float) -> None:
    model = ValueModel(metric="m", cpu_hour_cost=1.0, cpu_billing_seconds=60.0)
    assert cycle_cost(one, 0, model) == cycle_cost(other, 0, model)


@given(st.floats(0, 1e5), st.floats(0, 1e5), st.integers(0, 10**6))
def test_more_never_costs_less(one: float, other: float, tokens: int) -> None:
    low, high = sorted((one, other))
    assert cycle_cost(low, tokens, MODEL) <= cycle_cost(high, tokens, MODEL)


def test_a_significant_uplift_is_worth_its_price_minus_cost() -> None:
    roi = roi_gain(0.02, Verdict(), MODEL, cpu_seconds=1000.0)
    assert [roi.value, roi.cost, roi.roi_gain] == pytest.approx([20.0, 1.0, 19.0])
    assert [roi.low, roi.high, roi.confidence] == pytest.approx([9.0, 29.0, 0.9])


@pytest.mark.parametrize(("gained", "significant"), [(0.02, False), (-0.02, False), (-0.02, True)])
def test_anything_else_is_worth_nothing_but_costs(gained: float, significant: bool) -> None:
    roi = roi_gain(gained, Verdict(significant, -0.01, 0.05), MODEL, cpu_seconds=1000.0, tokens=2000)
    assert [roi.value, roi.roi_gain] == pytest.approx([0.0, -2.0])
    assert [roi.low, roi.high] == pytest.approx([-12.0, 48.0])


def test_no_bounds_where_none_were_measured() -> None:
    roi = roi_gain(0.02, Verdict(False, None, None), MODEL, cpu_seconds=0.0)
    assert (roi.low, roi.high, roi.confidence) == (None, None, None)


def test_further_successes_count() -> None:
    assert roi_gain(0.0, Verdict(False), MODEL, cpu_seconds=0.0, more_successes=3).value == 6.0


def test_a_model_is_worth_what_it_does_better_than_guessing() -> None:
    accuracy = ValueModel(metric="accuracy", unit_value=100.0)
    error = ValueModel(metric="mae", direction="min", unit_value=10.0)
    assert worth(0.9, 0.6, accuracy) == pytest.approx(30.0)
    assert worth(0.5, 0.6, accuracy) == pytest.approx(-10.0)
    assert worth(40.0, 65.0, error) == pytest.approx(250.0)


def test_uplift_follows_the_direction() -> None:
    assert uplift(0.8, 0.9, MODEL) == pytest.approx(0.1)
    assert uplift(5.0, 4.0, ValueModel(metric="mae", direction="min")) == 1.0


def test_a_cycle_is_the_sum_of_its_candidates() -> None:
    assert roi_delta([0.1] * 10, 0.25) == pytest.approx(0.75)
    assert roi_delta([], 0.25) == -0.25


@pytest.mark.parametrize(
    "wrong",
    [{"unit_value": -1.0}, {"cpu_hour_cost": math.nan}, {"direction": "up"}, {"token_cost_per_1k": True}],
)
def test_wrong_prices_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        ValueModel(metric="m", **wrong)
    assert caught.value.field == next(iter(wrong))


def test_wrong_amounts_are_refused() -> None:
    with pytest.raises(InvalidInput):
        cycle_cost(-1.0, 0, MODEL)
    with pytest.raises(InvalidInput):
        cycle_cost(1.0, math.inf, MODEL)
    with pytest.raises(InvalidInput):
        roi_gain(math.nan, Verdict(), MODEL, cpu_seconds=1.0)
    with pytest.raises(InvalidInput):
        RoiState().updated(math.nan)


def test_the_first_delta_starts_the_average() -> None:
    fresh = RoiState()
    assert (fresh.ema, fresh.momentum, fresh.short_mean, fresh.spread) == (None, None, None, None)
    first = fresh.updated(5.0)
    assert (first.ema, first.success_history, first.momentum) == (5.0, (True,), 0.1)
    assert (fresh.momentum_filled, first.momentum_filled) == (0.0, 0.1)
    second = first.updated(-5.0)
    assert second.ema == pytest.approx(4.0)
    assert second.success_history == (True, False)
    assert second.short_mean == 0.0
    assert second.spread == pytest.approx(1.4826 * 5)


def test_the_history_is_bounded() -> None:
    state = RoiState(alpha=0.5)
    for step in range(HISTORY + 20):
        state = state.updated(float(step))
    assert len(state.success_history) == len(state.deltas) == HISTORY
    assert (state.momentum, state.momentum_filled) == (1.0, 1.0)
    assert state.short_mean == HISTORY + 18
