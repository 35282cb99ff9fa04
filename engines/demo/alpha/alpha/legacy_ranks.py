"""Rank of each measurement by the gap between group means. Superseded by the forest's importances.

.. deprecated:: 0.2
"""

import warnings


def rank_measurements(benign: list[list[float]], malignant: list[list[float]]) -> list[int]:
    """Return column numbers, the one with the widest gap first."""
    warnings.warn("rank_measurements is deprecated since 0.2", DeprecationWarning, stacklevel=2)
    gaps = [abs(_mean(b) - _mean(m)) for b, m in zip(zip(*benign), zip(*malignant))]  # noqa: B905
    return sorted(range(len(gaps)), key=lambda column: -gaps[column])


def _mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values)
