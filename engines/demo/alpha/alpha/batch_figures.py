"""Numbers about one batch of readings, in one unit; from before there were helpers."""

from collections.abc import Sequence
from typing import Any

FACTORS = {"um": 1.0, "mm": 1000.0, "nm": 0.001}
LENGTHS = ("radius", "perimeter")


def batch_summary(results: Sequence[int]) -> dict[str, float]:
    """Return how many cases were read and which share of them is malignant."""
    return {"read": len(results), "malignant_share": sum(results) / len(results) if results else 0.0}


def to_micrometres(case: dict[str, Any], given: str) -> dict[str, Any]:
    """Return the case with lengths in micrometres and areas in square micrometres."""
    scale = FACTORS[given]
    return {field: _converted(field, number, scale) for field, number in case.items()}


def _converted(field: str, number: Any, scale: float) -> Any:
    if any(part in field for part in LENGTHS):
        return number * scale
    return number * scale**2 if "area" in field else number
