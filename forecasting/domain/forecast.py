"""Forecasts of short series with intervals: which method answers, and the answer as plain numbers.

From 8 points on the pre-trained global model answers together with the combination of `forecast_local`, each
with a weight by how it did on the series before; the combination alone where no model can be loaded. Under 8
points the last value is repeated. Every answer says which it was. Nothing depends on the unit of the numbers,
and numbers are never changed by what came after them.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from forecasting.domain import coverage, forecast_shipped, growth
from forecasting.domain.forecast_features import features
from forecasting.domain.forecast_forest import Forest, stretched
from forecasting.domain.forecast_input import Floats, Series, checked, checked_horizon, checked_levels
from forecasting.domain.forecast_local import combination, naive
from forecasting.domain.forecast_mix import mixed

LEAST_POINTS: Final = 8
"""Fewer points than this are answered by repeating the last value."""

ANSWERED: Final = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
OF_HALF: Final = math.sqrt(2 / math.pi) / 0.6744897501960817
"""Mean absolute error over half the width of the middle half, of a normal law."""
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected for steps 1..horizon; all tuples have `horizon` numbers in the unit of the values."""

    mean: tuple[float, ...]
    """The median path: as likely too high as too low."""

    lower80: tuple[float, ...]
    upper80: tuple[float, ...]
    lower95: tuple[float, ...]
    upper95: tuple[float, ...]
    model: str
    """Who answered: `global VERSION`, `combination`, `naive`, or `constant` for what never moved."""

    growth: growth.Growth
    confidence: float | None
    """0..1, from this subject's past errors and the width of the interval; None while there are no errors."""


@dataclass(frozen=True, slots=True)
class Model:
    """A global model and the name that its answers carry."""

    forest: Forest
    name: str
    alone: bool = False
    """Whether it answers without the combination: where models are compared with each other."""


def quantiles(
    values: Iterable[float], horizon: int, levels: Iterable[float], *, model: Model | None = None
) -> Floats:
    """Return an array [horizon, levels] of quantiles of the next `horizon` values.

    `values` are oldest first; the newest 200 count. A row never falls from a lower level to a higher one. A
    series that never moved gets its value at every level. Raises ValueError for anything but finite numbers
    up to 1e100, a horizon from 1 to 100 and levels strictly between 0 and 1. Without a `model` the shipped
    one answers.
    """
    series, steps, shares = checked(values), checked_horizon(horizon), checked_levels(levels)
    return series.back(_scaled(series, steps, shares, model)[0])


def answer(
    values: Iterable[float], horizon: int, errors: Sequence[float] = (), *, model: Model | None = None
) -> Forecast:
    """Return the forecast of the next `horizon` values with 80 % and 95 % intervals.

    `errors` are this subject's past one-step errors, oldest first, each |actual - mean| divided by the mean
    absolute step of the history it was forecast from (`scaled_error`); with them the intervals are widened
    or narrowed (`coverage`) and the confidence is known. Raises ValueError as `quantiles` does.
    """
    series, steps = checked(values), checked_horizon(horizon)
    scaled, who = _scaled(series, steps, np.array(ANSWERED), model)
    path = series.back(_widened(scaled, errors))
    lower95, lower80, _, mean, _, upper80, upper95 = (tuple(map(float, column)) for column in path.T)
    kind = growth.classify(series.back(series.scaled).tolist(), mean)
    sure = coverage.confidence(errors, _expected(scaled))
    return Forecast(mean, lower80, upper80, lower95, upper95, who, kind, sure)


def _expected(scaled: Floats) -> float:
    """Return the absolute error of the next step that quantiles at ANSWERED lead to expect.

    Of the middle half alone: it says more of the usual error than wider intervals, and nothing of past ones.
    """
    return float(scaled[0, 4] - scaled[0, 2]) / 2 * OF_HALF


def scaled_error(values: Iterable[float], actual: float, expected: float) -> float | None:
    """Return |actual - expected| in mean absolute steps of `values`; None when those never moved."""
    series = checked(values)
    return None if series.flat else abs(actual - expected) / series.unit


def _scaled(series: Series, horizon: int, levels: Floats, model: Model | None) -> tuple[Floats, str]:
    """Return scaled quantiles [horizon, levels], rising along each row, and who made them."""
    if series.flat:
        return np.zeros((horizon, len(levels))), "constant" if len(series.scaled) > 1 else "naive"
    normals = np.array([_NORMAL.inv_cdf(level) for level in levels])
    if len(series.scaled) < LEAST_POINTS:
        return naive(series.scaled, horizon, normals), "naive"
    used = model or _shipped()
    if used is None:
        return combination(series.scaled, horizon, normals), "combination"
    order = np.argsort(levels)
    paths = np.empty((horizon, len(levels)))
    if used.alone:
        known = used.forest.quantiles(features(series.scaled), levels[order])
        paths[:, order] = stretched(known, horizon)
        return paths, used.name
    paths[:, order] = mixed(series.scaled, horizon, levels[order], normals[order], used.forest)
    return paths, used.name


def _shipped() -> Model | None:
    forest, name = forecast_shipped.usable()
    return None if forest is None else Model(forest, name)


def _widened(scaled: Floats, errors: Sequence[float]) -> Floats:
    """Return quantiles at ANSWERED with both intervals fitted to the subject's own errors.

    What lies between the bounds of the 80 % one moves with them.
    """
    middle = scaled[:, 3:4]
    factors = []
    for low, high, wished in ((1, 5, 0.8), (0, 6, 0.95)):
        half = float(scaled[0, high] - scaled[0, low]) / 2
        factors.append(coverage.widening(errors, half, wished))
    inner, outer = factors
    outer = max(outer, inner * _share(scaled))
    result: Floats = middle + (scaled - middle) * np.array([outer, *[inner] * 5, outer])
    return result


def _share(scaled: Floats) -> float:
    """Return how far the 95 % interval may shrink before the 80 % one would leave it."""
    offset = np.abs(scaled - scaled[:, 3:4])
    outside, inside = offset[:, [0, 6]], offset[:, [1, 5]]
    return float((inside / np.where(outside > 0, outside, np.inf)).max())
