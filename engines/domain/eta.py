"""How long a running cycle will still take, from how long the same engine's steps took before.

The estimate is the sum of medians: of each step that is still to come, and of the running one less the time
it has run. Medians, not means, because one hung step would spoil a mean for weeks. It is an estimate of
*usual* runs: once a step runs longer than it ever did, that is said instead of a number getting smaller.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

MIN_SAMPLES = 3


@dataclass(frozen=True)
class Remaining:
    """Seconds left, and whether the running step already takes longer than any before."""

    seconds: float
    overdue: bool

    def __str__(self) -> str:
        if self.overdue:
            return "longer than usual"
        return f"{about(self.seconds)} left"


def remaining(
    usual: Mapping[str, Sequence[float]], coming: Sequence[str], running: str, elapsed: float
) -> Remaining | None:
    """Return the time left; None when any step that counts ran fewer than three times before.

    `usual` holds earlier durations in seconds by step, `coming` the steps after the running one, `elapsed`
    the seconds that the running step has run.
    """
    if any(len(usual.get(step, ())) < MIN_SAMPLES for step in (running, *coming)):
        return None
    later = sum(median(usual[step]) for step in coming)
    now = max(0.0, median(usual[running]) - elapsed)
    return Remaining(now + later, overdue=elapsed > max(usual[running]))


def about(seconds: float) -> str:
    """Return a duration as roughly as it is known.

    >>> about(20), about(100), about(5400), about(200_000)
    ('under a minute', 'about 2 min', 'about 1.5 h', 'about 2.3 d')
    """
    if seconds < 50:
        return "under a minute"
    if seconds < 5_370:
        return f"about {round(seconds / 60)} min"
    if seconds < 86_400:
        return f"about {seconds / 3600:.2g} h"
    return f"about {seconds / 86_400:.2g} d"
