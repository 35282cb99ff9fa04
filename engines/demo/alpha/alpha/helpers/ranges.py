"""What a measurement can be."""

from typing import Any

PLAUSIBLE = {"mean_radius": (3.0, 60.0), "mean_area": (50.0, 5000.0), "mean_smoothness": (0.01, 0.5)}


def implausible(row: dict[str, Any]) -> bool:
    """Whether any measurement of the row lies outside of its plausible range."""
    return any(name in row and not low <= row[name] <= high for name, (low, high) in PLAUSIBLE.items())
