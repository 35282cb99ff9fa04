"""Writes of this app: the only place that changes its rows."""

from forecasting.services.foresight import record_cycle
from forecasting.services.numbers import LARGEST, MAX_VALUES, record_points, record_roi_event

__all__ = ["LARGEST", "MAX_VALUES", "record_cycle", "record_points", "record_roi_event"]
