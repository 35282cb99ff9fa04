"""Whether a workflow's revision succeeds more often than its parent, or takes less, from their runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from statistics import median
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Successes of both sides, each in `runs` runs with the same inputs, presets and seeds."""

    runs: int
    parent: int
    candidate: int

    @classmethod
    def of(cls, presets: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Self:
        """Add up the presets of a benchmark."""
        sides = [(side["parent"], side["candidate"]) for side in presets.values()]
        return cls(
            runs=sum(min(one["runs"], other["runs"]) for one, other in sides),
            parent=sum(one["successes"] for one, _ in sides),
            candidate=sum(other["successes"] for _, other in sides),
        )


def pairs_test(pairs: Pairs) -> float | None:
    """Return the one-sided p-value of Fisher's exact test that the candidate succeeds more often.

    The probability that, of all successes together, at least as many fall to the candidate by chance
    (hypergeometric).  None without runs.  Fisher (1935), The Design of Experiments.
    """
    n, total = pairs.runs, pairs.parent + pairs.candidate
    if n <= 0 or not 0 <= max(pairs.parent, pairs.candidate) <= n:
        return None
    ways = sum(comb(n, k) * comb(n, total - k) for k in range(pairs.candidate, min(n, total) + 1))
    return ways / comb(2 * n, total)


def signed_rank_test(differences: Sequence[float]) -> float | None:
    """Return the one-sided p-value of Wilcoxon's signed-rank test that the differences lie above 0.

    Exact: the share of all ways to give signs to the ranks whose positive ranks sum to as much or more. Zeros
    are left out, ties share their mean rank; no unit matters. 1.0 where all are zero, None without any.
    Wilcoxon (1945), Individual comparisons by ranking methods.
    """
    if not differences:
        return None
    ranks = _doubled_ranks([each for each in differences if each])
    seen = sum(rank for rank, positive in ranks if positive)
    ways = [1]  # by sum of positive ranks
    for rank, _ in ranks:
        ways = [
            (ways[total] if total < len(ways) else 0) + (ways[total - rank] if total >= rank else 0)
            for total in range(len(ways) + rank)
        ]
    return sum(ways[seen:]) / sum(ways)


def _doubled_ranks(differences: Sequence[float]) -> list[tuple[int, bool]]:
    """Return each difference's rank by size, times two so that shared ranks are whole, and its sign."""
    sizes = sorted(map(abs, differences))
    return [
        (sizes.index(abs(each)) + len(sizes) - sizes[::-1].index(abs(each)) + 1, each > 0)
        for each in differences
    ]


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What a candidate saves, from runs that were made for this question alone."""

    p_value: float
    #: worth of the saving for each run; None without prices
    roi: float | None
    #: CPU seconds of a median run
    before: float
    after: float
    pairs: int


def saving_of(found: Mapping[str, Any] | None) -> Saving | None:
    """Return what fresh pairs of runs say: `parent` and `candidate` CPU seconds in order, and `roi`."""
    before, after = list((found or {}).get("parent") or ()), list((found or {}).get("candidate") or ())
    if found is None or not before or len(before) != len(after):
        return None
    p_value = signed_rank_test([old - new for old, new in zip(before, after, strict=True)])
    return Saving(
        p_value=1.0 if p_value is None else p_value,
        roi=found.get("roi"),
        before=median(before),
        after=median(after),
        pairs=len(before),
    )
