"""The history of one subject as a verdict on collapse reads it: checked, recent, without a unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecasting.domain.collapse_labels import Array, reference_length
from forecasting.domain.collapse_posterior import median

Values = Sequence[float] | Array
FEWEST: Final = 3
"""Cycles below which there is no verdict."""
ENOUGH: Final = 8
"""Cycles from which the evidence of a verdict is enough."""
WINDOW: Final = 60
"""Most recent cycles that are read."""
_DIGITS: Final = 7  # digits of a scaled value that are read: what lies below is rounding of the unit
_LARGEST: Final = 1e150
_FAR: Final = 1e6  # units: farther off no value is read


@dataclass(frozen=True)
class History:
    """The last cycles of a subject, oldest first; `values` in units of `unit`."""

    values: Array  # (n,)
    entropy: Array  # (n,), unchanged
    unit: float  # median absolute ROI; 0 where every ROI is 0
    positive: bool  # whether the reference level lies above 0
    since: int  # cycles left out because ROI was not above 0 yet

    @property
    def scaled_reference(self) -> float:
        """Return the mean over the first 60 % of the cycles, in units of `unit`."""
        return float(self.values[: reference_length(len(self.values))].mean())


def read_history(roi: Values, entropy: Values | None = None, name: str = "roi") -> History:
    """Return the history of `roi`, oldest first, and the `entropy` of the same cycles (none: it never rose).

    ValueError names the argument and the position of what is not a finite number, or a length that differs.
    `name` is what the values are called in errors.
    """
    values = _numbers(roi, name)
    moods = np.zeros(len(values)) if entropy is None else _numbers(entropy, "entropy")
    if len(moods) != len(values):
        raise ValueError(f"entropy has {len(moods)} values and {name} {len(values)}: give one for each cycle")
    values, moods = values[-WINDOW:], moods[-WINDOW:]
    start = _start_of_gain(values)
    values, moods = values[start:], moods[start:]
    unit = _unit(values)
    scaled = _scaled(values, unit)
    positive = bool(len(values)) and float(scaled[: reference_length(len(scaled))].mean()) > 1e-6
    return History(scaled, moods, unit, positive, start)


def _scaled(values: Array, unit: float) -> Array:
    if not unit:
        return np.zeros(len(values))
    with np.errstate(over="ignore"):
        return np.asarray(np.round(np.clip(values / unit, -_FAR, _FAR), _DIGITS), dtype=np.float64)


def _unit(values: Array) -> float:
    if not len(values):
        return 0.0
    sizes = np.abs(values)
    return median(sizes) or float(sizes.max())


def _start_of_gain(values: Array) -> int:
    """Return 0, or where a subject that used to lose began to gain without a break, 3 cycles ago or more."""
    if len(values) < FEWEST or values[: reference_length(len(values))].mean() > 0:
        return 0
    losing = np.flatnonzero(values <= 0)
    start = int(losing[-1]) + 1 if len(losing) else 0
    return start if len(values) - start >= FEWEST else 0


def _numbers(given: Any, name: str) -> Array:
    listed = given.ndim > 0 if isinstance(given, np.ndarray) else isinstance(given, list | tuple)
    if not listed:
        raise ValueError(f"{name} must be a list of numbers, oldest first, not {type(given).__name__}")
    plain = isinstance(given, list | tuple) and set(map(type, given[-WINDOW:])) <= {float, int}
    for place, each in enumerate(() if plain else given[-WINDOW:], max(0, len(given) - WINDOW)):
        if isinstance(each, bool | np.bool_) or not isinstance(each, int | float | np.number):
            raise ValueError(f"{name}[{place}] is not a number but {type(each).__name__}")
    try:
        numbers = np.array(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} must be a list of numbers: {error}") from None
    wrong = np.flatnonzero(~(np.abs(numbers) <= _LARGEST))
    if len(wrong):
        raise ValueError(f"{name}[{wrong[0]}] is not a finite number of at most {_LARGEST:g}")
    return numbers
