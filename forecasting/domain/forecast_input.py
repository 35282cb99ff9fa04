"""What a forecast is asked for: checked numbers, and the unit that makes all series alike."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, SupportsFloat, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.finite import is_finite

Floats = NDArray[np.float64]

WINDOW: Final = 200
"""Newest points a forecast looks at, so that a history of a million costs what one of 200 does."""

MAX_HORIZON: Final = 100
LARGEST: Final = 1e100
FLAT: Final = 1e-13  # steps smaller than this share of the level are rounding


@dataclass(frozen=True, slots=True)
class Series:
    """A checked series in its own unit: the last value is 0, the mean absolute step is 1."""

    scaled: Floats
    last: float
    unit: float
    """Mean absolute step; 0.0 of a series that doesn't move."""

    @property
    def flat(self) -> bool:
        """Whether the series never moved, so that nothing can be said of its noise."""
        return self.unit == 0.0

    def back(self, scaled: Floats) -> Floats:
        """Return scaled numbers in the series' own unit again."""
        return self.last + self.unit * scaled


def checked(values: Iterable[object]) -> Series:
    """Return the newest 200 of these numbers, oldest first, as a `Series`.

    Raises ValueError, naming the place, for what isn't a finite number up to 1e100, or for no numbers at all.
    """
    newest, first = _newest(values)
    numbers = np.array([_number(value, first + place) for place, value in enumerate(newest)])
    if not len(numbers):
        raise ValueError("values: at least one number is needed")
    steps = np.abs(np.diff(numbers))
    unit = float(steps.mean()) if len(steps) else 0.0
    if unit <= FLAT * float(np.abs(numbers).max()):
        unit = 0.0
    last = float(numbers[-1])
    return Series((numbers - last) / (unit or 1.0), last, unit)


def check_all(values: Iterable[object]) -> None:
    """Raise ValueError, naming the place, for any of these, old ones too, that `checked` doesn't take."""
    for place, value in enumerate(values):
        if not is_finite(value) or abs(value) > LARGEST:  # the quick way, for nearly all
            _number(value, place)


def _newest(values: Iterable[object]) -> tuple[Sequence[object], int]:
    """Return the newest values and the place of the first of them."""
    if isinstance(values, str | bytes | dict | set):
        raise ValueError(f"values: a list of numbers is needed, not {type(values).__name__}")
    try:
        known = values if isinstance(values, Sequence | np.ndarray) else list(values)
        start = max(0, len(known) - WINDOW)
    except TypeError:
        raise ValueError(f"values: a list of numbers is needed, not {type(values).__name__}") from None
    return list(islice(known, start, None)) if start < WINDOW else list(known[start:]), start


def _number(value: object, place: int) -> float:
    usable = isinstance(value, SupportsFloat | SupportsIndex) and not isinstance(value, bool | np.bool_)
    try:
        number = float(value) if usable else math.nan  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not usable or not math.isfinite(number) or abs(number) > LARGEST:
        shown = f"{value!r}"[:40]
        raise ValueError(f"values[{place}]: a finite number up to {LARGEST:g} is needed, got {shown}")
    return number


def checked_horizon(horizon: object) -> int:
    """Return the horizon; raises ValueError unless it is a whole number from 1 to 100."""
    whole = isinstance(horizon, int | np.integer) and not isinstance(horizon, bool)
    if not whole or not 1 <= int(horizon) <= MAX_HORIZON:  # type: ignore[call-overload]
        raise ValueError(f"horizon: a whole number from 1 to {MAX_HORIZON} is needed, got {horizon!r:.40}")
    return int(horizon)  # type: ignore[call-overload, no-any-return]


def checked_levels(levels: Iterable[object]) -> Floats:
    """Return the levels; raises ValueError unless there is one and all lie strictly between 0 and 1."""
    numbers = np.array([_number(level, place) for place, level in enumerate(levels)])
    if not len(numbers) or numbers.min() <= 0 or numbers.max() >= 1:
        raise ValueError("levels: one or more shares between 0 and 1, such as 0.1, 0.5 and 0.9")
    return numbers
