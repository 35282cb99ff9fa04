"""A forest for tests: the first trees of the shipped one, so that training on top of it is quick."""

from dataclasses import replace
from functools import cache

from forecasting.domain.forecast_forest import Forest
from forecasting.domain.forecast_shipped import shipped

TREES = 6


@cache
def few_trees() -> Forest:
    """Return the shipped forest's first trees."""
    whole = shipped()
    end = int(whole.roots[TREES])
    nodes = {name: getattr(whole, name)[:end] for name in ("feature", "threshold", "left", "right")}
    return replace(whole, **nodes, roots=whole.roots[:TREES], leaf=whole.leaf[:TREES])
