"""Numbers about one batch of readings."""

from collections.abc import Sequence


def summary_of_batch(results: Sequence[int]) -> dict[str, float]:
    """Return how many cases were read and which share of them is malignant."""
    return {"read": len(results), "malignant_share": sum(results) / len(results) if results else 0.0}
