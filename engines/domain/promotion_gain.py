"""Whether a workflow's revision succeeds more often than its parent, from the counts of their runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
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
