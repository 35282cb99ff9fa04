"""Figures about a batch of readings."""

from collections.abc import Sequence


def batch_summary(labels: Sequence[int]) -> dict[str, float]:
    """Return how many were read and the share of malignant ones."""
    return {"read": len(labels), "malignant_share": sum(labels) / len(labels) if labels else 0.0}
