"""Rows as plain mappings: the same mapping feeds a page, the REST API, a figure and a test."""

from engines.panels.bots import card_and_cycles, engine_card, engine_facts, overview, versions
from engines.panels.cycles import cycle_head, cycle_row, state_pills
from engines.panels.history import metric_history, roi_history
from engines.panels.outcome import decision, forecast_after, outcome
from engines.panels.timeline import step_row, steps

__all__ = [
    "card_and_cycles",
    "cycle_head",
    "cycle_row",
    "decision",
    "engine_card",
    "engine_facts",
    "forecast_after",
    "metric_history",
    "outcome",
    "overview",
    "roi_history",
    "state_pills",
    "step_row",
    "steps",
    "versions",
]
