"""What a configuration will cost, guessed from those of the same kind that were tried."""

import math
from dataclasses import dataclass, field
from statistics import fmean

from engines.domain.search_space import Params

_STEEPEST = 1.5
"""Largest power of the size that costs are believed to grow with."""


@dataclass
class Costs:
    """CPU seconds per fold by configuration."""

    seen: list[tuple[Params, float]] = field(default_factory=list)

    def add(self, params: Params, seconds: float) -> None:
        """Remember what one fold cost."""
        self.seen.append((params, max(seconds, 0.0)))

    def predict(self, params: Params) -> float:
        """Return the expected CPU seconds of one fold.

        Among configurations with the same choices, cost follows a power of the size: the product of the
        whole numbers (trees, rounds, width …).  While only one size was seen the power is taken as 1.
        Nothing of the kind seen: the costliest so far; nothing at all: 0.
        """
        kind = _kind(params)
        kin = [(_size(other), cost) for other, cost in self.seen if _kind(other) == kind]
        if not kin:
            return max((cost for _, cost in self.seen), default=0.0)
        return _power_law(kin, _size(params))


def _power_law(points: list[tuple[float, float]], size: float) -> float:
    """Return the cost at log size `size` by least squares on the logarithms of (log size, cost)."""
    logs = [(x, math.log(max(cost, 1e-9))) for x, cost in points]
    x_mean, y_mean = fmean(x for x, _ in logs), fmean(y for _, y in logs)
    spread = sum((x - x_mean) ** 2 for x, _ in logs)
    if spread < 1e-9:
        return max(cost for _, cost in points) * math.exp(max(size - x_mean, 0.0))
    slope = sum((x - x_mean) * (y - y_mean) for x, y in logs) / spread
    return math.exp(y_mean + min(max(slope, 0.0), _STEEPEST) * (size - x_mean))


def _size(params: Params) -> float:
    """Return the logarithm of the product of the whole numbers."""
    return sum(math.log(max(abs(value), 1)) for value in params.values() if type(value) is int)


def _kind(params: Params) -> tuple[tuple[str, object], ...]:
    return tuple(sorted((name, value) for name, value in params.items() if isinstance(value, str)))
