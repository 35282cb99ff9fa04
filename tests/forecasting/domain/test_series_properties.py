"""Statistics of short series and the drift detector, whatever the numbers are."""

import json
import math
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.drift import Detector
from forecasting.domain.series import ema, ema_step, momentum, rolling_mean, slope, spread
from forecasting.domain.whitening import BURN_IN, Whitener

QUIET = settings(deadline=None, max_examples=60)
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)
SMALL = st.lists(st.integers(-50, 50), min_size=2, max_size=15)


@QUIET
@given(VALUES, st.floats(0.01, 1.0))
def test_an_average_stays_between_the_values(values: list[float], alpha: float) -> None:
    found = ema(values, alpha)
    assert found is not None
    assert min(values) - 1e-6 <= found <= max(values) + 1e-6
    assert ema(values, 1.0) == values[-1]


@QUIET
@given(VALUES, VALUES, st.floats(0.01, 1.0))
def test_an_average_goes_on_where_it_stopped(first: list[float], more: list[float], alpha: float) -> None:
    assert ema([*first, *more], alpha) == ema(more, alpha, start=ema(first, alpha))


@QUIET
@given(VALUES, st.integers(1, 25))
def test_a_rolling_mean_is_that_of_the_newest(values: list[float], window: int) -> None:
    assert rolling_mean(values, window) == fmean(values[-window:])
    assert rolling_mean([*[1e300] * 3, *values], len(values)) == fmean(values)


@QUIET
@given(st.floats(-100, 100), st.floats(-100, 100), st.integers(2, 30))
def test_the_slope_of_a_line_is_its_slope(start: float, step: float, count: int) -> None:
    assert slope([start + step * number for number in range(count)]) == pytest.approx(step, abs=1e-9)


@QUIET
@given(SMALL)
def test_the_slope_turns_with_time(values: list[int]) -> None:
    there, back = slope(values), slope(values[::-1])
    assert there is not None
    assert back is not None
    assert there == pytest.approx(-back)


@QUIET
@given(SMALL)
def test_a_spread_is_zero_only_where_nothing_varies(values: list[int]) -> None:
    found = spread(values)
    assert found is not None
    assert (found == 0) == (len(set(values)) == 1)
    assert spread([-value for value in values]) == pytest.approx(found)


@QUIET
@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 15))
def test_momentum_is_a_share_and_one_more_success_never_lowers_it(history: list[bool], window: int) -> None:
    found, more = momentum(history, window), momentum([*history, True], window)
    assert found is not None
    assert more is not None
    assert 0 <= found <= 1
    assert more >= found
    assert momentum([*[True] * 40, *[False] * window], window) == 0.0


@pytest.mark.parametrize("window", [0, -1])
def test_a_window_has_at_least_one_value(window: int) -> None:
    with pytest.raises(ValueError, match="window: at least 1"):
        rolling_mean([1.0], window)
    with pytest.raises(ValueError, match="window: at least 1"):
        momentum([True], window)


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.1, math.nan])
def test_a_wrong_alpha_is_refused_even_for_the_first_value(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha: above 0"):
        ema_step(None, 1.0, alpha)


def test_nothing_measured_is_none() -> None:
    assert ema([]) is None
    assert ema([], start=2.0) == 2.0
    assert (rolling_mean([], 3), slope([1.0]), spread([1.0]), momentum([])) == (None, None, None, None)


def test_only_the_newest_two_hundred_make_the_slope() -> None:
    assert slope([1e9] * 500 + [float(number) for number in range(200)]) == 1.0


ROWS = st.lists(
    st.tuples(*[st.none() | st.floats(-1e3, 1e3) | st.sampled_from([math.nan, math.inf, 1e300])] * 2),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=30)
@given(ROWS, st.integers(0, 40))
def test_a_detector_that_was_saved_goes_on_as_the_other(rows: list[tuple[Any, Any]], cut: int) -> None:
    whole, parted = Detector(["a", "b"], 50.0), Detector(["a", "b"], 50.0)
    for number, row in enumerate(rows):
        if number == cut:
            parted = Detector.from_dict(json.loads(json.dumps(parted.to_dict(), allow_nan=False)))
        assert whole.update(list(row)) == parted.update(dict(zip("ab", row, strict=True)))
    assert whole.to_dict() == parted.to_dict()
    assert 0 <= whole.score < 50.0


@settings(deadline=None, max_examples=30)
@given(ROWS)
def test_the_order_of_metrics_changes_nothing_of_the_score(rows: list[tuple[Any, Any]]) -> None:
    one, other = Detector(["a", "b"], 1e9), Detector(["b", "a"], 1e9)
    for first, second in rows:
        one.update([first, second])
        other.update([second, first])
    assert one.score == pytest.approx(other.score, rel=1e-6)


@settings(deadline=None, max_examples=30)
@given(ROWS)
def test_shares_of_the_evidence_sum_to_one(rows: list[tuple[Any, Any]]) -> None:
    detector = Detector(["a", "b"], 1e9)
    for row in rows:
        detector.update(list(row))
    found = detector.contributions(0.0)
    assert sum(part.share for part in found) == pytest.approx(1.0 if found else 0.0)
    assert [part.share for part in found] == sorted((part.share for part in found), reverse=True)
    assert all(0 <= part.since <= detector.cycle for part in found)


def test_nothing_counts_before_the_burn_in() -> None:
    detector = Detector(["a"], 2.0)
    for number in range(BURN_IN):
        assert detector.update([(-1.0) ** number * 10**number]) is None
        assert detector.score == 0.0


def test_a_metric_that_was_never_measured_carries_nothing() -> None:
    detector, rng = Detector(["a", "never"], 1000.0), np.random.default_rng(1)
    alarms = [detector.update([value, None]) for value in [*rng.normal(size=40), *rng.normal(5.0, size=20)]]
    raised = next(alarm for alarm in alarms if alarm is not None)
    assert raised.metrics == ("a",)
    assert raised.contributions[0].direction == "up"
    assert detector.update([None, None]) is None


def test_an_alarm_that_many_share_bears_a_metric_that_is_new() -> None:
    """No metric carries 5 % of the evidence, and one of them was never measured."""
    names, rng = [f"m{number}" for number in range(30)], np.random.default_rng(2)
    detector = Detector([*names, "new"], 1000.0)
    values = [*rng.normal(size=60), *rng.normal(loc=3.0, size=20)]
    alarms = [detector.update([*[value] * 30, None]) for value in values]
    raised = next(alarm for alarm in alarms if alarm is not None)
    assert len(raised.metrics) == 5
    assert max(part.share for part in raised.contributions) < 0.05
    assert "new" not in raised.metrics


def test_values_at_the_edge_of_what_a_float_holds_are_no_error() -> None:
    detector = Detector(["a"], 1000.0)
    for value in [0.0] * 5 + [2.2250738585072014e-308, 1.0, 1e308, -1e308] * 5:
        detector.update([value])
    assert math.isfinite(detector.score)


def test_a_whitener_forgets_only_what_it_is_told_to() -> None:
    whitener = Whitener(2)
    for number in range(20):
        whitener.step(np.array([float(number % 3), float(number % 5)]), np.array([True, True]))
    before = whitener.to_dict()
    whitener.forget(np.array([True, False]))
    after = whitener.to_dict()
    assert [after["count"][0], after["count"][1]] == [0.0, before["count"][1]]
    assert after["products"] == before["products"]
    assert after["mean"][1] == before["mean"][1]


@QUIET
@given(
    st.dictionaries(
        st.sampled_from(sorted(Whitener(1).to_dict())), st.none() | st.text() | st.lists(st.floats())
    )
)
def test_a_state_that_is_none_is_refused(spoilt: dict[str, Any]) -> None:
    state = {**Whitener(1).to_dict(), **spoilt}
    fine = all(
        isinstance(values, list) and len(values) == 1 and math.isfinite(values[0])
        for values in state.values()
    )
    if fine:
        assert Whitener.from_dict(state, 1).to_dict() == state
    else:
        with pytest.raises(ValueError, match=r"expected|not an array"):
            Whitener.from_dict(state, 1)
