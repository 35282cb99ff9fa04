"""ROI and metrics of an engine over time."""

from typing import Any

from engines.models import Engine
from forecasting import panels


def roi_history(engine: Engine, *, period: str = "") -> dict[str, Any]:
    """Return the ROI deltas of an engine's cycles and their smoothed course."""
    return panels.roi_series(engine.name, since=panels.since(period))


def metric_history(engine: Engine, name: str, *, period: str = "") -> dict[str, Any]:
    """Return one metric of an engine."""
    return panels.metric_series(engine.name, name, since=panels.since(period))
