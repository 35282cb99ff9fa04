"""Numbers as readers expect them."""


def nearest_half(number: float) -> float:
    """Round a number to the nearest half."""
    return round(number * 2) / 2
