"""Rows of this app as plain mappings, for pages, API and figures alike."""

from forecasting.panels.evaluation import EvaluationDashboard, forecast_subjects, roi_prediction_panel
from forecasting.panels.foretold import forecast_panel, forecast_steps
from forecasting.panels.model_card import model_card
from forecasting.panels.progress import module_progress, module_rankings, progress_row
from forecasting.panels.scenarios import scenario_panel
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
from forecasting.panels.synergy import synergy_panel

__all__ = [
    "MAX_POINTS",
    "PERIODS",
    "EvaluationDashboard",
    "Panel",
    "forecast_panel",
    "forecast_steps",
    "forecast_subjects",
    "metric_names",
    "metric_series",
    "model_card",
    "module_progress",
    "module_rankings",
    "progress_row",
    "roi_prediction_panel",
    "roi_series",
    "scenario_panel",
    "since",
    "synergy_panel",
    "thin",
]
