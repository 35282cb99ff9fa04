"""Filters of lists: the same URL parameters for pages, exports and the API."""

from engines.filters.cycles import CYCLE_ORDERS, ENGINE_ORDERS, PARAMETERS, RANGES, CycleFilter

__all__ = ["CYCLE_ORDERS", "ENGINE_ORDERS", "PARAMETERS", "RANGES", "CycleFilter"]
