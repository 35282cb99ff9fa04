"""Training rows for the global model: what a series showed up to a point, and what came in the next steps.

A row's features are made from the points before its origin alone, so nothing later can reach a forecast.
Beside the given series there are two kinds of made ones: each series backwards, and series of known laws.
Both keep the trees from learning the few sources by heart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.domain.forecast_features import features
from forecasting.domain.forecast_forest import STEPS
from forecasting.domain.forecast_input import Floats, checked

LEAST: Final = 12
"""Points before a training row's origin."""

KNOWN: Final = 5
"""Steps after it that must be known; later ones may be missing."""

OUTCOME: Final = 20.0
"""Outcomes further away than this many mean steps are cut."""


@dataclass(frozen=True)
class Rows:
    """Features [rows, features], outcomes [rows, 10] with NaN where unknown, and weights [rows]."""

    inputs: Floats
    outcomes: Floats
    weights: Floats

    def __add__(self, other: "Rows") -> "Rows":
        """Return both."""
        names = ("inputs", "outcomes", "weights")
        return Rows(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names))

    def weighing(self, total: float) -> "Rows":
        """Return the same rows with weights that add up to `total`."""
        return Rows(self.inputs, self.outcomes, self.weights * (total / self.weights.sum()))


def rows_of(series: Sequence[Floats], most: int, random: np.random.Generator) -> Rows:
    """Return the rows of some series, at most `most` of each; every series weighs 1.

    Raises ValueError when no series is long enough (17 points) and moves.
    """
    made = [made for values in series if (made := _of_one(values, most, random)) is not None]
    if not made:
        raise ValueError(f"no series with {LEAST + KNOWN} points that moves: nothing to train on")
    weights = np.concatenate([np.full(len(inputs), 1 / len(inputs)) for inputs, _ in made])
    return Rows(np.concatenate([x for x, _ in made]), np.concatenate([y for _, y in made]), weights)


def _of_one(values: Floats, most: int, random: np.random.Generator) -> tuple[Floats, Floats] | None:
    origins = np.arange(LEAST, len(values) - KNOWN + 1)
    if len(origins) > most:
        origins = np.sort(random.choice(origins, most, replace=False))
    pairs = list(_pairs(values, origins))
    return (np.array([x for x, _ in pairs]), np.array([y for _, y in pairs])) if pairs else None


def _pairs(values: Floats, origins: Sequence[int] | np.ndarray) -> Iterator[tuple[Floats, Floats]]:
    for origin in origins:
        series = checked(values[:origin])
        if series.flat:
            continue
        after = np.full(STEPS, np.nan)
        later = (values[origin : origin + STEPS] - series.last) / series.unit
        after[: len(later)] = np.clip(later, -OUTCOME, OUTCOME)
        yield features(series.scaled), after


def backwards(series: Sequence[Floats]) -> list[Floats]:
    """Return each series from its end to its begin."""
    return [values[::-1] for values in series]


def made_series(count: int, random: np.random.Generator) -> list[Floats]:
    """Return series of known laws: walks, growth, learning, levels, memory, turns, jumps."""
    laws = (_walk, _growth, _learning, _level, _memory, _turning, _jump)
    return [laws[place % len(laws)](int(random.integers(20, 160)), random) for place in range(count)]


def _walk(points: int, random: np.random.Generator) -> Floats:
    return np.cumsum(random.standard_t(4, points) + random.normal(0, 0.5))


def _growth(points: int, random: np.random.Generator) -> Floats:
    noise = np.cumsum(random.normal(0, random.uniform(0.005, 0.06), points))
    grown: Floats = 10 * np.exp(np.arange(points) * random.uniform(0.005, 0.06) + noise)
    return grown


def _learning(points: int, random: np.random.Generator) -> Floats:
    seen = np.arange(points) + random.uniform(0.5, 5)
    noise: Floats = random.normal(0, 0.3 * np.exp(random.normal(-1, 1.2)), points)
    return noise - 30 * seen ** -random.uniform(0.3, 1.2)


def _level(points: int, random: np.random.Generator) -> Floats:
    drift = random.normal(0, random.uniform(0.05, 1), points) + random.normal(0, 0.2)
    return np.cumsum(drift) + random.normal(0, 1, points)


def _memory(points: int, random: np.random.Generator) -> Floats:
    kept, values = random.uniform(0, 0.95), np.zeros(points)
    for place in range(1, points):
        values[place] = kept * values[place - 1] + random.standard_t(3)
    return values + np.arange(points) * random.normal(0, 0.1)


def _turning(points: int, random: np.random.Generator) -> Floats:
    trend = np.cumsum(random.normal(0, 0.15, points))
    return np.cumsum(trend) + random.normal(0, np.exp(random.normal(-1, 1.2)), points)


def _jump(points: int, random: np.random.Generator) -> Floats:
    after = np.arange(points) > random.integers(5, points)
    drift: Floats = np.cumsum(random.normal(0, 0.3, points))
    return drift + after * random.normal(0, 5) + random.normal(0, 0.5, points)
