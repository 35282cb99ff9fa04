"""Forecasts: who answers, what never matters, what is refused, and that learning pays."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain import forecast_shipped
from forecasting.domain.forecast import ANSWERED, Forecast, answer, quantiles, scaled_error
from forecasting.domain.forecast_backtest import LEVELS, STEPS, means, walk
from forecasting.domain.forecast_forest import BadModel
from forecasting.domain.forecast_input import checked
from forecasting.domain.forecast_local import combination
from forecasting.domain.forecast_rows import made_series

LEVELS3 = (0.1, 0.5, 0.9)
WALK = np.cumsum(np.random.default_rng(3).normal(0.4, 1.0, 60)).tolist()


def naive(values: Any) -> Any:
    normals = np.array([-1.95996, -1.28155, -0.67449, 0, 0.67449, 1.28155, 1.95996])
    spread = np.sqrt(np.mean(np.diff(values) ** 2) * np.arange(1, STEPS + 1))
    return values[-1] + spread[:, None] * normals


def alone(values: Any) -> Any:
    series = checked(values)
    normals = np.array([-1.95996, -1.28155, -0.67449, 0, 0.67449, 1.28155, 1.95996])
    return series.back(combination(series.scaled, STEPS, normals))


@pytest.fixture(scope="module")
def scores() -> dict[str, dict[str, Any]]:
    """Mean scores on series of known laws, from a seed that training didn't use."""
    fresh = made_series(98, np.random.default_rng(20_260))
    methods = {"ours": lambda values: quantiles(values, STEPS, LEVELS), "last": naive, "alone": alone}
    return {name: means(list(walk(method, fresh, most=1))) for name, method in methods.items()}


def test_the_shipped_model_beats_both_that_were_not_trained(scores: dict[str, dict[str, Any]]) -> None:
    assert scores["ours"]["crps"] <= 0.85 * scores["last"]["crps"]
    assert scores["ours"]["crps"] <= 0.97 * scores["alone"]["crps"]
    assert scores["alone"]["crps"] <= 0.95 * scores["last"]["crps"]


def test_its_intervals_hold_what_they_say(scores: dict[str, dict[str, Any]]) -> None:
    assert 0.74 <= scores["ours"]["inside80"] <= 0.88
    assert 0.90 <= scores["ours"]["inside95"] <= 0.98


def test_who_answers() -> None:
    assert answer(WALK, 3).model == f"global {forecast_shipped.card()['version']}"
    assert answer(WALK[:8], 3).model.startswith("global")
    assert answer(WALK[:7], 3).model == "naive"
    assert answer([1.0], 3).model == "naive"
    assert answer([2.0] * 30, 3).model == "constant"


def test_without_a_usable_file_the_combination_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast_shipped, "usable", lambda: (None, ""))
    assert answer(WALK, 3).model == "combination"
    assert answer(WALK[:5], 3).model == "naive"


def test_a_changed_file_is_not_used() -> None:
    with pytest.raises(BadModel, match="digest"):
        forecast_shipped.verified(b"something else", forecast_shipped.card()["digest"])


def test_the_shape_and_order_of_an_answer() -> None:
    found = answer(WALK, 10)
    for name in ("mean", "lower80", "upper80", "lower95", "upper95"):
        assert len(getattr(found, name)) == 10
    rows = zip(found.lower95, found.lower80, found.mean, found.upper80, found.upper95, strict=True)
    assert all(list(row) == sorted(row) for row in rows)
    assert found.confidence is None


def test_an_answer_agrees_with_the_quantiles() -> None:
    found, rows = answer(WALK, 4), quantiles(WALK, 4, ANSWERED)
    assert np.allclose(rows[:, 3], found.mean)
    assert np.allclose(rows[:, 0], found.lower95)


def test_confidence_tells_wide_forecasts_from_narrow_ones_by_the_model_alone() -> None:
    few, many = (answer(WALK, 1, [1.0] * count).confidence for count in (3, 60))
    assert few == pytest.approx(
        many
    )  # the intervals were fitted to the errors, the confidence counts them once
    noise = np.random.default_rng(3).normal(0, 1, 40) * np.repeat([1.0, 0.1], 20)
    calm, wild = (answer(values, 1, [1.0]).confidence for values in (noise, noise[::-1]))
    assert calm is not None
    assert wild is not None
    assert calm > wild + 0.1


def test_levels_may_come_in_any_order() -> None:
    rising, mixed = quantiles(WALK, 3, (0.1, 0.5, 0.9)), quantiles(WALK, 3, (0.9, 0.1, 0.5))
    assert np.array_equal(rising, mixed[:, [1, 2, 0]])


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 1000),
    points=st.integers(3, 80),
    unit=st.sampled_from([2.0**-30, 0.25, 1024.0, 2.0**40]),
    shift=st.sampled_from([0.0, 64.0, -1024.0]),
)
def test_neither_unit_nor_zero_matters(seed: int, points: int, unit: float, shift: float) -> None:
    # multiples of 1/1024: units and shifts round none of them, and equal steps stay equal to the last bit
    values = np.round(np.random.default_rng(seed).normal(0, 1, points).cumsum() * 1024) / 1024
    plain = quantiles(values, 6, LEVELS3)
    assert np.allclose(quantiles(values * unit, 6, LEVELS3), plain * unit, rtol=1e-6, atol=1e-6 * unit)
    assert np.allclose(quantiles(values + shift, 6, LEVELS3), plain + shift, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1e99, 1e99), min_size=1, max_size=30), st.integers(1, 25))
def test_any_finite_numbers_have_a_finite_answer(values: list[float], horizon: int) -> None:
    rows = quantiles(values, horizon, LEVELS3)
    assert rows.shape == (horizon, 3)
    assert np.isfinite(rows).all()
    assert (np.diff(rows, axis=1) >= 0).all()


def test_only_the_newest_two_hundred_count() -> None:
    long = [*range(5000), *WALK * 4]
    assert np.array_equal(quantiles(long, 3, LEVELS3), quantiles(long[-200:], 3, LEVELS3))


def test_a_series_that_never_moved_stays() -> None:
    found = answer([0.3] * 12, 2)
    assert found == Forecast(
        (0.3, 0.3), (0.3, 0.3), (0.3, 0.3), (0.3, 0.3), (0.3, 0.3), "constant", "marginal", None
    )


def test_far_steps_are_an_extension_that_widens() -> None:
    rows = quantiles(WALK, 40, LEVELS3)
    width = rows[:, 2] - rows[:, 0]
    assert (np.diff(width[9:]) > 0).all()
    assert np.array_equal(rows[:10], quantiles(WALK, 10, LEVELS3))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "at least one number"),
        ("123", "not str"),
        (None, "not NoneType"),
        ({"a": 1.0}, "not dict"),
        ([1.0, math.nan], r"values\[1\].*nan"),
        ([1.0, math.inf], r"values\[1\].*inf"),
        ([1.0, 1e101], r"values\[1\].*1e\+101"),
        ([1.0, 10**400], r"values\[1\]"),
        ([1.0, "2"], r"values\[1\].*'2'"),
        ([True, 1.0], r"values\[0\].*True"),
        ([[1.0, 2.0], [3.0, 4.0]], r"values\[0\]"),
        ([1.0, None], r"values\[1\].*None"),
    ],
)
def test_bad_values_are_named(values: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        quantiles(values, 3, LEVELS3)


def test_the_place_of_a_bad_value_counts_from_the_begin() -> None:
    with pytest.raises(ValueError, match=r"values\[499\]"):
        answer([1.0, 2.0] * 249 + [3.0, math.nan], 3)


@pytest.mark.parametrize("horizon", [0, -1, 101, 2.5, "3", True, None, math.nan])
def test_bad_horizons_are_refused(horizon: Any) -> None:
    with pytest.raises(ValueError, match="horizon"):
        answer(WALK, horizon)


@pytest.mark.parametrize("levels", [[], [0.0], [1.0], [0.5, 2.0], [math.nan], ["a"]])
def test_bad_levels_are_refused(levels: Any) -> None:
    with pytest.raises(ValueError, match=r"levels|values\[0\]"):
        quantiles(WALK, 3, levels)


def test_own_errors_widen_and_narrow_the_intervals() -> None:
    def width(found: Forecast) -> float:
        return found.upper80[0] - found.lower80[0]

    plain, calm, wild = (answer(WALK, 3, errors) for errors in ((), [0.05] * 60, [9.0] * 60))
    assert width(calm) < 0.8 * width(plain) < width(plain) < 0.8 * width(wild)
    assert calm.mean == plain.mean == wild.mean
    assert (wild.confidence or 1.0) < 0.25 < (calm.confidence or 0.0)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 50), max_size=60))
def test_errors_never_put_the_intervals_out_of_order(errors: list[float]) -> None:
    found = asdict(answer(WALK, 5, errors))
    for step in range(5):
        row = [found[name][step] for name in ("lower95", "lower80", "mean", "upper80", "upper95")]
        assert row == sorted(row)


def test_the_scaled_error_is_in_mean_steps() -> None:
    assert scaled_error([1.0, 2.0, 4.0], actual=7.0, expected=4.0) == pytest.approx(2.0)
    assert scaled_error([1.0, 1.0], actual=7.0, expected=4.0) is None
