"""Filters of lists: the same URL parameters for pages, exports and the API."""

from collections.abc import Mapping

from engines.filters.cycles import CYCLE_ORDERS, ENGINE_ORDERS, PARAMETERS, RANGES, CycleFilter
from engines.filters.orphans import ORPHAN_ORDERS, OrphanFilter
from engines.filters.promotions import PROMOTION_ORDERS, PromotionFilter
from engines.filters.reading import ListFilter

LISTS: Mapping[str, tuple[type[ListFilter], tuple[str, ...]]] = {
    "cycles": (CycleFilter, CYCLE_ORDERS),
    "orphans": (OrphanFilter, ORPHAN_ORDERS),
    "promotions": (PromotionFilter, PROMOTION_ORDERS),
}
"""The lists that can be filtered, with their orders."""

__all__ = ["CYCLE_ORDERS", "ENGINE_ORDERS", "LISTS", "PARAMETERS", "RANGES", "CycleFilter", "ListFilter"]
