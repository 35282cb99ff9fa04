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

from dataclasses import dataclass
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
    errors, level, trend = _smooth(scaled, GRID)
    weights = _weights(errors, parameters=np.where(PLAIN, 2, 4))
    paths = level[:, None] + np.cumsum(GRID[:, 2:] ** np.arange(1, horizon + 1), axis=1) * trend[:, None]
    squares = (errors**2).mean(axis=0)
    mean = weights @ paths
    spread = _growth_of_variance(horizon) * squares[:, None] + (paths - mean) ** 2
    return Local(mean, weights @ spread, _theta(scaled, horizon), float(np.sqrt(weights @ squares)))


def _smooth(scaled: Floats, grid: Floats) -> tuple[Floats, Floats, Floats]:
    """Return one-step errors [points - 1, grid] and the last level and trend of each."""
    alpha, beta, phi = grid.T
    level = np.full(len(grid), scaled[0])
    trend = np.where(beta > 0, np.diff(scaled[:5]).mean(), 0.0)
    errors = np.empty((len(scaled) - 1, len(grid)))
    for step, value in enumerate(scaled[1:]):
        expected = level + phi * trend
        error = value - expected
        errors[step] = error
        level = expected + alpha * error
        trend = phi * trend + beta * error
    return errors, level, trend


def _weights(errors: Floats, parameters: Floats | int) -> Floats:
    """Return Akaike-like weights of the columns, for Laplace-distributed errors: outliers count less."""
    count = len(errors)
    fit = -count * np.log(np.maximum(np.abs(errors).mean(axis=0), TINY))
    criterion = TEMPER * (fit - parameters * count / np.maximum(count - parameters - 1, 1))
    weights: Floats = np.exp(criterion - criterion.max())
    shares: Floats = weights / weights.sum()
    return shares


def _growth_of_variance(horizon: int) -> Floats:
    """Return the variance h steps ahead over that of one step, [grid, horizon]."""
    alpha, beta, phi = (column[:, None] for column in GRID.T)
    carried = np.cumsum(phi ** np.arange(1, horizon), axis=1)
    factor = np.ones((len(GRID), horizon))
    factor[:, 1:] += np.cumsum((alpha + beta * carried) ** 2, axis=1)
    return factor


def _theta(scaled: Floats, horizon: int) -> Floats:
    """Return half the straight line plus half the smoothed series with its curvature doubled."""
    place = np.arange(len(scaled)) - (len(scaled) - 1) / 2
    slope = place @ scaled / (place @ place)
    line = scaled.mean() + slope * place
    errors, level, _ = _smooth(2 * scaled - line, GRID[PLAIN])
    ahead: Floats = 0.5 * (line[-1] + slope * np.arange(1, horizon + 1)) + 0.5 * (_weights(errors, 2) @ level)
    return ahead


def combination(scaled: Floats, horizon: int, normals: Floats) -> Floats:
    """Return quantiles [horizon, levels] of the combination; `normals` are the levels as normal scores."""
    own = local(scaled, horizon)
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
