"""Residuals of autocorrelated series."""

import math

import numpy as np
import pytest

from forecasting.domain.whitening import BURN_IN, Whitener, finite_array


def autoregressive(rho: float, cycles: int, size: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((cycles, size))
    for t in range(1, cycles):
        values[t] = rho * values[t - 1] + math.sqrt(1 - rho**2) * values[t]
    return values


def residuals(values: np.ndarray) -> np.ndarray:
    whitener = Whitener(values.shape[1])
    seen = np.ones(values.shape[1], dtype=bool)
    return np.array([whitener.step(row, seen)[0] for row in values])[BURN_IN:]


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.7])
def test_residuals_are_standard_and_hardly_correlated(rho: float) -> None:
    scores = residuals(autoregressive(rho, 300, 20))
    assert abs(scores.mean()) < 0.1
    assert scores.std() == pytest.approx(1.0, abs=0.06)
    lagged = np.mean(scores[1:] * scores[:-1]) / scores.var()
    # plain values would show rho itself; the spread over seeds is about 0.02
    assert abs(lagged) < 0.12


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_the_correlation_is_found(rho: float) -> None:
    whitener = Whitener(10)
    for row in autoregressive(rho, 200, 10, seed=1):
        whitener.step(row, np.ones(10, dtype=bool))
    assert np.mean(whitener.correlation()) == pytest.approx(rho, abs=0.1)


def test_level_and_deviation_are_those_of_the_values() -> None:
    values = autoregressive(0.0, 50, 1)
    whitener = Whitener(1)
    for row in values:
        whitener.step(row, np.array([True]))
    level = whitener.level()[0] * whitener.unit[0] + whitener.origin[0]
    assert level == pytest.approx(values.mean(), abs=0.02)
    assert whitener.deviation()[0] * whitener.unit[0] == pytest.approx(values[1:].std(ddof=1), rel=0.02)


def test_forgetting_keeps_the_correlation() -> None:
    whitener = Whitener(2)
    for row in autoregressive(0.6, 80, 2):
        whitener.step(row, np.array([True, True]))
    before = whitener.correlation()
    whitener.forget(np.array([True, False]))
    assert whitener.count.tolist() == [0.0, 80.0]
    assert whitener.correlation().tolist() == before.tolist()


def test_attributes_are_only_those_of_the_state() -> None:
    with pytest.raises(AttributeError):
        _ = Whitener(1).nothing


@pytest.mark.parametrize("values", ["x", [1.0], [1.0, math.nan], None])
def test_arrays_of_a_state_are_checked(values: object) -> None:
    with pytest.raises(ValueError, match="there"):
        finite_array(values, (2,), "there")
