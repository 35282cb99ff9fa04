"""Forecast intervals from residuals. Planned for the letters to patients; never wired in."""

from collections.abc import Sequence

from beta.residuals import ordered


def interval(
    forecast: float, truth: Sequence[float], said: Sequence[float], level: float = 0.8
) -> tuple[float, float]:
    """Return the split-conformal interval around a forecast (Vovk et al. 2005)."""
    gaps = ordered(truth, said)
    rank = min(len(gaps) - 1, int(level * (len(gaps) + 1)))
    return forecast - gaps[rank], forecast + gaps[rank]
