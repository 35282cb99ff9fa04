"""A verdict on three to seven cycles: too few for courses and noise, enough for what can be seen.

A line is laid through the history.  The label is Immediate where the line's end is below half of the
reference, or the last cycle alone broke down to there; Volatile where what lies around the line would as
likely as not take one of the next five values there; else Slow decay where the line falls by a tenth of the
reference over a horizon; else Stable.  The evidence is low whatever comes out, and a gate holds on it.

The forecast continues the line with half its slope, since so few points exaggerate a slope.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.domain.collapse_labels import (
    BRITTLE_FROM,
    HORIZON,
    LABELS,
    LEVEL,
    Array,
    reference_length,
    some_below,
)

_DOUBT: Final = 3.0  # verdicts' worth of prior doubt that the probabilities are pulled to
_PRIOR: Final[Array] = np.array([0.45, 0.19, 0.10, 0.26])  # shares of the labels among simulated subjects
_DAMPED: Final = 0.5
_STEADY: Final = 1e-6
_FAR: Final = 3.0  # standard deviations of the earlier cycles
_QUIET: Final = 0.02  # of the reference: less noise makes nothing volatile


@dataclass(frozen=True)
class ShortVerdict:
    """What few cycles say; levels in units of the reference."""

    probabilities: Array  # in the order of LABELS
    brittle: bool
    elasticity: float | None  # references per unit of entropy
    curve: Array  # (HORIZON,)
    noise: float
    slope: float  # per cycle


def judge_short(values: Array, entropy: Array) -> ShortVerdict:
    """Return the verdict on `values` (n,), 3 <= n <= 7, whose reference is above 0."""
    seen = values / short_reference(values)
    slope, around, end = _line(seen)
    curve = end + _DAMPED * slope * np.arange(1.0, HORIZON + 1)
    elasticity = _elasticity(seen, entropy)
    label = 3 if _broke(seen) else _label(end, slope, around)
    probabilities = (len(values) * np.eye(len(LABELS))[label] + _DOUBT * _PRIOR) / (len(values) + _DOUBT)
    brittle = elasticity is not None and elasticity >= BRITTLE_FROM
    return ShortVerdict(probabilities, brittle, elasticity, curve, around, slope)


def short_reference(values: Array) -> float:
    """Return the mean of the first 60 %, rounded up; of the usual cycles where that is not above 0."""
    early = float(values[: -(-3 * len(values) // 5)].mean())
    return early if early > _STEADY else float(values[: reference_length(len(values))].mean())


def _line(seen: Array) -> tuple[float, float, float]:
    """Return slope, spread around the line, and the line's value in the last cycle."""
    cycles = np.arange(len(seen)) - (len(seen) - 1) / 2
    slope = float(cycles @ seen / (cycles @ cycles))
    off = seen - seen.mean() - slope * cycles
    spread = float(np.sqrt(off @ off / (len(seen) - 2)))
    return slope, spread, float(seen.mean() + slope * cycles[-1])


def _label(end: float, slope: float, around: float) -> int:
    if end < LEVEL - _STEADY:
        return 3
    if around > _QUIET and some_below(np.full(HORIZON, end - LEVEL), around) >= 0.5:
        return 2
    return 1 if HORIZON * slope <= -0.10 + _STEADY else 0


def _broke(seen: Array) -> bool:
    """Say whether the last cycle alone fell below the collapse level, far off all earlier ones."""
    early = seen[:-1]
    return bool(seen[-1] < min(LEVEL - _STEADY, early.mean() - _FAR * early.std()))


def _elasticity(seen: Array, entropy: Array) -> float | None:
    """Return the largest loss per unit by which entropy rose in a cycle; None where it never did."""
    rises, losses = np.diff(entropy), -np.diff(seen)
    rose = rises > 1e-3
    return float(np.max(losses[rose] / rises[rose])) if rose.any() else None
