"""Figures as people read them."""


def to_half(value: float) -> float:
    """Round to the nearest half."""
    return round(value * 2) / 2
