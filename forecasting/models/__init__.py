"""Rows of this app."""

from forecasting.models.numbers import MetricDaily, MetricPoint, RoiEvent, RoiRollup

__all__ = ["MetricDaily", "MetricPoint", "RoiEvent", "RoiRollup"]
