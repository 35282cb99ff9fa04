"""Rows of this app."""

from forecasting.models.foresight import CycleMetrics, Verdict
from forecasting.models.numbers import MetricDaily, MetricPoint, RoiEvent, RoiRollup
from forecasting.models.predictor import ForecastModel
from forecasting.models.tracking import Evaluation, Forecast, ModuleProgress, SynergySample

__all__ = [
    "CycleMetrics",
    "Evaluation",
    "Forecast",
    "ForecastModel",
    "MetricDaily",
    "MetricPoint",
    "ModuleProgress",
    "RoiEvent",
    "RoiRollup",
    "SynergySample",
    "Verdict",
]
