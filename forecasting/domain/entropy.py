"""Entropy of runs, and when further changes of a module bring complexity without returns.

A run's entropy is Shannon's, in bits, of the distribution of calls over functions. Each change of a module
is a sample: the ROI it brought and by how much the entropy moved. Their quotient, ROI gain per bit, says
whether complexity still pays. ROI is taken in units of the subject's usual ROI delta (`scale`), so no
currency matters.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

STILL: Final = 1e-9
"""Bits below which an entropy did not move."""
ENTROPY_THRESHOLD: Final = 0.01
PLATEAU_THRESHOLD: Final = 0.01
CONSECUTIVE: Final = 3
WINDOW: Final = 5
"""Samples over which the ceiling's mean is taken."""


def shannon(counts: Iterable[float]) -> float | None:
    """Return the Shannon entropy of counts, in bits; None when there are none.

    Raises ValueError for a negative or infinite count. (Shannon, A mathematical theory of communication,
    1948.)

    >>> shannon([1, 1, 1, 1]), shannon([5]), shannon([])
    (2.0, 0.0, None)
    """
    known = list(counts)
    if any(not 0 <= count < math.inf for count in known):
        raise ValueError("counts are finite and 0 or more")
    total = math.fsum(known)
    if total <= 0:
        return None
    shares = [count / total for count in known if count > 0]
    return max(0.0, -math.fsum(share * math.log2(share) for share in shares))


def of_calls(calls: Mapping[str, int], path: str = "") -> float | None:
    """Return the entropy of `path:function` call counts, of one module or of all; None when none ran."""
    wanted = f"{path}:" if path else ""
    return shannon(count for name, count in calls.items() if name.startswith(wanted))


def change(before: float | None, after: float | None) -> float | None:
    """Return after - before; None unless both were measured."""
    return None if before is None or after is None else after - before


@dataclass(frozen=True, slots=True)
class Sample:
    """What one change brought; None where it was not measured."""

    roi: float | None
    #: change of the entropy, bits
    entropy: float | None


def ratio(sample: Sample, scale: float = 1.0) -> float | None:
    """Return ROI gain / scale / |entropy change|; None where a part was not measured.

    Where the entropy did not move there is no quotient: a gain without complexity is infinite, and no gain
    is 0.
    """
    if sample.roi is None or sample.entropy is None:
        return None
    gain = sample.roi / scale if scale > 0 else sample.roi
    if abs(sample.entropy) > STILL:
        return gain / abs(sample.entropy)
    return math.inf if gain > 0 else 0.0


def entropy_ceiling(
    samples: Sequence[Sample],
    threshold: float = ENTROPY_THRESHOLD,
    *,
    window: int = WINDOW,
    scale: float = 1.0,
) -> bool:
    """Tell whether the mean ROI gain per bit of the newest `window` samples that moved is below `threshold`.

    Only samples with a quotient count, and it takes a full window of them.
    """
    moved = [each for each in samples if each.entropy is not None and abs(each.entropy) > STILL]
    known = [found for each in moved[-window:] if (found := ratio(each, scale)) is not None]
    return len(known) >= window and fmean(known) < threshold


def entropy_plateau(
    samples: Sequence[Sample],
    threshold: float = PLATEAU_THRESHOLD,
    consecutive: int = CONSECUTIVE,
    *,
    scale: float = 1.0,
) -> bool:
    """Tell whether the quotient stayed below `threshold` for the newest `consecutive` measured samples.

    A full streak is needed. Steady gains at a steady entropy are none: what costs no complexity goes on
    paying. Raises ValueError when `consecutive` is under 1.
    """
    if consecutive < 1:
        raise ValueError(f"consecutive: at least 1, got {consecutive}")
    known = [found for each in samples if (found := ratio(each, scale)) is not None]
    return len(known) >= consecutive and max(known[-consecutive:]) < threshold
