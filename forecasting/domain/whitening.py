"""Standardised one-step residuals of several series, each an AR(1) around a level nobody knows.

Every measured value is predicted from the one before it by the regression x[t] = a + rho x[t-1] + e,
fitted to everything seen so far; the error is divided by its predictive spread (recursive residuals,
Brown, Durbin & Evans 1975) and its Student t law is mapped onto the standard normal one.  Deviations:
rho is not the least-squares slope but a shrunken, bias-corrected correlation that borrows from the other
series, for with ten values of one series the slope is mostly noise.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

BURN_IN = 10
"""Measured values before a series' residuals count."""
_RHO_RANGE = (0.0, 0.9)
_PRIOR_RHO, _PRIOR_PAIRS = 0.3, 20.0  # what the pooled correlation starts from, and its weight in pairs
_POOL_PAIRS = 15.0  # weight of the pooled correlation in each series' own, in pairs
_BIAS = 1.6  # Kendall's (1954) downward bias (1 + 3 rho)/n, and what clipping takes away
_SCORE_CLIP = 3.0  # standard deviations a value may count in the correlation
_OUTLIER = 6.0  # predictive spreads beyond which a value teaches the baseline no more
_HUGE = 1e300
_FAR = 1e100
_ROUNDING = 1e-12  # of the largest value: differences below this are rounding, not variation

_FIELDS = (
    "count",  # measured values of this baseline
    "origin",  # first value, in the metric's unit
    "unit",  # power of two near the first difference; 0 while the series is constant
    "peak",  # largest absolute value learned from, in the metric's unit
    "last",  # previous value; from here on all in `unit`s from `origin`
    "mean",  # of the values that have a predecessor
    "lag_mean",  # of their predecessors
    "sxx",  # centred sums of squares and products of the two
    "sll",
    "sxl",
)
_KEPT = ("products", "squares", "pairs")  # the correlation outlives a baseline: noise stays what it was


class Whitener:
    """O(1) state of `size` series; every array is (size,)."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._state: dict[str, Array] = {name: np.zeros(size) for name in (*_FIELDS, *_KEPT)}

    def __getattr__(self, name: str) -> Array:
        try:
            return self.__dict__["_state"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(name) from None

    def step(self, raw: Array, seen: Mask) -> tuple[Array, Array, Mask]:
        """Take one value per series, unseen ones ignored.

        Returns the residuals as standard normal scores, the values in internal units, and which residuals
        count (seen, and past the burn-in).
        """
        values = self._rescale(raw, seen)
        rho, pairs = self.correlation(), np.maximum(self.count - 1, 1)
        lagged = self.last - self.lag_mean
        error = values - self.mean - rho * lagged
        degrees = np.maximum(pairs - 1, 1)
        spread = self._spread(rho, degrees)
        inflated = spread * np.sqrt(1 + 1 / pairs + lagged**2 / np.maximum(self.sll, 1e-300))
        ready = seen & (self.count >= BURN_IN)
        scores = np.where(ready, _normal_score(error, inflated, degrees), 0.0)
        limit = np.where(self.count >= 5, _OUTLIER * inflated, np.inf)
        limit = np.where(spread > self._resolution(), limit, np.inf)  # a constant must be able to move
        self._learn(values - error + np.clip(error, -limit, limit), seen)
        size = np.abs(self.origin + np.clip(self.unit * self.last, -_HUGE, _HUGE))
        self._state["peak"] = np.where(seen, np.maximum(self.peak, size), self.peak)
        return scores, values, ready

    def correlation(self) -> Array:
        """Return each series' lag-one correlation: own evidence, pulled towards that of all series."""
        own = np.clip(self.products / np.maximum(self.squares, 1e-300), -0.95, 0.95)
        known = self.pairs > 2
        own = np.where(known, own + _BIAS * (1 + 3 * own) / np.maximum(self.pairs, 6.0), 0.0)
        own = np.clip(own, -0.5, 0.98)
        total = self.pairs.sum() + _PRIOR_PAIRS
        pooled = ((own * self.pairs).sum() + _PRIOR_RHO * _PRIOR_PAIRS) / total
        mixed = (self.pairs * own + _POOL_PAIRS * pooled) / (self.pairs + _POOL_PAIRS)
        bounded: Array = np.clip(mixed, *_RHO_RANGE)
        return bounded

    def level(self) -> Array:
        """Return the mean of each series so far, in internal units."""
        count = np.maximum(self.count, 1)
        return (self.lag_mean * np.maximum(self.count - 1, 0) + self.last) / count

    def deviation(self) -> Array:
        """Return the standard deviation of each series so far, in internal units."""
        return np.sqrt(self.sxx / np.maximum(self.count - 2, 1))

    def forget(self, which: Mask) -> None:
        """Start the baseline of these series again; what is known of their correlation stays."""
        for name in _FIELDS:
            self._state[name][which] = 0.0

    def to_dict(self) -> dict[str, list[float]]:
        """Return the state as lists of finite floats."""
        return {name: values.tolist() for name, values in self._state.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], size: int) -> "Whitener":
        """Return the whitener that `to_dict` described; ValueError for anything else."""
        restored = cls(size)
        for name in restored._state:
            restored._state[name] = finite_array(data.get(name), (size,), name)
        return restored

    def _rescale(self, raw: Array, seen: Mask) -> Array:
        """Return values as differences from the first, in a power of two: no unit, no overflow."""
        state, bounded = self._state, np.clip(raw, -_HUGE, _HUGE)
        state["origin"] = np.where(seen & (self.count == 0), bounded, self.origin)
        difference = np.where(seen, bounded - self.origin, 0.0)
        fresh = (self.unit == 0) & (difference != 0)
        exponent = np.clip(np.frexp(np.abs(difference))[1] - 1, -1000, 1000)
        state["unit"] = np.where(fresh, np.ldexp(1.0, exponent), self.unit)
        with np.errstate(over="ignore"):
            return np.clip(difference / np.where(self.unit > 0, self.unit, 1.0), -_FAR, _FAR)

    def _resolution(self) -> Array:
        with np.errstate(over="ignore"):
            return np.minimum(_ROUNDING * self.peak / np.where(self.unit > 0, self.unit, 1.0), _FAR)

    def _spread(self, rho: Array, degrees: Array) -> Array:
        squares = self.sxx + rho**2 * self.sll - 2 * rho * self.sxl
        return np.maximum(np.sqrt(np.maximum(squares, 0.0) / degrees), np.maximum(self._resolution(), 1e-300))

    def _learn(self, values: Array, seen: Mask) -> None:
        paired = seen & (self.count >= 1)
        self._learn_correlation(values, paired & (self.count >= 4))
        pairs = np.maximum(self.count, 1)
        here, before = values - self.mean, self.last - self.lag_mean
        state = self._state
        state["mean"] = np.where(paired, self.mean + here / pairs, self.mean)
        state["lag_mean"] = np.where(paired, self.lag_mean + before / pairs, self.lag_mean)
        state["sxx"] = self.sxx + np.where(paired, here * (values - self.mean), 0.0)
        state["sll"] = self.sll + np.where(paired, before * (self.last - self.lag_mean), 0.0)
        state["sxl"] = self.sxl + np.where(paired, here * (self.last - self.lag_mean), 0.0)
        state["last"] = np.where(seen, values, self.last)
        state["count"] = self.count + seen

    def _learn_correlation(self, values: Array, paired: Mask) -> None:
        deviation = np.sqrt(self.sll / np.maximum(self.count - 2, 1))
        usable = paired & (deviation > self._resolution())
        scale = np.where(usable, deviation, 1.0)
        here = np.clip((values - self.mean) / scale, -_SCORE_CLIP, _SCORE_CLIP)
        before = np.clip((self.last - self.lag_mean) / scale, -_SCORE_CLIP, _SCORE_CLIP)
        state = self._state
        state["products"] = self.products + np.where(usable, here * before, 0.0)
        state["squares"] = self.squares + np.where(usable, (here**2 + before**2) / 2, 0.0)
        state["pairs"] = self.pairs + usable


def finite_array(values: Any, shape: tuple[int, ...], name: str) -> Array:
    """Return `values` as a float array of `shape`; ValueError when it isn't one or not all are finite."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: not an array of numbers") from error
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"{name}: expected {shape} finite numbers")
    return array


def _normal_score(error: Array, spread: Array, degrees: Array) -> Array:
    """Map Student t onto standard normal scores (Wallace 1959; within 0.02 from 8 degrees on)."""
    with np.errstate(over="ignore"):  # what overflows is clipped
        ratio = np.clip(error / spread, -1e6, 1e6)
    size = (8 * degrees + 1) / (8 * degrees + 3) * np.sqrt(degrees * np.log1p(ratio**2 / degrees))
    return np.sign(ratio) * size
