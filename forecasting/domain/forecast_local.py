"""A forecast from one short series alone: many exponential smoothings averaged, Theta, and "as it is now".

Nothing is trained. Every smoothing of a fixed grid (level, damped trend) runs over the series; each counts by
how well it foresaw the next point (an information criterion of its absolute errors), so an uncertain choice
of parameters widens the interval instead of being hidden. Theta and the last value join with fixed weights:
averages of simple methods are the hardest baseline of forecasting competitions to beat (Makridakis et al.
2020).

Sources: Hyndman et al., *Forecasting with Exponential Smoothing* (2008), ch. 6 (variances); Assimakopoulos
and Nikolopoulos, *The theta model* (2000); Kolassa, *Combining exponential smoothing forecasts using Akaike
weights* (2011).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ALPHAS: Final = (0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.99)
BETAS: Final = (0.01, 0.03, 0.08, 0.2, 0.4)
DAMPINGS: Final = (0.8, 0.9, 0.97)
TEMPER: Final = 0.5  # the criterion counts half: short series would otherwise trust one smoothing too much
TINY: Final = 1e-6


def _grid() -> Floats:
    """Return (alpha, beta, damping) a row; beta 0 is simple smoothing without a trend."""
    rows = []
    for alpha in ALPHAS:
        rows.append((alpha, 0.0, 0.0))
        rows += [(alpha, beta, phi) for beta in BETAS if beta <= alpha for phi in DAMPINGS]
    return np.array(rows)


GRID: Final = _grid()
PLAIN: Final = GRID[:, 1] == 0


@dataclass(frozen=True, slots=True)
class Local:
    """What one series says of its next steps, in its own scaled units (see `local`)."""

    smooth: Floats
    variance: Floats
    theta: Floats
    noise: float


def local(scaled: Floats, horizon: int) -> Local:
    """Return smoothing's mean and variance and Theta's mean for steps 1..horizon.

    `scaled` has at least 3 points, its last is 0 and its mean absolute step 1.
    """
    return locals_at(scaled, (len(scaled),), horizon)[0]


def locals_at(values: Floats, ends: Sequence[int], horizon: int) -> list[Local]:
    """Return `local` of the first `end` points of a series, for each end, every one in its own scaled units.

    All are run over the series at once: what a smoothing has seen up to a point doesn't depend on the end.
    Each beginning has at least 3 points and moves.
    """
    lines = [_line(values[:end]) for end in ends]
    place = np.arange(len(values))
    doubled = [2 * values - (start + slope * place) for start, slope in lines]
    plain = GRID[PLAIN]
    inputs = np.repeat(np.column_stack([values, *doubled]), [len(GRID), *[len(plain)] * len(ends)], axis=1)
    steps = _smooth(inputs, np.concatenate([GRID, *[plain] * len(ends)]))
    found = []
    for number, (end, line) in enumerate(zip(ends, lines, strict=True)):
        theta = slice(len(GRID) + number * len(plain), len(GRID) + (number + 1) * len(plain))
        found.append(_local(values[:end], steps, theta, line, horizon))
    return found


Line = tuple[float, float]
"""Height at the first point, and slope a step."""
Steps = tuple[Floats, Floats, Floats]
"""Errors of each step [points - 1, columns], level and trend after each point [points, columns]."""


def _local(values: Floats, steps: Steps, theta: slice, line: Line, horizon: int) -> Local:
    errors, level, trend = steps
    end, last = len(values), values[-1]
    unit = float(np.abs(np.diff(values)).mean())
    smooth = slice(0, len(GRID))
    missed = errors[: end - 1, smooth] / unit
    weights = _weights(missed, parameters=np.where(PLAIN, 2, 4))
    carried = np.cumsum(GRID[:, 2:] ** np.arange(1, horizon + 1), axis=1)
    paths = (level[end - 1, smooth, None] - last + carried * trend[end - 1, smooth, None]) / unit
    squares = (missed**2).mean(axis=0)
    mean = weights @ paths
    spread = _growth_of_variance(horizon) * squares[:, None] + (paths - mean) ** 2
    shares = _weights(errors[: end - 1, theta] / unit, 2)
    ahead = line[0] + line[1] * (end - 1 + np.arange(1, horizon + 1))
    half = 0.5 * ahead + 0.5 * (shares @ level[end - 1, theta])
    return Local(mean, weights @ spread, (half - last) / unit, float(np.sqrt(weights @ squares)))


def _line(values: Floats) -> Line:
    place = np.arange(len(values)) - (len(values) - 1) / 2
    slope = float(place @ values / (place @ place))
    return float(values.mean()) + slope * float(place[0]), slope


def _smooth(inputs: Floats, grid: Floats) -> Steps:
    """Run a smoothing over each column of `inputs` [points, columns]; `grid` has a row for each."""
    alpha, beta, phi = grid.T
    points = len(inputs)
    level = np.empty(inputs.shape)
    trend = np.zeros(inputs.shape)
    errors = np.empty((points - 1, len(grid)))
    level[0] = inputs[0]
    trend[0] = np.where(beta > 0, np.diff(inputs[:5], axis=0).mean(axis=0), 0.0)
    for step in range(1, points):
        drift = phi * trend[step - 1]
        expected = level[step - 1] + drift
        error = np.subtract(inputs[step], expected, out=errors[step - 1])
        np.add(expected, alpha * error, out=level[step])
        np.add(drift, beta * error, out=trend[step])
    return errors, level, trend


def _weights(errors: Floats, parameters: Floats | int) -> Floats:
    """Return Akaike-like weights of the columns, for Laplace-distributed errors: outliers count less."""
    count = len(errors)
    fit = -count * np.log(np.maximum(np.abs(errors).mean(axis=0), TINY))
    criterion = TEMPER * (fit - parameters * count / np.maximum(count - parameters - 1, 1))
    weights: Floats = np.exp(criterion - criterion.max())
    shares: Floats = weights / weights.sum()
    return shares


@cache
def _growth_of_variance(horizon: int) -> Floats:
    """Return the variance h steps ahead over that of one step, [grid, horizon]."""
    alpha, beta, phi = (column[:, None] for column in GRID.T)
    carried = np.cumsum(phi ** np.arange(1, horizon), axis=1)
    factor = np.ones((len(GRID), horizon))
    factor[:, 1:] += np.cumsum((alpha + beta * carried) ** 2, axis=1)
    return factor


def combination(scaled: Floats, horizon: int, normals: Floats) -> Floats:
    """Return quantiles [horizon, levels] of the combination; `normals` are the levels as normal scores."""
    return combined(local(scaled, horizon), scaled, normals)


def combined(own: Local, scaled: Floats, normals: Floats) -> Floats:
    """Return the combination of what `local` said of a series, as many steps as it was asked for."""
    horizon = len(own.smooth)
    mean = 0.375 * own.smooth + 0.375 * own.theta  # and a quarter of the last value, which is 0
    walk = np.mean(np.diff(scaled) ** 2) * np.arange(1, horizon + 1)
    result: Floats = mean[:, None] + np.sqrt(0.5 * own.variance + 0.5 * walk)[:, None] * normals
    return result


def naive(scaled: Floats, horizon: int, normals: Floats) -> Floats:
    """Return quantiles [horizon, levels] of a random walk from the last value."""
    steps = np.diff(scaled)
    spread = np.sqrt((1 + np.mean(steps**2) * len(steps)) / (1 + len(steps)))
    result: Floats = spread * np.sqrt(np.arange(1, horizon + 1))[:, None] * normals
    return result
