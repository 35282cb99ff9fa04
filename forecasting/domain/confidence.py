"""How far a forecast may be trusted, and what a ROI is worth once risk is taken off.

confidence = 1 / (1 + MAE + variance), of errors in units of what the naive forecast ("the same again") errs
by, so that no unit matters. Nothing known gives None, which is never enough to go without a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev, pvariance
from typing import Final

from forecasting.domain.finite import is_finite

TAU: Final = 0.5
"""Confidence below which something is left to a person's review."""
WINDOW: Final = 20
"""Errors that count."""
SHORT: Final = 5
"""ROI deltas whose spread makes the stability."""


def confidence(mae: float | None, variance: float | None) -> float | None:
    """Return 1 / (1 + mae + variance), in (0, 1]; None where nothing was measured.

    Raises ValueError for a negative or infinite one.

    >>> round(confidence(1.0, 1.0), 3)
    0.333
    """
    if mae is None or variance is None:
        return None
    if not (is_finite(mae) and is_finite(variance) and min(mae, variance) >= 0):
        raise ValueError(
            f"errors and variances are finite and 0 or more, not {mae!r:.40} and {variance!r:.40}"
        )
    return 1.0 / (1.0 + mae + variance)


def confidence_of(errors: Sequence[float]) -> float | None:
    """Return the confidence from absolute scaled errors, of which the newest `WINDOW` count."""
    newest = errors[-WINDOW:]
    return confidence(fmean(newest), pvariance(newest)) if newest else None


def needs_review(trust: float | None, tau: float = TAU) -> bool:
    """Tell whether a person must look: the confidence is below `tau`, or not known."""
    return trust is None or trust < tau


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskAdjusted:
    """A risk-adjusted ROI with its parts: value = base x (1 - catastrophic_risk) x stability x safety.

    A loss gets no smaller by being risky: below 0 it is base x (2 - that product).
    """

    value: float
    base: float
    #: probability of a collapse x share that would be lost, 0 to 1
    catastrophic_risk: float
    #: 1 / (1 + spread / mean size) of the latest ROI deltas, 0 to 1
    stability: float
    #: 0 to 1; each failing suite halves it
    safety: float


def risk_adjusted(
    base: float,
    *,
    p_collapse: float = 0.0,
    severity: float = 1.0,
    recent: Sequence[float] = (),
    safety: float = 1.0,
    failing_suites: int = 0,
) -> RiskAdjusted:
    """Return the risk-adjusted ROI of `base`, in its unit.

    `p_collapse`, `severity` (share of the ROI lost in a collapse) and `safety` lie from 0 to 1: a score on a
    scale to 100 is refused with ValueError rather than cut off. `recent`: the latest ROI deltas.
    """
    shares = {"p_collapse": p_collapse, "severity": severity, "safety": safety}
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"{name} is a share from 0 to 1, not {share!r}")
    if not all(map(is_finite, (base, *recent))) or failing_suites < 0:
        raise ValueError("every ROI is a finite number, and no suite fails less than never")
    risk, held = p_collapse * severity, safety * 0.5**failing_suites
    stable = stability(recent)
    factor = (1.0 - risk) * stable * held
    value = base * (factor if base >= 0 else 2.0 - factor)
    return RiskAdjusted(value=value, base=base, catastrophic_risk=risk, stability=stable, safety=held)


def stability(recent: Sequence[float]) -> float:
    """Return 1 / (1 + standard deviation / mean size) of the newest values, in any unit; 1 for none."""
    newest = recent[-SHORT:]
    size = fmean(map(abs, newest)) if newest else 0.0
    return 1.0 / (1.0 + pstdev(newest) / size) if size > 0 else 1.0


def final_score(raroi: float | None, trust: float | None) -> float | None:
    """Return risk-adjusted ROI x confidence, by which candidates are ranked; None where either is missing."""
    return None if raroi is None or trust is None else raroi * trust
