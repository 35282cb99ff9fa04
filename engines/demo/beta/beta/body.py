"""Body mass index from height and weight, for practices that don't send it."""


def body_mass_index(kilograms: float, metres: float) -> float:
    """Return weight over squared height."""
    return kilograms / metres**2
