"""Lengths of a referral in one unit."""

from typing import Any

FACTORS = {"um": 1.0, "mm": 1000.0, "nm": 0.001}
LENGTHS = ("radius", "perimeter")


def to_micrometres(row: dict[str, Any], unit: str) -> dict[str, Any]:
    """Return a copy of the row with lengths in micrometres and areas in square micrometres."""
    factor = FACTORS[unit]
    return {name: _converted(name, value, factor) for name, value in row.items()}


def _converted(name: str, value: Any, factor: float) -> Any:
    if any(word in name for word in LENGTHS):
        return value * factor
    return value * factor**2 if "area" in name else value
