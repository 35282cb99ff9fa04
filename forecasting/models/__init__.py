"""Rows of this app."""

from forecasting.models.foresight import CycleMetrics, Verdict
from forecasting.models.numbers import MetricDaily, MetricPoint, RoiEvent, RoiRollup

__all__ = ["CycleMetrics", "MetricDaily", "MetricPoint", "RoiEvent", "RoiRollup", "Verdict"]
