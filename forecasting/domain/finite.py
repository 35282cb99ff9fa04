"""What counts as a number: JSON has whole numbers beyond every float, and text where a number should be."""

import sys
from typing import Any, Final, TypeGuard

LARGEST: Final = sys.float_info.max


def is_finite(value: Any) -> TypeGuard[float]:
    """Tell whether a value is a number that a float can hold: no bool, NaN, infinity, nor 10**400.

    >>> is_finite(2), is_finite(10**400), is_finite(float("nan")), is_finite("2"), is_finite(True)
    (True, False, False, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
