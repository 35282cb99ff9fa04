"""How good forecasts were, told from what came: scaled errors, CRPS, coverage. Origins only look back.

Errors are divided by the mean absolute step before the origin (MASE; Hyndman and Koehler 2006), CRPS is
twice the mean pinball loss over seven levels (Gneiting and Raftery 2007), scaled alike. A single score
counts at most 50.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.domain.forecast_input import Floats

LEVELS: Final = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
STEPS: Final = 5
LARGEST: Final = 50.0

Method = Callable[[Floats], Floats]
"""Values up to an origin → quantiles [5, 7] at LEVELS."""


@dataclass(frozen=True, slots=True)
class Score:
    """One origin's scores."""

    first: float
    """Absolute scaled error one step ahead."""

    mase: float
    """Mean of it over five steps."""

    crps: float
    inside80: float
    """Share of the five steps within the 80 % interval."""

    inside95: float


def score(quantiles: Floats, before: Floats, after: Floats) -> Score | None:
    """Return the scores of quantiles [5, 7] against the 5 values `after`; None where `before` never moved."""
    unit = float(np.abs(np.diff(before)).mean())
    if unit <= 0:
        return None
    missed = np.abs(quantiles[:, 3] - after) / unit
    above = (after[:, None] - quantiles) / unit
    pinball = np.maximum(LEVELS * above, (LEVELS - 1) * above)
    inside = [(after >= quantiles[:, low]) & (after <= quantiles[:, high]) for low, high in ((1, 5), (0, 6))]
    scores = (missed[0], missed.mean(), 2 * pinball.mean())
    return Score(*(min(float(each), LARGEST) for each in scores), *(float(each.mean()) for each in inside))


def origins(length: int, *, first: int = 12, most: int = 2) -> list[int]:
    """Return up to `most` last origins of a series, 5 steps apart, oldest first, none before `first`."""
    known = [length - STEPS * back for back in range(1, most + 1)]
    return sorted(origin for origin in known if origin >= first)


def walk(method: Method, series: Iterable[Floats], *, most: int = 2) -> Iterator[Score]:
    """Yield the scores of a method at the last origins of each series, given the values before."""
    for values in series:
        for origin in origins(len(values), most=most):
            before, after = values[:origin], values[origin : origin + STEPS]
            found = score(method(before.copy()), before, after)
            if found is not None:
                yield found


def means(scores: Sequence[Score]) -> dict[str, float | int | None]:
    """Return the mean of each score, and how many there were; None where there were none."""
    names = ("first", "mase", "crps", "inside80", "inside95")
    found = {name: float(np.mean([getattr(s, name) for s in scores])) if scores else None for name in names}
    return {**found, "cases": len(scores)}
