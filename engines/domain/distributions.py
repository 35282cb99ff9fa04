"""Tails and quantiles of Student's t and the binomial law, to about 1e-12, without SciPy's start-up time."""

import math
from collections.abc import Callable

_TINY = 1e-300
_TERMS = 500


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), 0..1, for a, b > 0.

    Continued fraction by Lentz's method (Abramowitz & Stegun 26.5.8).
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1 - front * _beta_fraction(b, a, 1 - x) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = value
        for term in (even, odd):
            d = 1 / _nonzero(1 + term * d)
            c = _nonzero(1 + term / c)
            value *= c * d
        if abs(value - before) <= 1e-15 * abs(value):
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def student_tail(t: float, df: float) -> float:
    """Return P(T >= t) for Student's t with `df` degrees of freedom."""
    square = t * t
    if square < df:  # near the middle the other form keeps the digits
        beyond = 0.5 - incomplete_beta(0.5, df / 2, square / (df + square)) / 2
    else:
        beyond = incomplete_beta(df / 2, 0.5, df / (df + square)) / 2
    return beyond if t >= 0 else 1 - beyond


def student_quantile(tail: float, df: float) -> float:
    """Return the t above which the share `tail` (0 < tail <= 0.5) of the law lies."""
    top = 1.0
    while student_tail(top, df) > tail and top < 1e30:
        top *= 2
    return bisect(lambda t: student_tail(t, df) - tail, 0.0, top)


def binomial_tail(successes: int, trials: int, share: float = 0.5) -> float:
    """Return P(X >= successes) for X binomial with `trials` and `share`."""
    if successes <= 0:
        return 1.0
    return incomplete_beta(successes, trials - successes + 1, share) if successes <= trials else 0.0


def mid_tail(successes: int, trials: int, share: float = 0.5) -> float:
    """Return P(X > successes) + P(X = successes) / 2 (mid-p)."""
    return (binomial_tail(successes, trials, share) + binomial_tail(successes + 1, trials, share)) / 2


def binomial_bounds(successes: int, trials: int, tail: float) -> tuple[float, float]:
    """Return mid-p bounds of the share, `tail` (< 0.5) outside on either side."""
    low = bisect(lambda share: tail - mid_tail(successes, trials, share), 0.0, 1.0)
    high = bisect(lambda share: 1 - tail - mid_tail(successes, trials, share), 0.0, 1.0)
    return low if successes > 0 else 0.0, high if successes < trials else 1.0


def bisect(falling: Callable[[float], float], low: float, high: float) -> float:
    """Return where a falling function crosses zero between `low` and `high`."""
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2
