"""What a forecast missed by."""

from collections.abc import Sequence


def ordered(truth: Sequence[float], said: Sequence[float]) -> list[float]:
    """Return absolute errors, smallest first."""
    return sorted(abs(a - b) for a, b in zip(truth, said, strict=True))
