"""Reliability of predicted probabilities: how often 80 % really means 80 %.

Written for the quarterly quality report; the report moved elsewhere and nobody calls this any more.
"""

from collections.abc import Sequence

from alpha.binning import equal_width


def calibration_error(probabilities: Sequence[float], outcomes: Sequence[int], bins: int = 10) -> float:
    """Return the expected calibration error (0 is perfect) over equal-width bins."""
    total = len(probabilities)
    error = 0.0
    for members in equal_width(probabilities, bins):
        if members:
            stated = sum(probabilities[index] for index in members) / len(members)
            seen = sum(outcomes[index] for index in members) / len(members)
            error += abs(stated - seen) * len(members) / total
    return error
