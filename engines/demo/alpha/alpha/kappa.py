"""Cohen's kappa: agreement of two readers beyond chance (Cohen 1960)."""


def kappa(first: list[int], second: list[int]) -> float:
    """Return the agreement of two readings of the same cases; 1 is full, 0 is chance."""
    total = len(first)
    agreed = sum(a == b for a, b in zip(first, second, strict=True)) / total
    expected = sum(first.count(label) * second.count(label) for label in {*first, *second}) / total**2
    return 1.0 if expected == 1.0 else (agreed - expected) / (1 - expected)
