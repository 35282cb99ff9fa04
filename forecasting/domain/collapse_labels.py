"""What the verdicts on collapse mean, for a course whose true level is known.

R is the reference: the mean level over the first 60 % of the history.  The collapse level is R/2, the horizon
five cycles.  In this order:

* **Immediate collapse risk**: the level is at R/2 or below within the horizon, or is now.
* **Volatile**: not so, but with the noise around it some of the next five *observed* values is as likely as
  not at R/2 or below.
* **Slow decay**: neither, but over the last five and the coming five cycles the level falls by R/10 or more,
  and goes on falling.
* **Stable**: the rest: plateaus, growth, recovered dips, lone outliers, small cycles.
* **brittle** (beside the label): a rise of entropy by 0.05 costs R/4 or more in the cycle of the rise, an
  elasticity of 5 R per unit of entropy.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

HORIZON: Final = 5
"""Cycles ahead."""
LEVEL: Final = 0.5
"""The collapse level, of the reference."""
BRITTLE_FROM: Final = 5.0
"""Elasticity from which a subject is brittle, in references per unit of entropy."""
STABLE: Final = "Stable"
SLOW: Final = "Slow decay"
VOLATILE: Final = "Volatile"
IMMEDIATE: Final = "Immediate collapse risk"
UNKNOWN: Final = "Insufficient data"
LABELS: Final = (STABLE, SLOW, VOLATILE, IMMEDIATE)
"""The labels in the order of every array of probabilities."""


def reference_length(length: int) -> int:
    """Return how many of `length` cycles the reference is the mean of."""
    return max(3, int(0.6 * length))


def collapsing(paths: Array, length: int, reference: Array) -> Mask:
    """Say which courses, (n, length + HORIZON), are at half their reference, (n,), within the horizon."""
    lowest: Array = paths[:, length - 1 :].min(axis=1)
    return lowest <= LEVEL * reference


def decaying(paths: Array, length: int, reference: Array) -> Mask:
    """Say which courses fall by a tenth of their reference around now, and go on falling."""
    now, end, before = paths[:, length - 1], paths[:, -1], paths[:, max(0, length - HORIZON)]
    falls: Mask = (end <= before - 0.10 * reference) & (end < now - 0.01 * reference)
    return falls


def some_below(margins: Array, noise: float | Array) -> Array:
    """Return the probability that some value falls below its level, which lies `margins`, (n, k), away."""
    below = normal_cdf(-margins / np.maximum(noise, 1e-12))
    some: Array = 1 - np.prod(1 - below, axis=-1)
    return some


def normal_cdf(x: Array) -> Array:
    """Return the standard normal distribution function (Abramowitz & Stegun 7.1.26, error below 1e-7)."""
    z = np.abs(x) / np.sqrt(2)
    t = 1 / (1 + 0.3275911 * z)
    terms = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
    series: Array = np.polyval(terms[::-1], t) * t
    tail: Array = 0.5 * series * np.exp(-z * z)
    return np.where(x > 0, 1 - tail, tail)
