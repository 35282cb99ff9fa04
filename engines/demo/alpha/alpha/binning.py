"""Sorting numbers from 0 to 1 into bins of equal width."""

from collections.abc import Sequence


def equal_width(values: Sequence[float], bins: int) -> list[list[int]]:
    """Return for each bin the positions of the values that fall into it."""
    found: list[list[int]] = [[] for _ in range(bins)]
    for index, value in enumerate(values):
        found[min(bins - 1, int(value * bins))].append(index)
    return found
