"""Small statistics of short series: averages, slope, spread, momentum.

Every function answers None where the series is too short to say anything; none of them invents a zero.
"""

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean, median

_NORMAL_MAD = 1.4826  # a normal law's standard deviation over its median absolute deviation
_MAX_POINTS = 200  # the slope looks at all pairs, so only the newest points take part


def ema(values: Sequence[float], alpha: float = 0.1, start: float | None = None) -> float | None:
    """Return the exponential moving average after `values`, oldest first.

    e = (1 - alpha) e + alpha v; begins at `start`, or at the first value when that is None.
    Raises ValueError unless 0 < alpha <= 1.
    """
    average = start
    for value in values:
        average = ema_step(average, value, alpha)
    return average


def ema_step(average: float | None, value: float, alpha: float) -> float:
    """Return the average after one more value; the first value is the average."""
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha: above 0 and at most 1, got {alpha}")
    return value if average is None else (1 - alpha) * average + alpha * value


def rolling_mean(values: Sequence[float], window: int) -> float | None:
    """Return the mean of the newest `window` values, of fewer when there are fewer."""
    if window < 1:
        raise ValueError(f"window: at least 1, got {window}")
    newest = values[-window:]
    return fmean(newest) if newest else None


def slope(values: Sequence[float]) -> float | None:
    """Return the Theil-Sen slope per step (median over all pairs) of the newest 200 values."""
    newest = list(values)[-_MAX_POINTS:]
    if len(newest) < 2:
        return None
    return median((b - a) / (j - i) for (i, a), (j, b) in combinations(enumerate(newest), 2))


def spread(values: Sequence[float]) -> float | None:
    """Return a robust standard deviation: 1.4826 x MAD, the usual one where that is zero."""
    if len(values) < 2:
        return None
    centre = median(values)
    robust = _NORMAL_MAD * median(abs(value - centre) for value in values)
    if robust > 0:
        return robust
    mean = fmean(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def momentum(successes: Sequence[bool], window: int = 10) -> float | None:
    """Return the successes among the newest `window` cycles divided by `window` (0..1).

    The divisor is the window, not the number of cycles: a short history can't claim full momentum.
    None without any history.
    """
    if window < 1:
        raise ValueError(f"window: at least 1, got {window}")
    return sum(map(bool, successes[-window:])) / window if successes else None
