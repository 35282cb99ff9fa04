"""What running parts together adds over running each alone, and the next value of such a series.

synergy_x = x(combined) - mean over the parts of x(part alone), with equal input and scenario, each x a
median over repeats. With n healthy parts that neither help nor hinder each other it is 0, whatever n is.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any, Final

from forecasting.domain.coverage import reliability
from forecasting.domain.finite import is_finite
from forecasting.domain.metrics import PREFIX, Raw, measured

ALPHA: Final = 0.3
"""Weight of the newest value in the smoothed one."""
WINDOW: Final = 20
"""Errors that a rolling mean looks back on."""


def synergy(combined: Sequence[Raw], alone: Sequence[Sequence[Raw]]) -> dict[str, float]:
    """Return each synergy metric, with its prefix; what one side didn't measure is absent.

    `combined`: repeats of the run with all parts; `alone`: of each part, its repeats. All of one scenario.
    """
    if not combined or not alone or not all(alone):
        return {}
    together = _typical(combined)
    parts = [_typical(repeats) for repeats in alone]
    shared = [name for name in together if all(name in part for part in parts)]
    found = {PREFIX + name: together[name] - fmean(part[name] for part in parts) for name in shared}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _typical(repeats: Sequence[Raw]) -> dict[str, float]:
    """Return the median of each metric that every repeat measured."""
    rows = [measured(raw) for raw in repeats]
    return {name: median(row[name] for row in rows) for name in rows[0] if all(name in row for row in rows)}


class Smoothed:
    """A series that forecasts its next value by exponential smoothing and keeps how wrong that was.

    Adding a value costs the same however many came before: only sums and the newest `WINDOW` errors are kept.
    An error is scaled by the mean size of a step so far, which is what "the same again" errs by.
    """

    __slots__ = ("count", "errors", "last", "level", "steps")

    def __init__(self) -> None:
        self.count = 0
        self.last: float | None = None
        #: smoothed value, which is also the forecast of the next one
        self.level: float | None = None
        #: sum of the sizes of all steps
        self.steps = 0.0
        self.errors: deque[float] = deque(maxlen=WINDOW)

    @property
    def scale(self) -> float | None:
        """Mean absolute step so far; None before the second value."""
        return self.steps / (self.count - 1) if self.count > 1 else None

    def add(self, value: float, expected: float | None = None) -> float | None:
        """Take the next value and return the scaled error of its forecast; None for the first value.

        `expected`: what a better forecast said of it. Raises ValueError when the value is not finite.
        """
        if not is_finite(value):
            raise ValueError(f"only finite numbers are measured, not {value!r:.40}")
        foretold = self.level if expected is None else expected
        self._move_to(value)
        return None if foretold is None or self.count < 2 else self._missed_by(abs(value - foretold))

    def _move_to(self, value: float) -> None:
        if self.last is not None:
            self.steps += abs(value - self.last)
        self.count += 1
        self.last = value
        self.level = value if self.level is None else (1 - ALPHA) * self.level + ALPHA * value

    def _missed_by(self, error: float) -> float:
        scaled = error / self.scale if self.scale else 0.0
        self.errors.append(scaled)
        return scaled

    @property
    def mae(self) -> float | None:
        """Mean of the newest scaled errors; 1 is as good as "the same again"."""
        return fmean(self.errors) if self.errors else None

    @property
    def reliability(self) -> float | None:
        """How exact the newest forecasts were (`coverage.reliability`), in (0, 1]; None before the first."""
        return reliability(self.errors)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name != "errors"}
        return {**plain, "errors": list(self.errors)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Smoothed":
        """Return what `to_dict` wrote; raises KeyError for anything else."""
        made = cls()
        for name in cls.__slots__:
            setattr(made, name, deque(data[name], maxlen=WINDOW) if name == "errors" else data[name])
        return made
