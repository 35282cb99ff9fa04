"""Rows of this app as plain mappings, for pages, API and figures alike."""

from forecasting.panels.series import (
    MAX_POINTS,
    PERIODS,
    Panel,
    metric_names,
    metric_series,
    roi_series,
    since,
    thin,
)

__all__ = [
    "MAX_POINTS",
    "PERIODS",
    "Panel",
    "metric_names",
    "metric_series",
    "roi_series",
    "since",
    "thin",
]
