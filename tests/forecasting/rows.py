"""Forecasts and samples for tests, with defaults."""

import itertools
from collections.abc import Sequence
from typing import Any

from forecasting.models import Forecast, SynergySample

_numbers = itertools.count(1)
HORIZON = 5


def make_forecast(
    subject: str = "alpha", *, mean: float = 1.0, actual: Sequence[float] = (), **fields: Any
) -> Forecast:
    """Make a forecast of five equal steps with bands of half-width 1 and 2, and what came of it so far."""
    steps: dict[str, Any] = {
        "mean": [mean] * HORIZON,
        "lower80": [mean - 1] * HORIZON,
        "upper80": [mean + 1] * HORIZON,
        "lower95": [mean - 2] * HORIZON,
        "upper95": [mean + 2] * HORIZON,
        "actual": list(actual),
    }
    told: dict[str, Any] = {
        "model": "pooled",
        "seen": 20,
        "horizon": HORIZON,
        "growth": "marginal",
        "confidence": 0.7,
        "scale": 1.0,
        "error": abs(actual[0] - mean) if actual else None,
        "risk": "Stable",
        "p_collapse": 0.1,
        "brittle": False,
        "probabilities": {
            "Stable": 0.8,
            "Slow decay": 0.1,
            "Volatile": 0.06,
            "Immediate collapse risk": 0.04,
        },
        "evidence": "enough",
        "reason": "steady over 20 cycles",
    }
    source = f"cycle:{next(_numbers)}"
    return Forecast.objects.create(subject=subject, **{"source": source, **steps, **told, **fields})


def make_sample(
    scenario: str, roi_delta: float | None, subject: str = "alpha", **metrics: float
) -> SynergySample:
    """Make what one scenario measured."""
    source = f"cycle:{next(_numbers)}"
    return SynergySample.objects.create(
        subject=subject, scenario=scenario, source=source, roi_delta=roi_delta, metrics=metrics
    )
